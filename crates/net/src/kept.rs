//! A document that is kept, renewed when it is old, and used a little longer while it cannot be
//! renewed.
//!
//! The rules of `RS-30` and `N-150`: fresh as long as its sender said, within bounds; renewed by
//! one caller while the others wait for the result; a failure is remembered for ten seconds; the
//! last good document serves one hour beyond its end and not longer. The time comes from a
//! [`Clock`]; nothing here sleeps.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use symbolon_protocol::time::Timestamp;

use crate::clock::Clock;

/// Reuse when the sender does not say.
const DEFAULT_AGE: Duration = Duration::from_secs(3600);
/// Reuse whatever the sender says: at least and at most.
const MIN_AGE: Duration = Duration::from_secs(300);
const MAX_AGE: Duration = Duration::from_secs(24 * 3600);
/// Use of the last good document beyond its end.
const MAX_STALE: Duration = Duration::from_secs(3600);
/// Pause after a failure to renew an old document.
const FAILURE_PAUSE: Duration = Duration::from_secs(10);
/// Pause after an attempt to find something that the document lacks.
const INCOMPLETE_PAUSE: Duration = Duration::from_secs(30);

/// Why a document is renewed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reason {
    /// There is none, or it is old.
    Old,
    /// It lacks what a caller looks for.
    Incomplete,
}

/// A document and how long its sender lets it be reused.
pub(crate) type Fetched<T> = (T, Option<Duration>);

/// A kept document; `E` is why it could not be renewed.
pub(crate) struct Kept<T, E> {
    state: Mutex<State<T, E>>,
    /// Held while fetching.
    flight: tokio::sync::Mutex<()>,
}

struct State<T, E> {
    value: Option<(Arc<T>, Timestamp)>,
    /// Counts the documents that were stored.
    generation: u64,
    failure: Option<(Arc<E>, Timestamp)>,
    incomplete_at: Option<Timestamp>,
}

impl<T, E> Kept<T, E> {
    /// The document while it is fresh.
    pub(crate) fn fresh(&self, now: Timestamp) -> Option<Arc<T>> {
        let state = self.lock();
        let (value, fresh_until) = state.value.as_ref()?;
        (now < *fresh_until).then(|| Arc::clone(value))
    }

    /// Fetches the document again, unless another caller just did or a pause is on; then what there
    /// is, is used.
    ///
    /// # Errors
    /// The last failure, when there is no document that may be used.
    pub(crate) async fn renew<F>(
        &self,
        reason: Reason,
        clock: &dyn Clock,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<T>, Option<Arc<E>>>
    where
        F: Future<Output = Result<Fetched<T>, E>>,
    {
        let seen = self.lock().generation;
        let _flight = match self.flight.try_lock() {
            Ok(flight) => flight,
            // A document that may still be used spares everybody but one the wait for an issuer
            // that is slow.
            Err(_) if reason == Reason::Old && self.lock().usable(clock.now()).is_ok() => {
                return self.lock().usable(clock.now());
            }
            Err(_) => self.flight.lock().await,
        };
        if !self.lock().begin(reason, seen, clock.now()) {
            return self.lock().usable(clock.now());
        }
        match fetch().await {
            Ok((value, max_age)) => Ok(self.lock().store(Arc::new(value), max_age, clock.now())),
            Err(error) => {
                let mut state = self.lock();
                state.failure = Some((Arc::new(error), clock.now()));
                state.usable(clock.now())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, E> State<T, E> {
    /// Whether a caller that saw generation `seen` before it waited should fetch now.
    fn begin(&mut self, reason: Reason, seen: u64, now: Timestamp) -> bool {
        let is_within =
            |since: Option<Timestamp>, pause| since.is_some_and(|since| now.since(since) < pause);
        if self.generation != seen {
            return false;
        }
        match reason {
            Reason::Old => {
                let failed_at = self.failure.as_ref().map(|(_, at)| *at);
                !is_within(failed_at, FAILURE_PAUSE)
            }
            Reason::Incomplete if is_within(self.incomplete_at, INCOMPLETE_PAUSE) => false,
            Reason::Incomplete => {
                self.incomplete_at = Some(now);
                true
            }
        }
    }

    fn store(&mut self, value: Arc<T>, max_age: Option<Duration>, now: Timestamp) -> Arc<T> {
        let age = max_age.unwrap_or(DEFAULT_AGE).clamp(MIN_AGE, MAX_AGE);
        self.value = Some((Arc::clone(&value), now.plus(age)));
        self.generation += 1;
        self.failure = None;
        value
    }

    fn usable(&self, now: Timestamp) -> Result<Arc<T>, Option<Arc<E>>> {
        match &self.value {
            Some((value, fresh_until)) if now < fresh_until.plus(MAX_STALE) => {
                Ok(Arc::clone(value))
            }
            _ => Err(self.failure.as_ref().map(|(error, _)| Arc::clone(error))),
        }
    }
}

impl<T, E> Default for Kept<T, E> {
    fn default() -> Self {
        let state = State {
            value: None,
            generation: 0,
            failure: None,
            incomplete_at: None,
        };
        Self {
            state: Mutex::new(state),
            flight: tokio::sync::Mutex::new(()),
        }
    }
}
