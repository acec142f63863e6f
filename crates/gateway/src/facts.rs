//! What is known about a person, kept in memory (design §4 rules 12 and 13).
//!
//! Read from the database once, then kept until news says that something changed
//! ([`Facts::forget`]), the person is revoked, or a report about groups expires. A change that arrives while a person is
//! being read is never overwritten by what was read before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use symbolon_policy::Groups as PolicyGroups;
use symbolon_protocol::ids::UserId;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::group::{self, Groups};
use symbolon_storage::linked_identity::{self, ExternalSubject};
use symbolon_storage::revocation::TokenFacts;
use symbolon_storage::user::{self, User};
use symbolon_storage::{RevocationIndex, StorageError, Store};

/// People that are remembered at most.
const CAPACITY: u64 = 50_000;
/// Facts are read again after this long, whatever the news says.
const LIFETIME: Duration = Duration::from_secs(300);
/// A link is looked up again after this long.
const LINK_LIFETIME: Duration = Duration::from_secs(30);

/// What is known about a person.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// The person.
    pub(crate) user: User,
    groups: Groups,
    until: Option<Timestamp>,
    read_at: Timestamp,
}

impl Person {
    /// The groups, as policy asks for them.
    pub(crate) fn groups(&self) -> PolicyGroups<'_> {
        match &self.groups {
            Groups::Known(groups) => PolicyGroups::Known(groups),
            Groups::Unknown => PolicyGroups::Unknown,
        }
    }

    /// Whether nothing that was heard since could have changed it.
    fn is_current(&self, revocations: &RevocationIndex, now: Timestamp) -> bool {
        // Disabling a person is heard of as a revocation.
        let is_revoked_since = revocations.is_revoked(&TokenFacts {
            grant: None,
            user: Some(&self.user.id),
            client: None,
            session: None,
            organization: None,
            issued_at: self.read_at,
        });
        !is_revoked_since && self.until.is_none_or(|until| now < until)
    }
}

/// What is known about people.
pub(crate) struct Facts {
    store: Store,
    revocations: Arc<RevocationIndex>,
    people: Cache<UserId, Arc<Person>>,
    links: Cache<ExternalSubject, Option<UserId>>,
    /// Counts what was forgotten, to notice that it happened during a read.
    forgotten: AtomicU64,
}

impl Facts {
    /// Nothing is known yet.
    pub(crate) fn new(store: Store, revocations: Arc<RevocationIndex>) -> Self {
        Self {
            store,
            revocations,
            people: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_live(LIFETIME)
                .build(),
            links: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_live(LINK_LIFETIME)
                .build(),
            forgotten: AtomicU64::new(0),
        }
    }

    /// A person; `None` if there is none of that id.
    ///
    /// # Errors
    /// [`StorageError`]: 503.
    pub(crate) async fn person(
        &self,
        id: &UserId,
        now: Timestamp,
    ) -> Result<Option<Arc<Person>>, StorageError> {
        let known = self.people.get(id);
        if let Some(person) = known.filter(|known| known.is_current(&self.revocations, now)) {
            return Ok(Some(person));
        }
        let before = self.forgotten.load(Ordering::Acquire);
        let Some(person) = self.read(id.clone(), now).await?.map(Arc::new) else {
            return Ok(None);
        };
        // Nobody tells when a person is enabled again: until then each call asks.
        if person.user.is_active() {
            self.people.insert(id.clone(), Arc::clone(&person));
        }
        if self.forgotten.load(Ordering::Acquire) != before {
            self.people.invalidate(id);
        }
        Ok(Some(person))
    }

    async fn read(&self, id: UserId, now: Timestamp) -> Result<Option<Person>, StorageError> {
        let read = self.store.read(move |connection| {
            Box::pin(async move {
                let Some(user) = user::find_anywhere(connection, &id).await? else {
                    return Ok(None);
                };
                let facts = group::facts(connection, &id, now).await?;
                Ok(Some(Person {
                    user,
                    groups: facts.groups,
                    until: facts.until,
                    read_at: now,
                }))
            })
        });
        read.await
    }

    /// The person whom a connection's identity provider means; `None` if nobody is linked.
    ///
    /// # Errors
    /// [`StorageError`]: 503.
    pub(crate) async fn linked(
        &self,
        subject: &ExternalSubject,
    ) -> Result<Option<UserId>, StorageError> {
        if let Some(known) = self.links.get(subject) {
            return Ok(known);
        }
        let wanted = subject.clone();
        let read = self.store.read(move |connection| {
            Box::pin(async move { linked_identity::find(connection, &wanted).await })
        });
        let user: Option<User> = read.await?;
        let id = user.map(|user| user.id);
        self.links.insert(subject.clone(), id.clone());
        Ok(id)
    }

    /// Forgets a person, because news said that something about them changed.
    pub(crate) fn forget(&self, user: &str) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.people.invalidate(user);
    }
}
