//! `symbolon migrate`: the schema of this version.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::open::{self, Migration};
use super::output::Output;
use crate::config::Environment;

/// Migrates and says so; a current database stays as it is.
pub(super) async fn run(path: &Path, environment: &Environment, output: &Output) -> Result<()> {
    let (config, store) = open::deployment(path, environment, Migration::Always).await?;
    store.close().await;
    output.print(&json!({ "schema": "current" }), || {
        let kind = config.storage.url.split(':').next().unwrap_or_default();
        format!("The {kind} database has the schema of this version.")
    })
}
