//! Callers who did not authenticate, counted (design §4 rules 18 and 20).
//!
//! Nothing is written for a stranger: one event a minute at most says how many there were. It never
//! blocks anybody, and a full journal merely makes it wait.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use symbolon_protocol::time::Timestamp;
use symbolon_storage::audit::{Action, Actor, AuditEvent, By, Journal, Outcome};

/// How many failures of how long become one event.
const WINDOW: Duration = Duration::from_secs(60);

/// Failures since the last event.
#[derive(Debug, Default)]
pub(crate) struct Strangers(Mutex<Failures>);

#[derive(Debug, Default)]
struct Failures {
    since: Option<Timestamp>,
    /// By kind of fault, which is a closed set.
    counts: BTreeMap<&'static str, u64>,
}

impl Strangers {
    /// Counts one failure; the first after a minute takes all of that minute into the journal.
    pub(crate) fn count(&self, kind: &'static str, journal: &Journal, now: Timestamp) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *failures.counts.entry(kind).or_default() += 1;
        let since = *failures.since.get_or_insert(now);
        if now.since(since) >= WINDOW && journal.push(event(&failures.counts, since, now)).is_ok() {
            *failures = Failures::default();
        }
    }
}

fn event(counts: &BTreeMap<&'static str, u64>, since: Timestamp, now: Timestamp) -> AuditEvent {
    let by = By {
        actor: Actor::Stranger,
        request_id: String::new(),
    };
    let mut event = AuditEvent::new(Action::STRANGERS_FAILED, &by, now)
        .with("role", "gateway")
        .with_text("since", since);
    for (kind, count) in counts {
        event = event.with(kind, *count);
    }
    event.outcome(Outcome::Denied {
        reason: "no acceptable access token".to_owned(),
    })
}
