//! Migrating an SQLite database: all in one transaction, which takes the write lock first, so that
//! processes that start together take turns.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::StorageError;
use crate::engine::migration::{self, SQLITE};

/// The same table that PostgreSQL has.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version INTEGER NOT NULL PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    execution_time INTEGER NOT NULL
) STRICT";

/// Checks the schema and brings it up to date where that is allowed.
pub(super) fn bring_up_to_date(
    connection: &mut Connection,
    allowed: bool,
) -> Result<(), StorageError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(TABLE)?;
    let found = version(&tx)?;
    if !migration::is_needed(&SQLITE, found, allowed)? {
        return Ok(());
    }
    for migration in SQLITE.iter().filter(|migration| migration.version > found) {
        tx.execute_batch(migration.sql.as_str())?;
        tx.execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (?1, ?2, TRUE, ?3, 0)",
            params![migration.version, migration.description, migration.checksum],
        )?;
    }
    Ok(tx.commit()?)
}

/// The newest migration of the database; 0 for an empty one.
fn version(tx: &Transaction<'_>) -> Result<i64, StorageError> {
    let sql = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations";
    Ok(tx.query_row(sql, [], |row| row.get(0))?)
}
