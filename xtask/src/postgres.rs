//! A private PostgreSQL cluster on a free loopback port, for the time of one run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::tools;

/// Where Debian and others put the server programs, which are not on the PATH.
const INSTALLATIONS: &str = "/usr/lib/postgresql";

/// A running cluster; dropping it stops it and removes its files.
pub(crate) struct Cluster {
    programs: PathBuf,
    directory: PathBuf,
    port: u16,
}

impl Cluster {
    /// Installs PostgreSQL if the machine has none, creates a cluster and starts it.
    pub(crate) fn start() -> Result<Self> {
        let programs = match programs() {
            Some(programs) => programs,
            None => {
                tools::install_debian(&["postgresql"])?;
                programs().context("PostgreSQL was installed, but `initdb` is not to be found")?
            }
        };
        let directory = std::env::temp_dir().join(format!("symbolon-pg-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let port = process::free_port()?;
        let cluster = Self {
            programs,
            directory,
            port,
        };
        cluster.initialise()?;
        Ok(cluster)
    }

    /// The URL of its maintenance database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn initialise(&self) -> Result<()> {
        let directory = self.directory.display();
        if is_root() {
            process::run(Command::new("chown").arg("postgres").arg(&self.directory))?;
        }
        self.as_postgres(&format!(
            "initdb -D {directory}/data -U postgres -A trust -E UTF8 -N"
        ))?;
        let options = format!(
            "-p {} -k {directory} -c listen_addresses=127.0.0.1",
            self.port
        );
        let limits = "-c max_connections=300 -c shared_buffers=128MB";
        self.as_postgres(&format!(
            "pg_ctl -D {directory}/data -l {directory}/log -w -o \"{options} {limits}\" start"
        ))
    }

    /// The server refuses to run as root, so root hands it to the package's own user.
    fn as_postgres(&self, command: &str) -> Result<()> {
        let line = format!("{}/{command} >/dev/null", self.programs.display());
        if is_root() {
            process::run(Command::new("runuser").args(["-u", "postgres", "--", "sh", "-c", &line]))
        } else {
            process::run(Command::new("sh").args(["-c", &line]))
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let directory = self.directory.display().to_string();
        // Best effort: a cluster that has already ended has nothing to stop.
        let _ = self.as_postgres(&format!("pg_ctl -D {directory}/data -m immediate stop"));
        let _ = std::fs::remove_dir_all(&directory);
    }
}

fn programs() -> Option<PathBuf> {
    let mut candidates: Vec<PathBuf> = std::fs::read_dir(INSTALLATIONS)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|path| path.join("initdb").exists())
        .collect();
    candidates.sort();
    candidates.pop()
}

fn is_root() -> bool {
    std::fs::metadata("/root").is_ok() && Path::new("/root").read_dir().is_ok()
}
