//! What was revoked lately, in memory: asked on every request, filled from news.
//!
//! Reads take no lock. An entry is forgotten when the last access token it could refuse has expired;
//! refresh tokens ask the database. A node that could not read news lately must not decide from this
//! index: [`RevocationIndex::is_fresh`].

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use symbolon_protocol::ids::{ClientId, GrantId, OrganizationId, SessionId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::time::Timestamp;
use tokio::sync::watch;

use super::{SubjectKind, client_name};
use crate::news::{News, Topic};

/// The longest life of an access token, and how far clocks of nodes may differ.
pub(crate) const REMEMBERED: Duration = Duration::from_secs((60 + 5) * 60);

/// How old the last good read of news may be.
const FRESH: Duration = Duration::from_secs(1);

/// What a token says that a revocation may name.
#[derive(Clone, Copy, Debug)]
pub struct TokenFacts<'a> {
    /// The grant it belongs to.
    pub grant: Option<&'a GrantId>,
    /// The user it acts for.
    pub user: Option<&'a UserId>,
    /// The client it was issued to, and where.
    pub client: Option<(&'a IssuerRole, &'a ClientId)>,
    /// The browser session it came out of.
    pub session: Option<&'a SessionId>,
    /// The organization it was issued in.
    pub organization: Option<&'a OrganizationId>,
    /// When it was issued.
    pub issued_at: Timestamp,
}

/// Revoked at, by name; one map for each kind of subject.
#[derive(Clone, Debug, Default)]
struct Entries {
    grants: HashMap<Box<str>, Timestamp>,
    users: HashMap<Box<str>, Timestamp>,
    clients: HashMap<Box<str>, Timestamp>,
    sessions: HashMap<Box<str>, Timestamp>,
    organizations: HashMap<Box<str>, Timestamp>,
}

impl Entries {
    fn of(&mut self, kind: SubjectKind) -> &mut HashMap<Box<str>, Timestamp> {
        match kind {
            SubjectKind::Grant => &mut self.grants,
            SubjectKind::User => &mut self.users,
            SubjectKind::Client => &mut self.clients,
            SubjectKind::Session => &mut self.sessions,
            SubjectKind::Organization => &mut self.organizations,
        }
    }

    fn maps(&self) -> [&HashMap<Box<str>, Timestamp>; 5] {
        [
            &self.grants,
            &self.users,
            &self.clients,
            &self.sessions,
            &self.organizations,
        ]
    }

    /// Whether there are entries that can refuse nothing any more.
    fn has_stale(&self, now: Timestamp) -> bool {
        self.maps()
            .into_iter()
            .flat_map(HashMap::values)
            .any(|at| is_stale(*at, now))
    }
}

fn is_stale(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) > REMEMBERED
}

/// What was revoked lately. Shared by everything that accepts tokens.
#[derive(Debug)]
pub struct RevocationIndex {
    entries: ArcSwap<Entries>,
    changing: Mutex<()>,
    read_at: AtomicI64,
    changes: watch::Sender<u64>,
}

impl Default for RevocationIndex {
    fn default() -> Self {
        Self {
            entries: ArcSwap::default(),
            changing: Mutex::new(()),
            read_at: AtomicI64::new(i64::MIN),
            changes: watch::Sender::new(0),
        }
    }
}

impl RevocationIndex {
    /// Whether a token must be refused.
    ///
    /// A revoked grant or session refuses every token of it; any other subject the tokens issued up
    /// to its revocation. Times of issue are whole seconds: a token of the same second is refused.
    pub fn is_revoked(&self, token: &TokenFacts<'_>) -> bool {
        let entries = self.entries.load();
        let before = |at: Option<&Timestamp>| at.is_some_and(|at| token.issued_at <= *at);
        // A client is looked up by a name that has to be made: not where no client is revoked.
        let client = token.client.filter(|_| !entries.clients.is_empty());
        token
            .grant
            .is_some_and(|id| entries.grants.contains_key(id.as_str()))
            || token
                .session
                .is_some_and(|id| entries.sessions.contains_key(id.as_str()))
            || token
                .user
                .is_some_and(|id| before(entries.users.get(id.as_str())))
            || client.is_some_and(|(role, id)| {
                before(entries.clients.get(client_name(role, id).as_str()))
            })
            || token
                .organization
                .is_some_and(|id| before(entries.organizations.get(id.as_str())))
    }

    /// Whether the last good read of news is at most a second old. If not, what depends on this
    /// index is answered with 503 and the node is not ready.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        let read_at = self.read_at.load(Ordering::Acquire);
        read_at != i64::MIN && now.since(Timestamp::from_micros(read_at)) <= FRESH
    }

    /// Changes whenever something was revoked: open streams look again then.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Takes in revocations among the news.
    pub fn learn(&self, news: &[News]) {
        let revocations = news.iter().filter_map(|news| match news.topic {
            Topic::Revoked(kind) => Some((kind, news)),
            _ => None,
        });
        let revocations: Vec<_> = revocations.collect();
        if revocations.is_empty() {
            return;
        }
        self.change(|entries| {
            for (kind, news) in &revocations {
                let at = entries
                    .of(*kind)
                    .entry(news.subject.as_str().into())
                    .or_default();
                *at = news.at.max(*at);
            }
        });
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Notes that all news up to a time were read, and forgets what can refuse nothing any more.
    pub fn mark_read(&self, now: Timestamp) {
        self.read_at.fetch_max(now.micros(), Ordering::AcqRel);
        if self.entries.load().has_stale(now) {
            self.change(|entries| {
                for kind in SubjectKind::ALL {
                    entries.of(kind).retain(|_, at| !is_stale(*at, now));
                }
            });
        }
    }

    fn change(&self, change: impl FnOnce(&mut Entries)) {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = Entries::clone(&self.entries.load());
        change(&mut entries);
        self.entries.store(entries.into());
    }
}
