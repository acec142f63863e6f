//! Readers of an SQLite database: a few threads that take jobs from one queue.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::StorageError;
use crate::engine::connection::Connection;

/// What a reader is asked to do.
pub(super) enum Message {
    /// Read.
    Read(Box<dyn ReadJob>),
    /// Stop, close the connection and say so.
    Close(oneshot::Sender<()>),
}

/// Something to read, with its caller waiting for the answer.
pub(super) trait ReadJob: Send {
    /// Reads from one snapshot and answers.
    fn run(self: Box<Self>, connection: &mut Connection) -> BoxFuture<'_, ()>;
}

/// A job made from the closure of [`Store::read`](crate::Store::read).
pub(super) struct Read<F, T, E> {
    pub(super) read: F,
    pub(super) answer: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> ReadJob for Read<F, T, E>
where
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<StorageError> + Send + 'static,
{
    fn run(self: Box<Self>, connection: &mut Connection) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Self { read, answer } = *self;
            let result = snapshot(connection, read).await;
            // The caller may have gone away.
            let _ = answer.send(result);
        })
    }
}

/// Runs a read inside a transaction; a panic becomes an error. The connection refuses to write.
async fn snapshot<F, T, E>(connection: &mut Connection, read: F) -> Result<T, E>
where
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>>,
    E: From<StorageError>,
{
    connection.control("BEGIN")?;
    let guarded = AssertUnwindSafe(async { read(&mut *connection).await });
    let result = guarded.catch_unwind().await;
    // Nothing was written: how it ends makes no difference.
    connection.control("ROLLBACK")?;
    result.unwrap_or_else(|_panic| Err(StorageError::Panicked.into()))
}

/// Takes jobs until the store is closed or its last clone is gone; runs on a thread of its own.
pub(super) fn run(
    mut connection: Connection,
    queue: &Arc<Mutex<mpsc::Receiver<Message>>>,
    runtime: &Handle,
) {
    loop {
        let message = queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv();
        match message {
            Some(Message::Read(job)) => runtime.block_on(job.run(&mut connection)),
            Some(Message::Close(closed)) => {
                drop(connection);
                let _ = closed.send(());
                return;
            }
            None => return,
        }
    }
}
