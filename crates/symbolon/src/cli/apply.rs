//! `symbolon apply`: manifests into the database.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use symbolon_net::{Clock, SystemClock};
use symbolon_storage::Store;
use symbolon_storage::audit::By;
use symbolon_storage::definition::{self, Change, Definition, Draft, Prune};

use super::open::{self, Migration};
use super::output::Output;
use crate::config::Environment;
use crate::manifest::Manifest;

#[derive(Args, Debug)]
pub(crate) struct Apply {
    /// Manifests; together they are one set.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print what would change and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Remove what the manifests do not mention.
    #[arg(long)]
    prune: bool,
}

impl Apply {
    pub(super) async fn run(
        self,
        path: &Path,
        environment: &Environment,
        output: &Output,
    ) -> Result<()> {
        let manifest = Manifest::read(&self.files, environment)?;
        let (_, store) = open::deployment(path, environment, Migration::Configured).await?;
        let prune = if self.prune {
            Prune::Gone
        } else {
            Prune::Nothing
        };
        let plan = plan(&store, &manifest, prune).await?;
        let lines: Vec<String> = plan.iter().map(describe).collect();
        if !self.dry_run {
            commit(&store, plan, open::operator(environment)).await?;
        }
        store.close().await;
        let answer = json!({ "changes": lines, "applied": !self.dry_run });
        output.print(&answer, || summary(&lines, self.dry_run))
    }
}

/// What must change, after a check that everything would fit together.
///
/// # Errors
/// Everything that would not fit, with file and line.
pub async fn plan(store: &Store, manifest: &Manifest, prune: Prune) -> Result<Vec<Change>> {
    let existing = store.read(|c| Box::pin(definition::list_all(c))).await?;
    let changes = definition::difference(&existing, manifest.drafts.clone(), prune);
    manifest.check(&after(existing, &changes))?;
    Ok(changes)
}

/// Writes the changes in one transaction, with their audit events.
///
/// # Errors
/// When another change came between, or the database does not answer; then nothing is written.
pub async fn commit(store: &Store, changes: Vec<Change>, by: By) -> Result<()> {
    let now = SystemClock.now();
    store
        .write(move |tx| Box::pin(async move { definition::apply(tx, changes, &by, now).await }))
        .await
        .context("nothing was applied")?;
    Ok(())
}

/// The definitions as they would be.
fn after(existing: Vec<Definition>, changes: &[Change]) -> Vec<Definition> {
    let changed = |definition: &Definition| changes.iter().any(|c| c.key() == &definition.key);
    let mut wanted: Vec<Definition> = existing.into_iter().filter(|d| !changed(d)).collect();
    wanted.extend(changes.iter().filter_map(|change| match change {
        Change::Put(draft) => Some(as_definition(draft.clone())),
        Change::Remove(_) => None,
    }));
    wanted
}

fn as_definition(draft: Draft) -> Definition {
    Definition::from_draft(draft, 0, SystemClock.now(), "")
}

fn describe(change: &Change) -> String {
    match change {
        Change::Put(draft) => format!("put {}", draft.key),
        Change::Remove(key) => format!("remove {key}"),
    }
}

fn summary(lines: &[String], dry_run: bool) -> String {
    match (lines, dry_run) {
        ([], _) => "Nothing changes.".to_owned(),
        (lines, true) => format!("Would change:\n  {}", lines.join("\n  ")),
        (lines, false) => format!("Changed:\n  {}", lines.join("\n  ")),
    }
}
