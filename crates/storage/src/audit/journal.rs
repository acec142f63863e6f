//! The journal: audit events of calls, written behind the request in batches.
//!
//! **Crash window:** an event is durable at most [`WINDOW`] plus one write after [`Journal::push`]; a
//! process that is killed loses what it pushed since. A full journal refuses: the caller answers 503
//! rather than letting a call go unrecorded (design §4 rule 18).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::AuditEvent;
use super::append::append_many;
use crate::{StorageError, Store};

/// How long events wait for company before they are written.
pub(super) const WINDOW: Duration = Duration::from_millis(200);

/// Events that wait at most, unless said otherwise.
pub const CAPACITY: usize = 8192;

/// Events of one write at most.
const BATCH: usize = 1024;

/// The journal holds as many events as it may.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the audit journal is full")]
pub struct JournalFull;

/// Takes events and writes them soon. Cheap to clone; ends with its last clone.
#[derive(Clone, Debug)]
pub struct Journal {
    queue: mpsc::Sender<Item>,
}

#[derive(Debug)]
enum Item {
    Event(Box<AuditEvent>),
    Flush(oneshot::Sender<()>),
}

impl Journal {
    /// Starts a journal that holds at most `capacity` events, and its writing task.
    pub fn start(store: Store, capacity: usize) -> Self {
        let (queue, items) = mpsc::channel(capacity.max(1));
        tokio::spawn(run(store, items));
        Self { queue }
    }

    /// Takes an event. Never waits.
    ///
    /// # Errors
    /// [`JournalFull`]: the call must be refused with 503.
    pub fn push(&self, event: AuditEvent) -> Result<(), JournalFull> {
        self.queue
            .try_send(Item::Event(Box::new(event)))
            .map_err(|_| JournalFull)
    }

    /// Waits until everything pushed so far is durable: at shutdown, and before reading.
    ///
    /// # Errors
    /// [`StorageError::Closed`] when the writing task is gone.
    pub async fn flush(&self) -> Result<(), StorageError> {
        let (written, done) = oneshot::channel();
        self.queue
            .send(Item::Flush(written))
            .await
            .map_err(|_| StorageError::Closed)?;
        done.await.map_err(|_| StorageError::Closed)
    }
}

async fn run(store: Store, mut items: mpsc::Receiver<Item>) {
    while let Some(first) = items.recv().await {
        let mut batch = Batch::default();
        batch.add(first);
        let end = Instant::now() + WINDOW;
        while !batch.is_due() {
            match timeout_at(end, items.recv()).await {
                Ok(Some(item)) => batch.add(item),
                Ok(None) | Err(_) => break,
            }
        }
        if !batch.write(&store).await {
            return;
        }
    }
}

/// Events that are written together, and who waits for that.
#[derive(Default)]
struct Batch {
    events: Vec<AuditEvent>,
    flushes: Vec<oneshot::Sender<()>>,
}

impl Batch {
    fn add(&mut self, item: Item) {
        match item {
            Item::Event(event) => self.events.push(*event),
            Item::Flush(written) => self.flushes.push(written),
        }
    }

    fn is_due(&self) -> bool {
        self.events.len() >= BATCH || !self.flushes.is_empty()
    }

    /// Writes until it succeeds; meanwhile the queue fills up and new events are refused.
    async fn write(self, store: &Store) -> bool {
        let events: Arc<[AuditEvent]> = self.events.into();
        while !events.is_empty() {
            let events = events.clone();
            let written: Result<(), StorageError> = store
                .write(move |tx| Box::pin(async move { append_many(tx, &events).await }))
                .await;
            match written {
                Ok(()) => break,
                Err(StorageError::Closed) => {
                    tracing::error!("audit events of calls were lost: the store is closed");
                    return false;
                }
                Err(error) => {
                    tracing::error!(%error, "audit events of calls wait: the database failed");
                    sleep_until(Instant::now() + WINDOW).await;
                }
            }
        }
        for written in self.flushes {
            // Nobody waits any more: fine.
            let _ = written.send(());
        }
        true
    }
}
