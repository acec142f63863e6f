//! The one writer of an SQLite database: group commit.
//!
//! Jobs wait in a bounded queue. The writer takes one, begins an immediate transaction, runs the job
//! inside a savepoint, then every job that is waiting by now (at most [`GROUP`]), and commits once:
//! many callers share one `fsync` and each is answered only after it. A job that fails or panics is
//! undone alone. Several processes may share a file: the transaction takes the write lock first.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{RwLock, mpsc, oneshot};

use super::connection::Transaction;
use crate::StorageError;

/// Jobs that share one commit at most: bounds how long the first of them waits.
const GROUP: usize = 64;

/// Jobs that wait at most; further ones are refused with [`StorageError::Busy`].
pub(super) const QUEUE: usize = 4096;

/// What the writer is asked to do.
pub(super) enum Message {
    /// Run a transaction.
    Run(Box<dyn Job>),
    /// Stop, close the connection and say so.
    Close(oneshot::Sender<()>),
}

/// A transaction to run, with its caller waiting for the answer.
pub(super) trait Job: Send {
    /// Runs the transaction up to, but without, its commit.
    fn run(self: Box<Self>, tx: &mut Transaction) -> BoxFuture<'_, Finished>;
    /// Answers without running it.
    fn refuse(self: Box<Self>, error: StorageError);
}

/// A job that ran and whose caller still waits.
pub(super) struct Finished {
    /// Whether its writes stay.
    keep: bool,
    /// Answers the caller, once the fate of the whole group is known.
    answer: Answer,
}

type Answer = Box<dyn FnOnce(Result<(), StorageError>) + Send>;

/// A job made from the closure of [`Store::write`](crate::Store::write).
pub(super) struct Write<F, T, E> {
    pub(super) job: F,
    pub(super) answer: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Write<F, T, E>
where
    F: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<StorageError> + Send + 'static,
{
    fn run(self: Box<Self>, tx: &mut Transaction) -> BoxFuture<'_, Finished> {
        Box::pin(async move {
            let Self { job, answer } = *self;
            let result = run_guarded(tx, job).await;
            // A refusal may rest on what an earlier job of the group wrote: it waits as well.
            Finished {
                keep: result.is_ok(),
                answer: Box::new(move |committed| {
                    // The caller may have gone away; the transaction stands all the same.
                    let _ = answer.send(match committed {
                        Ok(()) => result,
                        Err(error) => Err(error.into()),
                    });
                }),
            }
        })
    }

    fn refuse(self: Box<Self>, error: StorageError) {
        let _ = self.answer.send(Err(error.into()));
    }
}

/// Runs a job and the statements that end it; a panic becomes an error.
pub(super) async fn run_guarded<F, T, E>(tx: &mut Transaction, job: F) -> Result<T, E>
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

/// Takes jobs until the store is closed or its last clone is gone, then closes the connection.
///
/// `turns` keeps readers of an in-memory database out while a group runs.
pub(super) async fn run(
    mut tx: Transaction,
    mut queue: mpsc::Receiver<Message>,
    turns: Option<Arc<RwLock<()>>>,
) {
    let mut closed = None;
    while closed.is_none() {
        match queue.recv().await {
            Some(Message::Run(first)) => {
                let _turn = match &turns {
                    Some(lock) => Some(lock.write().await),
                    None => None,
                };
                closed = commit_group(&mut tx, first, &mut queue).await;
            }
            Some(Message::Close(answer)) => closed = Some(answer),
            None => break,
        }
    }
    if let Err(error) = tx.into_connection().end().await {
        tracing::warn!(%error, "the connection of the writer did not close cleanly");
    }
    if let Some(answer) = closed {
        let _ = answer.send(());
    }
}

/// Runs one group of jobs and answers every one of them; says whether it was asked to close.
async fn commit_group(
    tx: &mut Transaction,
    first: Box<dyn Job>,
    queue: &mut mpsc::Receiver<Message>,
) -> Option<oneshot::Sender<()>> {
    if let Err(error) = control(tx, "BEGIN IMMEDIATE; SAVEPOINT job").await {
        // It may have begun and only the savepoint failed; a second error says nothing new.
        let _ = control(tx, "ROLLBACK").await;
        first.refuse(error);
        return None;
    }
    let mut group = Group::default();
    let ran = group.run(tx, first, queue).await;
    let committed = match ran {
        Ok(()) => control(tx, "COMMIT").await,
        Err(error) => Err(error),
    };
    if committed.is_err() {
        let _ = control(tx, "ROLLBACK").await;
    }
    let committed = committed.map_err(Arc::new);
    for answer in group.answers {
        answer(committed.clone().map_err(StorageError::NotCommitted));
    }
    group.closed
}

/// The jobs that share a commit.
#[derive(Default)]
struct Group {
    answers: Vec<Answer>,
    closed: Option<oneshot::Sender<()>>,
}

impl Group {
    /// Runs the first job and those that wait behind it, each inside the savepoint.
    async fn run(
        &mut self,
        tx: &mut Transaction,
        first: Box<dyn Job>,
        queue: &mut mpsc::Receiver<Message>,
    ) -> Result<(), StorageError> {
        let mut next = Some(first);
        while let Some(job) = next {
            tx.restart();
            let finished = job.run(tx).await;
            self.answers.push(finished.answer);
            next = self.next(queue);
            let boundary = match (finished.keep, &next) {
                (true, None) => return Ok(()),
                (true, Some(_)) => control(tx, "RELEASE job; SAVEPOINT job").await,
                (false, _) => control(tx, "ROLLBACK TO job").await,
            };
            if let Err(error) = boundary {
                if let Some(waiting) = next {
                    waiting.refuse(StorageError::Busy);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// The next job of this group: one that waits already.
    fn next(&mut self, queue: &mut mpsc::Receiver<Message>) -> Option<Box<dyn Job>> {
        if self.answers.len() >= GROUP || self.closed.is_some() {
            return None;
        }
        match queue.try_recv().ok()? {
            Message::Run(job) => Some(job),
            Message::Close(answer) => {
                self.closed = Some(answer);
                None
            }
        }
    }
}

/// Runs a statement that steers the transaction itself.
async fn control(tx: &mut Transaction, sql: &'static str) -> Result<(), StorageError> {
    tx.execute(sql, Vec::new()).await.map(drop)
}
