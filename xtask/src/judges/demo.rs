//! The product's face has to keep its promises: `demo --once` exits with 0 only if every step did.

use anyhow::Result;

use super::deployment;
use crate::process;

/// Runs `symbolon demo --once` in an empty folder.
pub(super) fn once() -> Result<()> {
    let directory = deployment::scratch("demo")?;
    process::run(
        deployment::symbolon()
            .args(["demo", "--once"])
            .current_dir(directory),
    )
}
