//! The store: one database, two ways in.
//!
//! [`Store::read`] hands out a consistent view, [`Store::write`] one transaction that is durable
//! when the call returns. Everything that knows which engine is below lives in this folder; records
//! are written once, in SQL that both engines read alike.
//!
//! - **SQLite** (embedded): write-ahead log, `synchronous = FULL`, foreign keys on; one writer with
//!   group commit, a few readers ([`sqlite`]).
//! - **PostgreSQL**: a pool, one transaction per job at `READ COMMITTED`, reads at `REPEATABLE READ`
//!   ([`postgres`]).
//!
//! No network call and no second call of the store belong inside a closure (design §4 rule 1).

mod connection;
mod migration;
mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;
mod value;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

pub use connection::{Connection, Transaction};
pub(crate) use value::{Column, Record, Row, Value, args, placeholders};

use crate::seal::Sealer;
use crate::{StorageError, instance};
use postgres::Postgres;
use sqlite::Sqlite;

/// A database of a deployment. Cheap to clone; all clones share its connections.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

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
    /// Must be called inside a Tokio runtime, on which the closures later run.
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
            Some(("sqlite", _)) => Engine::Sqlite(Sqlite::open(url, &sealer, options).await?),
            Some(("postgres" | "postgresql", _)) => {
                Engine::Postgres(Postgres::open(url, &sealer, options).await?)
            }
            // The URL may carry a password: it is not repeated.
            _ => return Err(StorageError::Url("unknown kind of database".to_owned())),
        };
        let store = Self { engine };
        store.write(|tx| Box::pin(instance::ensure(tx))).await?;
        Ok(store)
    }

    /// Reads from one consistent view of the database.
    ///
    /// # Errors
    /// Whatever the closure answers, or the [`StorageError`] of reaching the database.
    pub async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(read).await,
            Engine::Postgres(postgres) => postgres.read(read).await,
        }
    }

    /// Runs one transaction. When this returns `Ok`, what it wrote is durable; on `Err` nothing is.
    ///
    /// If the caller goes away meanwhile, the transaction still happens wholly or not at all. A
    /// statement that failed spoils the whole transaction, whatever the job answers.
    ///
    /// # Errors
    /// Whatever the job answers, or a [`StorageError`]; see [`StorageError::is_retryable`].
    pub async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(job).await,
            Engine::Postgres(postgres) => postgres.write(job).await,
        }
    }

    /// Waits for what is under way and closes every connection.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(postgres) => postgres.close().await,
        }
    }
}

/// Runs a job and the statements that end it; a panic becomes an error.
async fn run_guarded<F, T, E>(tx: &mut Transaction, job: F) -> Result<T, E>
where
    F: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send,
    E: From<StorageError>,
{
    let guarded = async {
        let value = job(&mut *tx).await?;
        tx.complete().await?;
        Ok(value)
    };
    match AssertUnwindSafe(guarded).catch_unwind().await {
        Ok(result) => result,
        Err(_panic) => Err(StorageError::Panicked.into()),
    }
}
