//! The direction of dependencies between our crates (design §5): only downwards.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;

/// What each crate may depend on. Development dependencies are free.
const ALLOWED: &[(&str, &[&str])] = &[
    ("symbolon-protocol", &[]),
    ("symbolon-storage", &["symbolon-protocol"]),
    ("symbolon-net", &["symbolon-protocol"]),
    ("symbolon-policy", &["symbolon-protocol"]),
    (
        "symbolon-server",
        &[
            "symbolon-storage",
            "symbolon-policy",
            "symbolon-net",
            "symbolon-protocol",
        ],
    ),
    (
        "symbolon-gateway",
        &[
            "symbolon-storage",
            "symbolon-policy",
            "symbolon-net",
            "symbolon-protocol",
        ],
    ),
    (
        "symbolon",
        &[
            "symbolon-server",
            "symbolon-gateway",
            "symbolon-storage",
            "symbolon-policy",
            "symbolon-net",
            "symbolon-protocol",
        ],
    ),
];

/// What the sans-IO layer must never reach, however indirectly it is asked for.
const BANNED_IN_PROTOCOL: &[&str] = &["tokio", "axum", "sqlx", "hyper", "reqwest"];

/// Crates that only tests and development use.
const ASIDE: &[&str] = &["symbolon-testkit", "xtask"];

/// Fails on the first dependency that points the wrong way.
pub(crate) fn check() -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(["metadata", "--format-version", "1", "--no-deps", "--locked"]);
    let (_, text) = process::output(command.current_dir(process::root()))?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata printed no JSON")?;
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        if ASIDE.contains(&name) {
            continue;
        }
        let permitted = allowed.get(name).with_context(|| {
            format!("{name} has no place in the layers: name it in {}", file!())
        })?;
        check_package(name, permitted, package)?;
    }
    Ok(())
}

fn check_package(name: &str, permitted: &[&str], package: &Value) -> Result<()> {
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    for dependency in dependencies.filter(|dependency| dependency["kind"].as_str() != Some("dev")) {
        let target = dependency["name"].as_str().unwrap_or_default();
        let ours = target == "symbolon" || target.starts_with("symbolon-") || target == "xtask";
        if ours && !permitted.contains(&target) {
            bail!("{name} must not depend on {target}: dependencies point down (ARCHITECTURE.md)");
        }
        if name == "symbolon-protocol" && BANNED_IN_PROTOCOL.contains(&target) {
            bail!("{name} is sans-IO and must not depend on {target}");
        }
    }
    Ok(())
}
