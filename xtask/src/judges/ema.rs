//! Real MCP clients run enterprise-managed authorization against `idp`, `as` and gateway, each until
//! a tool of `@modelcontextprotocol/server-everything` answers.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use super::deployment::{self, Deployment, IDP_SECRET};
use super::everything::Everything;
use crate::{process, tools};

/// `@modelcontextprotocol/client`.
pub(super) fn typescript() -> Result<()> {
    let everything = Everything::start("ema-typescript-upstream")?;
    let upstream = everything.url();
    let deployment = Deployment::start("ema-typescript", |url| {
        deployment::servers(url, &[("everything", upstream)])
    })?;
    let settings = deployment.settings("everything", "echo", json!({ "message": "hello" }));
    let mut command = deployment::node("ema.mjs")?;
    process::run(command.arg(settings.to_string()))
}

/// PyPI `mcp`.
pub(super) fn python() -> Result<()> {
    let everything = Everything::start("ema-python-upstream")?;
    let upstream = everything.url();
    let deployment = Deployment::start("ema-python", |url| {
        deployment::servers(url, &[("everything", upstream)])
    })?;
    let settings = deployment.settings("everything", "echo", json!({ "message": "hello" }));
    let answer = deployment.sign_in("idp/acme", IDP_SECRET, &["openid"])?;
    let id_token = answer["id_token"]
        .as_str()
        .context("no id_token in the answer")?;
    let mut command = Command::new(tools::python()?);
    command.arg(process::root().join("xtask/judges/ema.py"));
    process::run(command.arg(settings.to_string()).arg(id_token))
}

/// `rmcp`.
pub(super) fn rust() -> Result<()> {
    let everything = Everything::start("ema-rust-upstream")?;
    let upstream = everything.url();
    let deployment = Deployment::start("ema-rust", |url| {
        deployment::servers(url, &[("everything", upstream)])
    })?;
    let settings = deployment.settings("everything", "echo", json!({ "message": "hello" }));
    let answer = deployment.sign_in("idp/acme", IDP_SECRET, &["openid"])?;
    let id_token = answer["id_token"]
        .as_str()
        .context("no id_token in the answer")?;
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--locked", "--package", "symbolon"]);
    command.args([
        "--example",
        "ema_rmcp",
        "--",
        &settings.to_string(),
        id_token,
    ]);
    process::run(command.current_dir(process::root()))
}
