//! How often strangers may make us fetch (design rule 20).
//!
//! A fetch on a stranger's word spends from the budget of the host it goes to and from the budget
//! of whoever asked, and few run at a time. Memory is bounded: counters that were not used for a
//! while are full again anyway.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use moka::sync::Cache;
use symbolon_protocol::time::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One fetch is earned back after this time.
const INTERVAL: Duration = Duration::from_secs(1);
/// So many fetches may follow each other at once.
const BURST: u32 = 30;
/// So many fetches for strangers run at a time in the whole process.
const CONCURRENT: usize = 32;
const REMEMBERED: u64 = 20_000;

/// The budget of fetches for strangers.
pub(crate) struct Budget {
    hosts: Counters<String>,
    askers: Counters<IpAddr>,
    running: Arc<Semaphore>,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self {
            hosts: Counters::new(),
            askers: Counters::new(),
            running: Arc::new(Semaphore::new(CONCURRENT)),
        }
    }

    /// Spends one fetch of `host` on behalf of `asker`; `None` when there is nothing left to spend.
    ///
    /// The fetch counts as running until the permit is dropped.
    pub(crate) fn spend(
        &self,
        host: &str,
        asker: Option<IpAddr>,
        now: Timestamp,
    ) -> Option<OwnedSemaphorePermit> {
        let running = Arc::clone(&self.running).try_acquire_owned().ok()?;
        // The asker first: one who has spent all must not use up the host's budget for others.
        let is_granted = asker.is_none_or(|asker| self.askers.spend(network_of(asker), now))
            && self.hosts.spend(host.to_owned(), now);
        is_granted.then_some(running)
    }
}

/// One subscriber of IPv6 has a /64: addresses inside it are one asker.
fn network_of(asker: IpAddr) -> IpAddr {
    match asker.to_canonical() {
        IpAddr::V6(address) => {
            let subscriber = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(subscriber))
        }
        v4 => v4,
    }
}

/// One leaky bucket per key, kept as the time at which it will be full again (GCRA).
struct Counters<K>(Cache<K, Arc<Mutex<Timestamp>>>);

impl<K: Hash + Eq + Send + Sync + 'static> Counters<K> {
    fn new() -> Self {
        let idle = INTERVAL * BURST * 2;
        Self(
            Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_idle(idle)
                .build(),
        )
    }

    fn spend(&self, key: K, now: Timestamp) -> bool {
        let counter = self.0.get_with(key, || Arc::new(Mutex::new(now)));
        let mut full_at = counter.lock().unwrap_or_else(PoisonError::into_inner);
        let next = (*full_at).max(now).plus(INTERVAL);
        let is_granted = next.since(now) <= INTERVAL * BURST;
        if is_granted {
            *full_at = next;
        }
        is_granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_795_201_200 + seconds)
    }

    fn asker(address: &str) -> Option<IpAddr> {
        Some(address.parse().expect("an address"))
    }

    #[test]
    fn a_host_is_fetched_from_in_bursts_and_then_once_a_second() {
        let budget = Budget::new();
        let granted = (0..100)
            .filter(|_| budget.spend("victim.example", None, at(0)).is_some())
            .count();
        assert_eq!(granted, 30);
        assert!(budget.spend("other.example", None, at(0)).is_some());
        assert!(budget.spend("victim.example", None, at(1)).is_some());
        assert!(budget.spend("victim.example", None, at(1)).is_none());
    }

    #[test]
    fn an_asker_cannot_spread_over_many_hosts_or_addresses_of_one_subscriber() {
        let budget = Budget::new();
        let granted = (0..100)
            .filter(|n| {
                let host = format!("host-{n}.example");
                let asker = asker(&format!("2606:4700::{n:x}"));
                budget.spend(&host, asker, at(0)).is_some()
            })
            .count();
        assert_eq!(granted, 30);
        assert!(
            budget
                .spend("host.example", asker("2606:4700:0:1::1"), at(0))
                .is_some()
        );
    }

    #[test]
    fn few_fetches_run_at_a_time() {
        let budget = Budget::new();
        let running: Vec<_> = (0..100)
            .filter_map(|n| budget.spend(&format!("host-{n}.example"), None, at(0)))
            .collect();
        assert_eq!(running.len(), CONCURRENT);
        drop(running);
        assert!(budget.spend("host.example", None, at(0)).is_some());
    }
}
