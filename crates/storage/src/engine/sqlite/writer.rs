//! The one writer of an SQLite database: group commit.
//!
//! Jobs wait in a bounded queue. The writer, a thread of its own, takes one, begins an immediate transaction, runs the job
//! inside a savepoint, then every job that is waiting by now (at most [`GROUP`]), and commits once:
//! many callers share one `fsync` and each is answered only after it. A job that fails or panics is
//! undone alone. Several processes may share a file: the transaction takes the write lock first.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::reader::ReadJob;
use crate::StorageError;
use crate::engine::connection::Transaction;
use crate::engine::run_guarded;

/// Jobs that share one commit at most: bounds how long the first of them waits.
const GROUP: usize = 64;

/// Jobs that wait at most; further ones are refused with [`StorageError::Busy`].
pub(in crate::engine) const QUEUE: usize = 4096;

/// What the writer is asked to do.
pub(super) enum Message {
    /// Run a transaction.
    Run(Box<dyn Job>),
    /// Read, for a database in memory, which has no connection but this one.
    Read(Box<dyn ReadJob>),
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

/// Takes jobs until the store is closed or its last clone is gone, then closes the connection.
pub(super) async fn run(mut tx: Transaction, mut queue: mpsc::Receiver<Message>) {
    let mut next = queue.recv().await;
    while let Some(message) = next {
        next = match message {
            Message::Run(first) => commit_group(&mut tx, first, &mut queue).await,
            Message::Read(job) => {
                read(&mut tx, job).await;
                None
            }
            Message::Close(closed) => {
                // Whoever asks next finds the queue closed.
                drop((tx, queue));
                let _ = closed.send(());
                return;
            }
        };
        if next.is_none() {
            next = queue.recv().await;
        }
    }
}

/// Reads with the connection that otherwise writes.
async fn read(tx: &mut Transaction, job: Box<dyn ReadJob>) {
    let switched = tx.control("PRAGMA query_only = ON");
    job.run(tx).await;
    if let Err(error) = switched.and_then(|()| tx.control("PRAGMA query_only = OFF")) {
        tracing::error!(%error, "the connection could not be switched between reading and writing");
    }
}

/// Runs one group of jobs and answers every one of them; returns a message that came after them.
async fn commit_group(
    tx: &mut Transaction,
    first: Box<dyn Job>,
    queue: &mut mpsc::Receiver<Message>,
) -> Option<Message> {
    let begun = match tx.control("BEGIN IMMEDIATE") {
        Ok(()) => tx.control("SAVEPOINT job"),
        Err(error) => Err(error),
    };
    if let Err(error) = begun {
        // It may have begun and only the savepoint failed; a second error says nothing new.
        let _ = tx.control("ROLLBACK");
        first.refuse(error);
        return None;
    }
    let mut group = Group::default();
    let ran = group.run(tx, first, queue).await;
    let committed = match ran {
        Ok(()) => tx.control("COMMIT"),
        Err(error) => Err(error),
    };
    if committed.is_err() {
        let _ = tx.control("ROLLBACK");
    }
    let committed = committed.map_err(Arc::new);
    for answer in group.answers {
        answer(committed.clone().map_err(StorageError::NotCommitted));
    }
    group.after
}

/// The jobs that share a commit.
#[derive(Default)]
struct Group {
    answers: Vec<Answer>,
    /// A message that is no job of the group; it ended the group.
    after: Option<Message>,
}

impl Group {
    /// Runs the first job and those that wait behind it, each inside the savepoint.
    async fn run(
        &mut self,
        tx: &mut Transaction,
        first: Box<dyn Job>,
        queue: &mut mpsc::Receiver<Message>,
    ) -> Result<(), StorageError> {
        let mut job = first;
        loop {
            tx.restart();
            let finished = job.run(tx).await;
            self.answers.push(finished.answer);
            if !finished.keep {
                tx.control("ROLLBACK TO job")?;
            }
            job = match self.next(queue) {
                Some(waiting) => waiting,
                None => return Ok(()),
            };
            if finished.keep
                && let Err(error) = renew_savepoint(tx)
            {
                job.refuse(StorageError::Busy);
                return Err(error);
            }
        }
    }

    /// The next job of this group: one that waits already.
    fn next(&mut self, queue: &mut mpsc::Receiver<Message>) -> Option<Box<dyn Job>> {
        if self.answers.len() >= GROUP {
            return None;
        }
        match queue.try_recv().ok()? {
            Message::Run(job) => Some(job),
            other => {
                self.after = Some(other);
                None
            }
        }
    }
}

/// Keeps what the last job wrote, whatever the next one does.
fn renew_savepoint(tx: &mut Transaction) -> Result<(), StorageError> {
    tx.control("RELEASE job")?;
    tx.control("SAVEPOINT job")
}
