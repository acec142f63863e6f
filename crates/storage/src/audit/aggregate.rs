//! Failures of callers who did not authenticate: counted, and recorded once a minute.
//!
//! Anybody can cause such failures, so none of them writes a row of its own: they are counted by
//! organization, kind and source, at most [`QUOTA`] different ones a minute; beyond that, by kind
//! alone. Noting one never waits and never fails (design §4 rule 18).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::time::Timestamp;

use super::append::append_many;
use super::{Action, Actor, AuditEvent, By, Outcome};
use crate::{StorageError, Store};

/// How long failures are counted together.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// Different (organization, kind, source) that a window tells apart.
pub(super) const QUOTA: usize = 200;

#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Bucket {
    organization: Option<OrganizationId>,
    kind: &'static str,
    /// `None`: the quota was used up.
    source: Option<IpAddr>,
}

#[derive(Debug)]
struct Window {
    start: Timestamp,
    counts: HashMap<Bucket, u64>,
}

/// Counts failures of strangers.
#[derive(Debug, Default)]
pub struct StrangerFailures {
    window: Mutex<Option<Window>>,
}

impl StrangerFailures {
    /// Counts one failure. `kind` is one of a few constant names, such as `invalid_client`.
    pub fn note(
        &self,
        organization: Option<&OrganizationId>,
        kind: &'static str,
        source: IpAddr,
        now: Timestamp,
    ) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let window = window.get_or_insert_with(|| Window {
            start: now,
            counts: HashMap::new(),
        });
        let bucket = Bucket {
            organization: organization.cloned(),
            kind,
            source: Some(source),
        };
        let is_known = window.counts.contains_key(&bucket);
        let bucket = if is_known || window.counts.len() < QUOTA {
            bucket
        } else {
            Bucket {
                organization: None,
                kind,
                source: None,
            }
        };
        *window.counts.entry(bucket).or_default() += 1;
    }

    /// Records the failures of a window that is over; answers how many events that made.
    ///
    /// # Errors
    /// [`StorageError`]; the counts are kept for the next time.
    pub async fn record(&self, store: &Store, now: Timestamp) -> Result<usize, StorageError> {
        let Some(window) = self.take(now) else {
            return Ok(0);
        };
        let events = window.events(now);
        let count = events.len();
        let written: Result<(), StorageError> = store
            .write(move |tx| Box::pin(async move { append_many(tx, &events).await }))
            .await;
        if written.is_err() {
            self.put_back(window);
        }
        written.map(|()| count)
    }

    fn take(&self, now: Timestamp) -> Option<Window> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.take_if(|window| now.since(window.start) >= WINDOW)
    }

    fn put_back(&self, failed: Window) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        match window.as_mut() {
            None => *window = Some(failed),
            Some(newer) => {
                newer.start = failed.start;
                for (bucket, count) in failed.counts {
                    *newer.counts.entry(bucket).or_default() += count;
                }
            }
        }
    }
}

impl Window {
    fn events(&self, now: Timestamp) -> Vec<AuditEvent> {
        let by = By {
            actor: Actor::Stranger,
            request_id: String::new(),
        };
        let mut buckets: Vec<_> = self.counts.iter().collect();
        buckets.sort();
        let event = |(bucket, count): (&Bucket, &u64)| {
            let source = bucket
                .source
                .map_or_else(|| "others".to_owned(), |ip| ip.to_string());
            let event = AuditEvent::new(Action::STRANGERS_FAILED, &by, now)
                .outcome(Outcome::Denied {
                    reason: bucket.kind.to_owned(),
                })
                .with("source_address", source)
                .with("count", *count)
                .with_text("since", self.start);
            match &bucket.organization {
                Some(organization) => event.of(organization),
                None => event,
            }
        };
        buckets.into_iter().map(event).collect()
    }
}
