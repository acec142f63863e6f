//! A server that is measured: pinned to the first core, started anew in each round.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::deployment::Deployment;
use super::program;
use crate::process::Background;

/// The core of the server.
const SERVER_CORE: &str = "0";
/// The core of the load generator and of the backend.
pub(super) const CLIENT_CORE: &str = "1";
/// How long a server may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Before memory is looked at, and before load begins.
const REST: Duration = Duration::from_millis(500);

/// A server that runs until this value is dropped.
pub(super) struct Target {
    process: Background,
    pub(super) port: u16,
    /// From the start of the process to its first answer, in milliseconds.
    pub(super) start: f64,
    /// Memory before the first load, in MiB.
    pub(super) idle: f64,
}

impl Target {
    /// Starts a program of the bench on a port.
    pub(super) fn program(
        deployment: &Deployment,
        name: &str,
        port: u16,
        arguments: &[&str],
    ) -> Result<Self> {
        let port_text = port.to_string();
        let mut all = vec!["--port", &port_text];
        all.extend(arguments);
        Self::start(deployment, &program(name), port, &all, SERVER_CORE)
    }

    /// Starts the backend beside the client.
    pub(super) fn backend(deployment: &Deployment) -> Result<Self> {
        let port = deployment.backend_port;
        let arguments = ["--port", &port.to_string()];
        Self::start(
            deployment,
            &program("backend"),
            port,
            &arguments,
            CLIENT_CORE,
        )
    }

    /// Starts the product.
    pub(super) fn product(deployment: &Deployment) -> Result<Self> {
        let port = deployment.port;
        Self::start(
            deployment,
            &program("symbolon"),
            port,
            &["serve"],
            SERVER_CORE,
        )
    }

    fn start(
        deployment: &Deployment,
        program: &Path,
        port: u16,
        arguments: &[&str],
        core: &str,
    ) -> Result<Self> {
        let name = program.file_name().context("a program has a name")?;
        let log = deployment.file(&format!("{}.log", name.to_string_lossy()));
        let mut command = Command::new("taskset");
        command
            .args(["--cpu-list", core])
            .arg(program)
            .args(arguments);
        command.current_dir(deployment.directory());
        let started = Instant::now();
        let process = Background::start(&mut command, log)?;
        while !answers(port) {
            let log = || process.log();
            ensure!(
                started.elapsed() < START_LIMIT,
                "{program:?} does not answer:\n{}",
                log()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        let start = started.elapsed().as_secs_f64() * 1e3;
        std::thread::sleep(REST);
        let idle = memory(process.pid())?;
        Ok(Self {
            process,
            port,
            start,
            idle,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// A URL of it; `path` starts with a slash.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// Whether something that speaks HTTP listens.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        let request =
            format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        Ok(stream.read(&mut [0_u8; 12])? > 0)
    };
    ask().unwrap_or(false)
}

/// Memory that a process holds, in MiB.
fn memory(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    let kib: f64 = kib.context("the process is gone")?.parse()?;
    Ok(kib / 1024.0)
}
