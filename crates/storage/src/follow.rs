//! Following the news: what other nodes did, and other processes on the same database.
//!
//! A follower reads what is new five times a second, and at once after a nudge, into the revocation
//! index; it tells about definitions, keys and facts that changed. A read that fails leaves the index
//! older: after a second the node answers 503 for what depends on it (design §4 rule 16).

use std::sync::Arc;
use std::time::Duration;

use symbolon_protocol::ids::UserId;
use symbolon_protocol::time::Timestamp;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::news::{self, News, Topic};
use crate::revocation::RevocationIndex;
use crate::{StorageError, Store};

/// How often news are read without a nudge.
pub const INTERVAL: Duration = Duration::from_millis(200);

/// What changed since the last read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Changes {
    /// Definitions: the directory and the policies are to be built again.
    pub definitions: bool,
    /// Signing keys.
    pub keys: bool,
    /// Users about whom something else is known now.
    pub facts: Vec<UserId>,
    /// Whether something was revoked; the index knows it already.
    pub revocations: bool,
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, news: &News) {
        match news.topic {
            Topic::Definitions => self.definitions = true,
            Topic::Keys => self.keys = true,
            Topic::Facts => self.facts.extend(UserId::parse(&news.subject).ok()),
            Topic::Revoked(_) => self.revocations = true,
        }
    }
}

/// Makes a follower read at once.
#[derive(Clone, Debug, Default)]
pub struct Nudge(Arc<Notify>);

impl Nudge {
    /// Something was written here: do not wait for the next round.
    pub fn nudge(&self) {
        self.0.notify_one();
    }
}

/// Reads the news of a database.
pub struct Follower {
    store: Store,
    index: Arc<RevocationIndex>,
    seq: i64,
    /// Read and not told yet: a later read of the same round failed.
    untold: Changes,
    nudge: Nudge,
}

impl Follower {
    /// Fills the index with the revocations that may still matter and stands at the newest news.
    ///
    /// Build the directory, the keys and everything else that is told about afterwards: a change in
    /// between is then told once too often rather than never.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn start(
        store: Store,
        index: Arc<RevocationIndex>,
        now: Timestamp,
    ) -> Result<Self, StorageError> {
        let (seq, news) = store
            .read::<_, StorageError, _>(move |c| {
                Box::pin(async move {
                    let remembered = crate::revocation::remembered_since(now);
                    Ok((news::last(c).await?, news::read_since(c, remembered).await?))
                })
            })
            .await?;
        index.learn(&news);
        index.mark_read(now);
        Ok(Self {
            store,
            index,
            seq,
            untold: Changes::default(),
            nudge: Nudge::default(),
        })
    }

    /// What makes it read at once.
    pub fn nudge(&self) -> Nudge {
        self.nudge.clone()
    }

    /// Reads everything that is new. `now` is taken before the read.
    ///
    /// # Errors
    /// [`StorageError`]; nothing is lost, the next call reads it.
    pub async fn poll(&mut self, now: Timestamp) -> Result<Changes, StorageError> {
        loop {
            let after = self.seq;
            let news = self
                .store
                .read(move |c| Box::pin(async move { news::read_after(c, after).await }))
                .await?;
            let Some(last) = news.last() else {
                break;
            };
            self.seq = last.seq;
            self.index.learn(&news);
            news.iter().for_each(|news| self.untold.add(news));
        }
        self.index.mark_read(now);
        Ok(std::mem::take(&mut self.untold))
    }

    /// Reads again and again until the future is dropped; `changed` is called when there is anything.
    pub async fn run(
        mut self,
        now: impl Fn() -> Timestamp + Send,
        mut changed: impl FnMut(Changes) + Send,
    ) {
        loop {
            match self.poll(now()).await {
                Ok(changes) if changes.is_empty() => {}
                Ok(changes) => changed(changes),
                Err(error) => tracing::error!(%error, "news could not be read"),
            }
            let nudge = self.nudge.clone();
            // Running out of time is the usual case.
            let _ = timeout(INTERVAL, nudge.0.notified()).await;
        }
    }
}
