//! Appending events: inside the transaction they describe, or many at once from the journal.

use std::sync::LazyLock;

use super::AuditEvent;
use crate::engine::{Value, args, placeholders};
use crate::{StorageError, Transaction};

/// Events that one statement of [`append_many`] inserts.
const MANY: usize = 32;

static INSERT_ONE: LazyLock<String> = LazyLock::new(|| insert(1));
static INSERT_MANY: LazyLock<String> = LazyLock::new(|| insert(MANY));

/// The statement that inserts a number of events.
fn insert(count: usize) -> String {
    format!(
        "INSERT INTO audit_event
             (organization, at, actor, action, outcome, reason, request_id, details)
         VALUES {}",
        placeholders(count, 8)
    )
}

/// Appends an event. It becomes part of its chain within a second of the commit.
///
/// # Errors
/// [`StorageError`]; what the event describes must then not happen either.
pub async fn append(tx: &mut Transaction, event: &AuditEvent) -> Result<(), StorageError> {
    tx.execute(INSERT_ONE.as_str(), columns(event))
        .await
        .map(drop)
}

/// Appends many events in few statements.
pub(super) async fn append_many(
    tx: &mut Transaction,
    events: &[AuditEvent],
) -> Result<(), StorageError> {
    let chunks = events.chunks_exact(MANY);
    let rest = chunks.remainder();
    for chunk in chunks {
        tx.execute(
            INSERT_MANY.as_str(),
            chunk.iter().flat_map(columns).collect(),
        )
        .await?;
    }
    for event in rest {
        append(tx, event).await?;
    }
    Ok(())
}

fn columns(event: &AuditEvent) -> Vec<Value> {
    let details =
        serde_json::to_string(&event.details).expect("a map of JSON values always serializes");
    args![
        event
            .organization
            .as_ref()
            .map_or("", |organization| organization.as_str()),
        event.at,
        event.actor.to_string(),
        event.action.as_str(),
        event.outcome.as_str(),
        event.outcome.reason(),
        &event.request_id,
        details,
    ]
}
