//! Sweeping up what has expired.
//!
//! Nothing relies on it: whatever has expired is refused while it is still there. Rows go in batches,
//! each its own short transaction, so that nobody waits long. Any number of nodes may sweep at once.

use std::time::Duration;

use symbolon_protocol::time::Timestamp;

use crate::engine::args;
use crate::{StorageError, Store, Transaction, news};

/// Rows that one transaction removes at most.
const BATCH: i64 = 500;

/// Codes stay this long after their expiry: a second use within a day revokes what came of the first.
const REMEMBER_CODES: Duration = Duration::from_secs(24 * 60 * 60);

/// Revoked grants stay this long, for reviews.
const REMEMBER_GRANTS: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A statement that removes at most `$2` rows that expired at `$1` or before.
macro_rules! remove {
    ($table:literal, $key:literal, $condition:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $condition,
            " LIMIT $2)"
        )
    };
}

/// What expires: its statement, and how long after its expiry it is kept.
const SWEEPS: [(&str, Duration); 6] = [
    (
        remove!("single_use", "key", "expires_at <= $1"),
        Duration::ZERO,
    ),
    (
        remove!("authorization_code", "hash", "expires_at <= $1"),
        REMEMBER_CODES,
    ),
    (
        remove!("refresh_family", "id", "idle_expires_at <= $1"),
        Duration::ZERO,
    ),
    // A session is kept for its refresh tokens: signing out at the identity provider ends them.
    (
        remove!(
            "session",
            "id",
            "expires_at <= $1 AND NOT EXISTS
                 (SELECT 1 FROM refresh_family WHERE refresh_family.session_id = session.id)"
        ),
        Duration::ZERO,
    ),
    (
        remove!("group_report", "user_id, source", "expires_at <= $1"),
        Duration::ZERO,
    ),
    (remove!("grants", "id", "revoked_at <= $1"), REMEMBER_GRANTS),
];

/// Removes everything that has expired; answers how many rows that were.
///
/// # Errors
/// [`StorageError`]; what was removed until then stays removed.
pub async fn sweep(store: &Store, now: Timestamp) -> Result<u64, StorageError> {
    let mut removed = store
        .write(move |tx| Box::pin(news::forget(tx, now)))
        .await?;
    for (sql, kept) in SWEEPS {
        removed += sweep_table(store, sql, now.minus(kept)).await?;
    }
    Ok(removed)
}

async fn sweep_table(
    store: &Store,
    sql: &'static str,
    before: Timestamp,
) -> Result<u64, StorageError> {
    let mut removed = 0;
    loop {
        let batch = store
            .write(move |tx| Box::pin(remove_batch(tx, sql, before)))
            .await?;
        removed += batch;
        if batch < BATCH.unsigned_abs() {
            return Ok(removed);
        }
    }
}

async fn remove_batch(
    tx: &mut Transaction,
    sql: &'static str,
    before: Timestamp,
) -> Result<u64, StorageError> {
    tx.execute(sql, args![before, BATCH]).await
}
