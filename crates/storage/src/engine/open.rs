//! Opening a database: which engine, how it is set up, and whether it may be used.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use tokio::sync::{RwLock, mpsc};

use super::connection::{Connection, Transaction};
use super::{Engine, Sqlite, Store, migrate, writer};
use crate::seal::Sealer;
use crate::{StorageError, instance};

/// Connections that read an SQLite database.
const SQLITE_READERS: u32 = 4;
/// Connections to a PostgreSQL database.
const POSTGRES_CONNECTIONS: u32 = 16;
/// How long to wait for a lock of another process, or for a free connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// What [`Store::open`] may do to the database.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    /// Bring an empty or older schema up to date.
    pub migrate: bool,
    /// Create the database file when there is none (SQLite only).
    pub create: bool,
}

impl Store {
    /// Opens the database at `url`: `sqlite://FILE`, `sqlite::memory:` or `postgres://…`.
    ///
    /// Must be called inside a Tokio runtime: the writer of an SQLite database is a task there.
    ///
    /// # Errors
    /// [`StorageError::Url`], [`StorageError::Missing`], [`StorageError::NotMigrated`] and
    /// [`StorageError::TooNew`] say what to change; [`StorageError::WrongKey`] when the sealed
    /// values of the database do not open with this sealer.
    pub async fn open(
        url: &str,
        sealer: Sealer,
        options: OpenOptions,
    ) -> Result<Self, StorageError> {
        let sealer = Arc::new(sealer);
        let engine = match url.split_once(':') {
            Some(("sqlite", _)) => open_sqlite(url, &sealer, options).await?,
            Some(("postgres" | "postgresql", _)) => open_postgres(url, options).await?,
            // The URL may carry a password: it is not repeated.
            _ => return Err(StorageError::Url("unknown kind of database".to_owned())),
        };
        let store = Self { engine, sealer };
        store.write(|tx| Box::pin(instance::ensure(tx))).await?;
        Ok(store)
    }
}

async fn open_sqlite(
    url: &str,
    sealer: &Arc<Sealer>,
    options: OpenOptions,
) -> Result<Engine, StorageError> {
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let connect = sqlite_options(url, in_memory, options)?;
    let mut connection = connect.connect().await?;
    migrate::sqlite(&mut connection, options.migrate).await?;
    let readers = PoolOptions::new()
        .max_connections(SQLITE_READERS)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .connect_lazy_with(connect.create_if_missing(false).pragma("query_only", "ON"));
    let turns = in_memory.then(|| Arc::new(RwLock::new(())));
    let (writer, queue) = mpsc::channel(writer::QUEUE);
    let tx = Transaction::new(Connection::sqlite_writer(connection, sealer.clone()));
    tokio::spawn(writer::run(tx, queue, turns.clone()));
    Ok(Engine::Sqlite(Sqlite {
        readers,
        writer,
        turns,
    }))
}

fn sqlite_options(
    url: &str,
    in_memory: bool,
    options: OpenOptions,
) -> Result<SqliteConnectOptions, StorageError> {
    let connect = SqliteConnectOptions::from_str(url)
        .map_err(|error| StorageError::Url(error.to_string()))?
        .create_if_missing(options.create)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .statement_cache_capacity(512)
        .disable_statement_logging();
    let file = connect.get_filename();
    if !in_memory && !options.create && !file.exists() {
        return Err(StorageError::Missing(file.display().to_string()));
    }
    Ok(connect)
}

async fn open_postgres(url: &str, options: OpenOptions) -> Result<Engine, StorageError> {
    let connect = PgConnectOptions::from_str(url)
        .map_err(|_| StorageError::Url("not a postgres url".to_owned()))?
        .application_name("symbolon")
        .statement_cache_capacity(512)
        .disable_statement_logging();
    let pool = PoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_with(connect)
        .await?;
    migrate::postgres(&pool, options.migrate).await?;
    Ok(Engine::Postgres(pool))
}
