//! PostgreSQL: a pool of connections, one transaction per job, reads from a snapshot.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow, Postgres as Engine};
use sqlx::query::Query;
use sqlx::{ConnectOptions, PgPool};

use super::connection::{Connection, Transaction};
use super::migration::{self, POSTGRES};
use super::value::{self, Record, Row, Value};
use super::{OpenOptions, run_guarded};
use crate::StorageError;
use crate::seal::Sealer;

/// Connections of one process.
const CONNECTIONS: u32 = 16;

/// How long to wait for a free connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// A node that stops in the middle of a transaction, while it holds the locks that number news or
/// lock definitions, must not stop the others for good.
const NO_IDLE_TRANSACTIONS: &str = "SET idle_in_transaction_session_timeout = '10s'";

/// Statements that a connection keeps prepared.
const PREPARED: usize = 512;

/// The database, as the [`Store`](crate::Store) holds it.
#[derive(Clone)]
pub(super) struct Postgres {
    pool: PgPool,
    sealer: Arc<Sealer>,
}

impl Postgres {
    /// Connects to the database that the URL names.
    pub(super) async fn open(
        url: &str,
        sealer: &Arc<Sealer>,
        options: OpenOptions,
    ) -> Result<Self, StorageError> {
        let connect = PgConnectOptions::from_str(url)
            // The URL may carry a password: it is not repeated.
            .map_err(|_| StorageError::Url("not a postgres url".to_owned()))?
            .application_name("symbolon")
            .statement_cache_capacity(PREPARED)
            .disable_statement_logging();
        let pool = PoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    sqlx::query(NO_IDLE_TRANSACTIONS)
                        .execute(connection)
                        .await
                        .map(drop)
                })
            })
            .connect_with(connect)
            .await?;
        migrate(&pool, options.migrate).await?;
        Ok(Self {
            pool,
            sealer: sealer.clone(),
        })
    }

    /// Runs a transaction.
    pub(super) async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send,
        E: From<StorageError>,
    {
        let tx = self.pool.begin().await.map_err(StorageError::from)?;
        let mut tx = Transaction::new(Connection::postgres(tx, self.sealer.clone()));
        // Dropping the transaction on an error rolls it back.
        let value = run_guarded(&mut tx, job).await?;
        tx.into_connection().commit().await?;
        Ok(value)
    }

    /// Reads from a snapshot.
    pub(super) async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>> + Send,
        E: From<StorageError>,
    {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let tx = self
            .pool
            .begin_with(begin)
            .await
            .map_err(StorageError::from)?;
        let mut connection = Connection::postgres(tx, self.sealer.clone());
        let value = read(&mut connection).await?;
        connection.commit().await?;
        Ok(value)
    }

    /// Waits for what is under way and closes every connection.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Runs a statement and tells how many rows it changed.
pub(super) async fn execute(
    connection: &mut PgConnection,
    sql: &'static str,
    arguments: Vec<Value>,
) -> Result<u64, StorageError> {
    Ok(query(sql, arguments)
        .execute(connection)
        .await?
        .rows_affected())
}

/// Runs a statement and reads the first row of the answer.
pub(super) async fn fetch_optional<T: Record>(
    connection: &mut PgConnection,
    sql: &'static str,
    arguments: Vec<Value>,
) -> Result<Option<T>, StorageError> {
    let row = query(sql, arguments).fetch_optional(connection).await?;
    row.as_ref().map(record).transpose()
}

/// Runs a statement and reads every row of the answer.
pub(super) async fn fetch_all<T: Record>(
    connection: &mut PgConnection,
    sql: &'static str,
    arguments: Vec<Value>,
) -> Result<Vec<T>, StorageError> {
    query(sql, arguments)
        .fetch_all(connection)
        .await?
        .iter()
        .map(record)
        .collect()
}

fn record<T: Record>(row: &PgRow) -> Result<T, StorageError> {
    T::read(&Row(value::Engine::Postgres(row)))
}

fn query(sql: &'static str, arguments: Vec<Value>) -> Query<'static, Engine, PgArguments> {
    arguments
        .into_iter()
        .fold(sqlx::query(sql), |query, argument| match argument {
            Value::Text(value) => query.bind(value),
            Value::Integer(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
            Value::Boolean(value) => query.bind(value),
        })
}

/// Checks the schema and brings it up to date where that is allowed.
async fn migrate(pool: &PgPool, allowed: bool) -> Result<(), StorageError> {
    let mut connection = pool.acquire().await?;
    // An advisory lock of the session: nodes that start together take turns.
    connection.lock().await.map_err(failed)?;
    let result = bring_up_to_date(&mut connection, allowed).await;
    connection.unlock().await.map_err(failed)?;
    result
}

async fn bring_up_to_date(
    connection: &mut PgConnection,
    allowed: bool,
) -> Result<(), StorageError> {
    connection
        .ensure_migrations_table(&POSTGRES.table_name)
        .await
        .map_err(failed)?;
    let applied = connection
        .list_applied_migrations(&POSTGRES.table_name)
        .await
        .map_err(failed)?;
    let found = applied
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    if !migration::is_needed(&POSTGRES, found, allowed)? {
        return Ok(());
    }
    let mut migrator = Migrator::with_migrations(POSTGRES.iter().cloned().collect());
    migrator.set_locking(false);
    migrator
        .run_direct(None, connection, false)
        .await
        .map_err(failed)
}

fn failed(error: sqlx::migrate::MigrateError) -> StorageError {
    StorageError::Migration(Box::new(error))
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::PoolTimedOut => Self::Busy,
            E::PoolClosed => Self::Closed,
            E::Io(_) | E::Tls(_) | E::WorkerCrashed => Self::Unavailable(Box::new(error)),
            E::Database(cause) => match cause.code().as_deref() {
                // serialization_failure, deadlock_detected
                Some("40001" | "40P01") => Self::Collision(Box::new(error)),
                // too_many_connections, admin_shutdown, crash_shutdown, cannot_connect_now
                Some("53300" | "57P01" | "57P02" | "57P03") => Self::Unavailable(Box::new(error)),
                _ if cause.is_unique_violation()
                    || cause.is_foreign_key_violation()
                    || cause.is_check_violation() =>
                {
                    Self::Constraint(Box::new(error))
                }
                _ => Self::Statement(Box::new(error)),
            },
            _ => Self::Statement(Box::new(error)),
        }
    }
}
