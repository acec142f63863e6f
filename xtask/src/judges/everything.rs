//! `@modelcontextprotocol/server-everything`, a real MCP server with sessions, behind the gateway.

use std::process::Command;

use anyhow::Result;
use serde_json::json;

use super::deployment::{self, AS_SECRET, Deployment};
use crate::process::{self, Background};
use crate::tools;

/// A running server-everything.
pub(super) struct Everything {
    port: u16,
    _program: Background,
}

impl Everything {
    /// Starts it on a free port.
    pub(super) fn start(name: &str) -> Result<Self> {
        let directory = deployment::scratch(name)?;
        let port = process::free_port()?;
        let modules = tools::node_modules()?.join("node_modules");
        let mut command = Command::new(tools::node()?);
        command.arg(modules.join("@modelcontextprotocol/server-everything/dist/index.js"));
        command.arg("streamableHttp").env("PORT", port.to_string());
        let mut program = Background::start(&mut command, directory.join("everything.log"))?;
        program.wait_for_port(port)?;
        Ok(Self {
            port,
            _program: program,
        })
    }

    /// Its MCP endpoint.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }
}

/// A session with several tools, a long call with progress and a cancelled one.
pub(super) fn through_the_gateway() -> Result<()> {
    let everything = Everything::start("everything-upstream")?;
    let upstream = everything.url();
    let deployment = Deployment::start("everything", |url| {
        deployment::servers(url, &[("everything", upstream)])
    })?;
    let resource = format!("{}/mcp/everything", deployment.public_url);
    let answer = deployment.sign_in("as", AS_SECRET, &["tools:use", &resource])?;
    let settings = json!({ "mcp": resource, "token": answer["access_token"] });
    let mut command = deployment::node("everything.mjs")?;
    process::run(command.arg(settings.to_string()))
}
