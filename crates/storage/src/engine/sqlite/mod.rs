//! SQLite, embedded: one writer with group commit, a few readers, each a thread with a connection.
//!
//! The file is in write-ahead mode with `synchronous = FULL`: what was committed survives a power cut.
//! Several processes may share it. A database in memory has one connection for everything.

mod database;
mod migrate;
mod reader;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rusqlite::OpenFlags;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::OpenOptions;
use super::connection::{Connection, Transaction};
use crate::StorageError;
use crate::seal::Sealer;

pub(super) use database::{Row, control, execute, fetch};
use reader::{Read, ReadJob};
#[cfg(test)]
pub(super) use writer::QUEUE;
use writer::Write;

/// Threads that read.
const READERS: usize = 3;

/// How long to wait for a lock of another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// Statements that a connection keeps prepared.
const PREPARED: usize = 512;

/// The database, as the [`Store`](crate::Store) holds it.
#[derive(Clone)]
pub(super) struct Sqlite {
    writer: mpsc::Sender<writer::Message>,
    /// `None` for a database in memory: the writer reads.
    readers: Option<mpsc::Sender<reader::Message>>,
}

impl Sqlite {
    /// Opens what the URL names: `sqlite://FILE` or `sqlite::memory:`.
    pub(super) async fn open(
        url: &str,
        sealer: &Arc<Sealer>,
        options: OpenOptions,
    ) -> Result<Self, StorageError> {
        let path = path_of(url)?;
        let (path, sealer) = (path.to_owned(), sealer.clone());
        let runtime = Handle::current();
        // Opening waits for the disk, and for other processes that migrate.
        let opened = move || Self::open_path(&path, &sealer, options, &runtime);
        tokio::task::spawn_blocking(opened)
            .await
            .map_err(|_| StorageError::Panicked)?
    }

    fn open_path(
        path: &str,
        sealer: &Arc<Sealer>,
        options: OpenOptions,
        runtime: &Handle,
    ) -> Result<Self, StorageError> {
        let is_file = path != ":memory:";
        if is_file {
            create_file(Path::new(path), options)?;
        }
        let mut connection = connect(path)?;
        migrate::bring_up_to_date(&mut connection, options.migrate)?;
        let tx = Transaction::new(Connection::sqlite(connection, sealer.clone()));
        let (writer, queue) = mpsc::channel(writer::QUEUE);
        let handle = runtime.clone();
        spawn("sqlite writer", move || {
            handle.block_on(writer::run(tx, queue))
        })?;
        let readers = is_file
            .then(|| spawn_readers(path, sealer, runtime))
            .transpose()?;
        Ok(Self { writer, readers })
    }

    /// Runs a transaction in the next group.
    pub(super) async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let message = writer::Message::Run(Box::new(Write { job, answer }));
        self.writer.try_send(message).map_err(refusal)?;
        answered
            .await
            .unwrap_or_else(|_| Err(StorageError::Closed.into()))
    }

    /// Reads from a snapshot.
    pub(super) async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Box<dyn ReadJob> = Box::new(Read { read, answer });
        match &self.readers {
            Some(readers) => readers
                .try_send(reader::Message::Read(job))
                .map_err(refusal)?,
            None => self
                .writer
                .try_send(writer::Message::Read(job))
                .map_err(refusal)?,
        }
        answered
            .await
            .unwrap_or_else(|_| Err(StorageError::Closed.into()))
    }

    /// Waits for what is under way and closes every connection.
    pub(super) async fn close(&self) {
        // A queue that is closed, or an answer that never comes, means that it is done.
        for _ in 0..READERS {
            if let Some(readers) = &self.readers {
                let (closed, done) = oneshot::channel();
                if readers.send(reader::Message::Close(closed)).await.is_ok() {
                    let _ = done.await;
                }
            }
        }
        let (closed, done) = oneshot::channel();
        if self
            .writer
            .send(writer::Message::Close(closed))
            .await
            .is_ok()
        {
            let _ = done.await;
        }
    }
}

fn spawn_readers(
    path: &str,
    sealer: &Arc<Sealer>,
    runtime: &Handle,
) -> Result<mpsc::Sender<reader::Message>, StorageError> {
    let (readers, queue) = mpsc::channel(writer::QUEUE);
    let queue = Arc::new(Mutex::new(queue));
    for _ in 0..READERS {
        let connection = connect(path)?;
        control(&connection, "PRAGMA query_only = ON")?;
        let connection = Connection::sqlite(connection, sealer.clone());
        let (queue, runtime) = (queue.clone(), runtime.clone());
        spawn("sqlite reader", move || {
            reader::run(connection, &queue, &runtime)
        })?;
    }
    Ok(readers)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StorageError> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
    thread
        .map(drop)
        .map_err(|error| StorageError::Unavailable(Box::new(error)))
}

fn refusal<M>(error: mpsc::error::TrySendError<M>) -> StorageError {
    match error {
        mpsc::error::TrySendError::Full(_) => StorageError::Busy,
        mpsc::error::TrySendError::Closed(_) => StorageError::Closed,
    }
}

fn path_of(url: &str) -> Result<&str, StorageError> {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    match path {
        "" => Err(StorageError::Url("the file is missing".to_owned())),
        path if path.contains('?') => Err(StorageError::Url(
            "an sqlite url has no parameters".to_owned(),
        )),
        path => Ok(path),
    }
}

/// Creates the file where that is wanted, for its owner's eyes only.
fn create_file(path: &Path, options: OpenOptions) -> Result<(), StorageError> {
    if path.exists() {
        return Ok(());
    }
    if !options.create {
        return Err(StorageError::Missing(path.display().to_string()));
    }
    let mut create = std::fs::OpenOptions::new();
    create.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut create, 0o600);
    create
        .open(path)
        .map(drop)
        .map_err(|error| StorageError::Unavailable(Box::new(error)))
}

fn connect(path: &str) -> Result<rusqlite::Connection, StorageError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    for pragma in [
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA temp_store = MEMORY",
    ] {
        control(&connection, pragma)?;
    }
    Ok(connection)
}
