//! Migrations and the gate that keeps a program from a schema it does not know.
//!
//! The schema version is the number of the newest migration. A schema N serves programs that know N
//! and N−1 (design §4 rule 19): a migration only adds what the program before it can ignore, and a
//! release brings at most one. A program therefore accepts a database that is one ahead of it.

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::{Connection, PgPool, SqliteConnection};

use crate::StorageError;

static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// Checks the schema of an SQLite database and brings it up to date where that is allowed.
pub(super) async fn sqlite(
    connection: &mut SqliteConnection,
    allowed: bool,
) -> Result<(), StorageError> {
    // One transaction around everything: two processes that start together take turns.
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    bring_up_to_date(&SQLITE, &mut *tx, allowed).await?;
    Ok(tx.commit().await?)
}

/// Checks the schema of a PostgreSQL database and brings it up to date where that is allowed.
pub(super) async fn postgres(pool: &PgPool, allowed: bool) -> Result<(), StorageError> {
    let mut connection = pool.acquire().await?;
    // An advisory lock of the session: nodes that start together take turns.
    connection.lock().await.map_err(StorageError::Migration)?;
    let result = bring_up_to_date(&POSTGRES, &mut *connection, allowed).await;
    connection.unlock().await.map_err(StorageError::Migration)?;
    result
}

async fn bring_up_to_date<C: Migrate>(
    embedded: &Migrator,
    connection: &mut C,
    allowed: bool,
) -> Result<(), StorageError> {
    let known = embedded
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    let found = version_found(embedded, connection)
        .await
        .map_err(StorageError::Migration)?;
    if found > known + 1 {
        return Err(StorageError::TooNew { found, known });
    }
    if found >= known {
        return Ok(());
    }
    if !allowed {
        return Err(StorageError::NotMigrated {
            found,
            needed: known,
        });
    }
    let mut migrator = Migrator::with_migrations(embedded.iter().cloned().collect());
    migrator.set_locking(false);
    migrator
        .run_direct(None, connection, false)
        .await
        .map_err(StorageError::Migration)
}

/// The newest migration of the database; 0 for an empty one.
async fn version_found<C: Migrate>(
    embedded: &Migrator,
    connection: &mut C,
) -> Result<i64, MigrateError> {
    connection
        .ensure_migrations_table(&embedded.table_name)
        .await?;
    let applied = connection
        .list_applied_migrations(&embedded.table_name)
        .await?;
    Ok(applied
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0))
}
