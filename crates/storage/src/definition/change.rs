//! Changing definitions: what differs, and one transaction that makes it so.

use std::collections::BTreeMap;

use symbolon_protocol::time::Timestamp;

use super::stored::{self, Definition, Head, Version};
use super::{Draft, Key};
use crate::audit::{self, Action, AuditEvent, By};
use crate::directory::{Directory, Problem};
use crate::engine::args;
use crate::news::{Announcement, Topic};
use crate::{StorageError, Transaction};

/// One change of the definitions.
#[derive(Clone, Debug)]
pub enum Change {
    /// Write a definition, new or not.
    Put(Draft),
    /// Remove a definition.
    Remove(Key),
}

impl Change {
    /// What is changed.
    pub fn key(&self) -> &Key {
        match self {
            Self::Put(draft) => &draft.key,
            Self::Remove(key) => key,
        }
    }
}

/// What [`apply`] did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Applied {
    /// Version of all definitions afterwards.
    pub version: i64,
    /// What was written; what already was as wanted is not among it.
    pub put: Vec<Key>,
    /// What was removed.
    pub removed: Vec<Key>,
}

/// Why nothing was applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The definitions would not fit together.
    #[error("{}", join(.0))]
    Misfit(Vec<Problem>),
}

fn join(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// What must change so that the definitions are as wanted. Pure: for `--dry-run` and before
/// [`apply`]. With `prune`, definitions that are not wanted are removed.
pub fn difference(existing: &[Definition], wanted: Vec<Draft>, prune: Prune) -> Vec<Change> {
    let mut gone: BTreeMap<&Key, &Definition> = existing
        .iter()
        .map(|definition| (&definition.key, definition))
        .collect();
    let mut changes = Vec::new();
    for draft in wanted {
        if !gone
            .remove(&draft.key)
            .is_some_and(|definition| is_same(definition, &draft))
        {
            changes.push(Change::Put(draft));
        }
    }
    if prune == Prune::Gone {
        // What refers to others goes before what is referred to.
        changes.extend(gone.into_keys().rev().cloned().map(Change::Remove));
    }
    changes
}

/// What happens to definitions that nobody wants any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Prune {
    /// They stay.
    Nothing,
    /// They are removed.
    Gone,
}

fn is_same(definition: &Definition, draft: &Draft) -> bool {
    definition.document == draft.document && definition.secrets == draft.secrets
}

/// Makes the changes, each with its audit event, and tells every node.
///
/// What is already as wanted is left alone; if nothing changes, nothing is written.
///
/// # Errors
/// [`ApplyError::Misfit`] lists everything that would be wrong afterwards; nothing is kept then.
pub async fn apply(
    tx: &mut Transaction,
    changes: Vec<Change>,
    by: &By,
    now: Timestamp,
) -> Result<Applied, ApplyError> {
    let version = lock(tx).await?;
    let mut definitions: BTreeMap<Key, Definition> = stored::list_all(tx)
        .await?
        .into_iter()
        .map(|definition| (definition.key.clone(), definition))
        .collect();
    let mut applied = Applied {
        version,
        put: Vec::new(),
        removed: Vec::new(),
    };
    for change in changes {
        let author = by.actor.to_string();
        match change {
            Change::Put(draft) => {
                if definitions
                    .get(&draft.key)
                    .is_some_and(|stored| is_same(stored, &draft))
                {
                    continue;
                }
                let definition = Definition::from_draft(draft, version + 1, now, &author);
                stored::put(tx, &definition).await?;
                applied.put.push(definition.key.clone());
                definitions.insert(definition.key.clone(), definition);
            }
            Change::Remove(key) => {
                if definitions.remove(&key).is_none() {
                    continue;
                }
                let gone = Version {
                    version: version + 1,
                    document: None,
                    at: now,
                    author,
                };
                stored::remove(tx, &key, &gone).await?;
                applied.removed.push(key);
            }
        }
    }
    let definitions: Vec<Definition> = definitions.into_values().collect();
    finish(tx, applied, &definitions, by, now).await
}

/// Locks the definitions against other writers until the commit and answers their version.
pub(crate) async fn lock(tx: &mut Transaction) -> Result<i64, StorageError> {
    let sql = "UPDATE definition_head SET version = version WHERE one = 1 RETURNING version";
    let Head(version) = tx.fetch_one(sql, args![]).await?;
    Ok(version)
}

async fn finish(
    tx: &mut Transaction,
    mut applied: Applied,
    definitions: &[Definition],
    by: &By,
    now: Timestamp,
) -> Result<Applied, ApplyError> {
    if applied.put.is_empty() && applied.removed.is_empty() {
        return Ok(applied);
    }
    applied.version += 1;
    let (_, problems) = Directory::build(applied.version, definitions);
    if !problems.is_empty() {
        return Err(ApplyError::Misfit(problems));
    }
    tx.execute(
        "UPDATE definition_head SET version = $1 WHERE one = 1",
        args![applied.version],
    )
    .await?;
    let done = [
        (Action::DEFINITION_PUT, &applied.put),
        (Action::DEFINITION_REMOVED, &applied.removed),
    ];
    for (action, keys) in done {
        for key in keys {
            audit::append(tx, &event(&action, key, applied.version, by, now)).await?;
        }
    }
    let subject = applied.version.to_string();
    tx.announce(Announcement {
        topic: Topic::Definitions,
        subject,
        at: now,
    });
    Ok(applied)
}

fn event(action: &Action, key: &Key, version: i64, by: &By, now: Timestamp) -> AuditEvent {
    let event = AuditEvent::new(action.clone(), by, now)
        .with("kind", key.kind.as_str())
        .with("id", key.id.as_str())
        .with("version", version);
    match key.owner.organization() {
        Some(organization) => event.of(organization),
        None => event,
    }
}
