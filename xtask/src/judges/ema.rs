//! Real MCP clients run enterprise-managed authorization against `idp`, `as` and gateway, each until
//! a tool of `@modelcontextprotocol/server-everything` answers.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::deployment::{self, Deployment, IDP_SECRET};
use super::everything::Everything;
use crate::{process, tools};

/// `@modelcontextprotocol/client`.
pub(super) fn typescript() -> Result<()> {
    let world = World::start("ema-typescript")?;
    let mut command = deployment::node("ema.mjs")?;
    process::run(command.arg(world.settings().to_string()))
}

/// PyPI `mcp`.
pub(super) fn python() -> Result<()> {
    let world = World::start("ema-python")?;
    let mut command = Command::new(tools::python()?);
    command.arg(process::root().join("xtask/judges/ema.py"));
    process::run(
        command
            .arg(world.settings().to_string())
            .arg(world.id_token()?),
    )
}

/// `rmcp`.
pub(super) fn rust() -> Result<()> {
    let world = World::start("ema-rust")?;
    let mut command = Command::new("cargo");
    command.args([
        "run",
        "--quiet",
        "--locked",
        "--package",
        "symbolon",
        "--example",
        "ema_rmcp",
    ]);
    command.args(["--", &world.settings().to_string(), &world.id_token()?]);
    process::run(command.current_dir(process::root()))
}

/// A deployment in front of server-everything.
struct World {
    deployment: Deployment,
    _everything: Everything,
}

impl World {
    fn start(name: &str) -> Result<Self> {
        let everything = Everything::start(&format!("{name}-upstream"))?;
        let upstream = everything.url();
        let deployment = Deployment::start(name, |url| {
            deployment::servers(url, &[("everything", upstream)])
        })?;
        Ok(Self {
            deployment,
            _everything: everything,
        })
    }

    fn settings(&self) -> Value {
        self.deployment
            .settings("everything", "echo", json!({ "message": "hello" }))
    }

    fn id_token(&self) -> Result<String> {
        let answer = self
            .deployment
            .sign_in("idp/acme", IDP_SECRET, &["openid"])?;
        let id_token = answer["id_token"]
            .as_str()
            .context("no id_token in the answer")?;
        Ok(id_token.to_owned())
    }
}
