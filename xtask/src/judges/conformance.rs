//! The MCP conformance suite. Its exit code hides skipped checks, so every verdict is read from the
//! `checks.json` files it writes: something must have succeeded and nothing may have failed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::deployment::{self, Deployment};
use super::everything::Everything;
use crate::process::{self, Background};
use crate::tools;

/// Outcomes of one run by `scenario/check`.
type Outcomes = BTreeMap<String, String>;

/// Metadata and the code grant against `/as`: nothing failed, nothing skipped.
pub(super) fn authorization() -> Result<()> {
    let deployment = Deployment::start("conformance-authorization", |url| {
        deployment::servers(url, &[("everything", "http://127.0.0.1:9/mcp".to_owned())])
    })?;
    let output = deployment.directory().join("suite");
    let port = process::free_port()?;
    let mut command = deployment::node("conformance_authorization.mjs")?;
    command
        .arg(suite()?)
        .arg(format!("{}/as", deployment.public_url));
    command.args(["conformance", &port.to_string()]);
    command
        .arg(format!("{}/mcp/everything", deployment.public_url))
        .arg(&output);
    process::run(&mut command)?;
    let outcomes = read(&output)?;
    for scenario in [
        "authorization-server-metadata-endpoint",
        "authorization-code-grant",
    ] {
        let ran = |(name, outcome): (&String, &String)| {
            name.starts_with(scenario) && outcome == "SUCCESS"
        };
        ensure!(
            outcomes.iter().any(ran),
            "{scenario}: no check succeeded in {outcomes:?}"
        );
    }
    // A warning is what the suite itself lets pass: client metadata documents are not offered yet.
    let is_bad = |outcome: &str| matches!(outcome, "FAILURE" | "SKIPPED");
    let bad: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| is_bad(outcome))
        .collect();
    ensure!(bad.is_empty(), "not passed: {bad:?}");
    println!("{outcomes:?}");
    Ok(())
}

/// Server mode, once directly and once through the gateway: what passes directly passes through it.
///
/// Two real servers: one with sessions for the revision of 2025, a stateless one for that of 2026.
pub(super) fn server_through_the_gateway() -> Result<()> {
    let everything = Everything::start("conformance-upstream")?;
    let modern_port = process::free_port()?;
    let mut modern = deployment::node("modern_server.mjs")?;
    let log = deployment::scratch("conformance-modern")?.join("server.log");
    let mut modern = Background::start(modern.arg(modern_port.to_string()), log)?;
    modern.wait_for_port(modern_port)?;
    let legacy_url = everything.url();
    let modern_url = format!("http://127.0.0.1:{modern_port}/mcp");
    let deployment = Deployment::start("conformance-server", |url| {
        let upstreams = [
            ("everything", legacy_url.clone()),
            ("modern", modern_url.clone()),
        ];
        deployment::servers(url, &upstreams)
    })?;
    compare_server(&deployment, "everything", &legacy_url, "2025-11-25")?;
    compare_server(&deployment, "modern", &modern_url, "2026-07-28")
}

fn compare_server(
    deployment: &Deployment,
    server: &str,
    upstream: &str,
    version: &str,
) -> Result<()> {
    let token = deployment.access_token(server)?;
    let port = process::free_port()?;
    let gateway = format!("{}/mcp/{server}", deployment.public_url);
    let mut proxy = deployment::node("bearer_proxy.mjs")?;
    proxy.args([&port.to_string(), &gateway, &token]);
    let log = deployment.directory().join(format!("proxy-{server}.log"));
    let mut proxy = Background::start(&mut proxy, log)?;
    proxy.wait_for_port(port)?;
    let output = deployment.directory().join(version);
    let direct = serve_mode(upstream, version, &output.join("direct"))?;
    let url = format!("http://localhost:{port}/mcp");
    let through = serve_mode(&url, version, &output.join("through"))?;
    compare(version, &direct, &through)
}

fn compare(version: &str, direct: &Outcomes, through: &Outcomes) -> Result<()> {
    let passed: Vec<&String> = direct
        .iter()
        .filter(|(_, outcome)| *outcome == "SUCCESS")
        .map(|(name, _)| name)
        .collect();
    let lost: Vec<&&String> = passed
        .iter()
        .filter(|name| {
            through
                .get(**name)
                .is_none_or(|outcome| outcome != "SUCCESS")
        })
        .collect();
    ensure!(
        !passed.is_empty(),
        "{version}: nothing passed directly, so nothing was compared"
    );
    ensure!(
        lost.is_empty(),
        "{version}: passes directly but not through the gateway: {lost:?}"
    );
    println!(
        "{version}: {} checks pass directly and through the gateway",
        passed.len()
    );
    Ok(())
}

/// Runs server mode; its exit code is not the verdict, because the upstream itself fails checks.
fn serve_mode(url: &str, version: &str, output: &Path) -> Result<Outcomes> {
    let mut command = Command::new(tools::node()?);
    command
        .arg(suite()?)
        .args(["server", "--url", url, "--requirements", version, "-o"]);
    process::output(command.arg(output))?;
    read(output)
}

fn suite() -> Result<std::path::PathBuf> {
    Ok(tools::node_modules()?.join("node_modules/@modelcontextprotocol/conformance/dist/index.js"))
}

/// Collects every `checks.json` below a folder.
fn read(folder: &Path) -> Result<Outcomes> {
    let mut outcomes = Outcomes::new();
    collect(folder, &mut outcomes)?;
    ensure!(
        !outcomes.is_empty(),
        "the suite wrote no checks below {folder:?}"
    );
    Ok(outcomes)
}

fn collect(folder: &Path, outcomes: &mut Outcomes) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("no results in {folder:?}"))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, outcomes)?;
        } else if path.file_name().is_some_and(|name| name == "checks.json") {
            let scenario = scenario_of(&path);
            let checks: Vec<Value> = serde_json::from_str(&fs::read_to_string(&path)?)?;
            for check in checks {
                let id = check["id"].as_str().unwrap_or_default();
                let outcome = check["status"].as_str().unwrap_or_default();
                note(outcomes, format!("{scenario}/{id}"), outcome);
            }
        }
    }
    Ok(())
}

/// A check may be reported several times; its worst outcome counts.
fn note(outcomes: &mut Outcomes, name: String, outcome: &str) {
    let worst = ["FAILURE", "WARNING", "SKIPPED", "SUCCESS", "INFO"];
    let rank = |outcome: &str| worst.iter().position(|known| *known == outcome);
    let entry = outcomes.entry(name).or_insert_with(|| outcome.to_owned());
    if rank(outcome) < rank(entry) {
        outcome.clone_into(entry);
    }
}

/// The folder's name without the time stamp that the suite appends.
fn scenario_of(path: &Path) -> String {
    let folder = path
        .parent()
        .and_then(Path::file_name)
        .unwrap_or_default()
        .to_string_lossy();
    let end = folder.find("-20").unwrap_or(folder.len());
    let name = &folder[..end];
    let name = name.strip_prefix("authorization-server-").unwrap_or(name);
    name.strip_prefix("server-").unwrap_or(name).to_owned()
}
