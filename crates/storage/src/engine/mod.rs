//! The store: one database, two ways in.
//!
//! [`Store::read`] hands out a consistent view, [`Store::write`] one transaction that is durable
//! when the call returns. Everything that knows which engine is below lives in this folder; records
//! are written once, in SQL that both engines read alike.
//!
//! - **SQLite** (embedded): write-ahead log, `synchronous = FULL`, foreign keys on; one writer with
//!   group commit ([`writer`]), a few readers.
//! - **PostgreSQL**: a pool, one transaction per job at `READ COMMITTED`, reads at `REPEATABLE READ`.
//!
//! No network call and no second call of the store belong inside a closure (design §4 rule 1).

mod connection;
mod migrate;
mod open;
#[cfg(test)]
mod tests;
mod value;
mod writer;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::{PgPool, SqlitePool};
use tokio::sync::{RwLock, mpsc, oneshot};

pub use connection::{Connection, Transaction};
pub use open::OpenOptions;
pub(crate) use value::{Column, Record, Row, Value, args};

use crate::StorageError;
use crate::seal::Sealer;
use writer::{Message, Write, run_guarded};

/// A database of a deployment. Cheap to clone; all clones share its connections.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    sealer: Arc<Sealer>,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Sqlite),
    Postgres(PgPool),
}

#[derive(Clone)]
struct Sqlite {
    readers: SqlitePool,
    writer: mpsc::Sender<Message>,
    /// In-memory databases share one page cache, whose table locks could deadlock a reader with the
    /// writer: there, readers and the writer take turns.
    turns: Option<Arc<RwLock<()>>>,
}

impl Store {
    /// Reads from one consistent view of the database.
    ///
    /// # Errors
    /// Whatever the closure answers, or the [`StorageError`] of reaching the database.
    pub async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>> + Send,
        E: From<StorageError>,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let _turn = match &sqlite.turns {
                    Some(lock) => Some(lock.read().await),
                    None => None,
                };
                let tx = sqlite.readers.begin().await.map_err(StorageError::from)?;
                finish_read(Connection::sqlite_reader(tx, self.sealer.clone()), read).await
            }
            Engine::Postgres(pool) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                let tx = pool.begin_with(begin).await.map_err(StorageError::from)?;
                finish_read(Connection::postgres(tx, self.sealer.clone()), read).await
            }
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
            Engine::Sqlite(sqlite) => {
                let (answer, answered) = oneshot::channel();
                let job = Message::Run(Box::new(Write { job, answer }));
                sqlite.writer.try_send(job).map_err(refusal)?;
                answered
                    .await
                    .unwrap_or_else(|_| Err(StorageError::Closed.into()))
            }
            Engine::Postgres(pool) => {
                let tx = pool.begin().await.map_err(StorageError::from)?;
                let mut tx = Transaction::new(Connection::postgres(tx, self.sealer.clone()));
                // Dropping the transaction on an error rolls it back.
                let value = run_guarded(&mut tx, job).await?;
                tx.into_connection().end().await?;
                Ok(value)
            }
        }
    }

    /// Waits for what is under way and closes every connection.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                sqlite.readers.close().await;
                let (closed, done) = oneshot::channel();
                // Either failure means that the writer has closed already.
                if sqlite.writer.send(Message::Close(closed)).await.is_ok() {
                    let _ = done.await;
                }
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}

async fn finish_read<T, E, F>(mut connection: Connection, read: F) -> Result<T, E>
where
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>>,
    E: From<StorageError>,
{
    let value = read(&mut connection).await?;
    connection.end().await?;
    Ok(value)
}

fn refusal(error: mpsc::error::TrySendError<Message>) -> StorageError {
    match error {
        mpsc::error::TrySendError::Full(_) => StorageError::Busy,
        mpsc::error::TrySendError::Closed(_) => StorageError::Closed,
    }
}
