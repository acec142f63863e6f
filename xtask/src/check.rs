//! Format, lints and direction: what needs no counterpart.

use std::process::Command;

use anyhow::Result;

use crate::direction;
use crate::process;
use crate::suite::Totals;

/// Runs every check and counts each as one.
pub(crate) fn all() -> Result<Totals> {
    let mut totals = Totals::default();
    totals.record("format", cargo(&["fmt", "--all", "--check"]));
    let lints = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    totals.record("lints", cargo(&lints));
    totals.record("direction of dependencies", direction::check());
    deny(&mut totals);
    Ok(totals)
}

fn cargo(arguments: &[&str]) -> Result<()> {
    process::run(
        Command::new("cargo")
            .args(arguments)
            .current_dir(process::root()),
    )
}

/// Licences, bans and sources, where `cargo deny` is installed: building it takes longer than every
/// other check together, so `CONTRIBUTING.md` asks for it and nothing here installs it.
fn deny(totals: &mut Totals) {
    let version = Command::new("cargo").args(["deny", "--version"]).output();
    if version.is_ok_and(|output| output.status.success()) {
        let arguments = ["deny", "--offline", "check", "licenses", "bans", "sources"];
        totals.record("licences and bans", cargo(&arguments));
    } else {
        println!("licences and bans: left out, cargo-deny is not installed");
    }
}
