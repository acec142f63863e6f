//! Appending events: inside the transaction they describe, or many at once from the journal.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::AuditEvent;
use crate::engine::{Value, args};
use crate::{StorageError, Transaction};

/// Events that one statement of [`append_many`] inserts.
const MANY: usize = 32;

const INSERT: &str = "INSERT INTO audit_event
    (organization, at, actor, action, outcome, reason, request_id, details)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

static INSERT_MANY: LazyLock<String> = LazyLock::new(|| {
    let mut sql = INSERT.to_owned();
    for row in 1..MANY {
        sql.push_str(", (");
        for column in 1..=8 {
            let separator = if column == 1 { "" } else { ", " };
            write!(sql, "{separator}${}", row * 8 + column).expect("writing to a string succeeds");
        }
        sql.push(')');
    }
    sql
});

/// Appends an event. It becomes part of its chain within a second of the commit.
///
/// # Errors
/// [`StorageError`]; what the event describes must then not happen either.
pub async fn append(tx: &mut Transaction, event: &AuditEvent) -> Result<(), StorageError> {
    tx.execute(INSERT, columns(event)).await.map(drop)
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
