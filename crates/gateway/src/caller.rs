//! Who calls: a verified token with what is known now about the person behind it.
//!
//! Asked on every request, whatever is remembered of the token: is the person active, was anything
//! revoked that the token hangs on (design §4 rules 16 and 17).

use std::sync::Arc;

use symbolon_policy::Principal;
use symbolon_protocol::ids::{ClientId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::audit::Actor;
use symbolon_storage::{RevocationIndex, StorageError};

use crate::facts::{Facts, Person};
use crate::session_binding::SessionOwner;
use crate::token::{Subject, VerifiedToken};

/// A caller whose token holds now.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    token: Arc<VerifiedToken>,
    who: Who,
}

#[derive(Clone, Debug)]
enum Who {
    Person(Arc<Person>),
    Client(ClientId),
}

/// Why a verified token is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallerError {
    /// It, or what it hangs on, was revoked: 401.
    #[error("the token was revoked")]
    Revoked,
    /// The person does not exist, is disabled, or belongs to another organization: 401.
    #[error("the person of the token is not active in its organization")]
    Inactive,
    /// Nobody is linked to the subject of a foreign token: 403, another token would not help.
    #[error("nobody is linked to the subject of the token: sign in once through the connection")]
    Unlinked,
    /// What is known about the person could not be read: 503.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Caller {
    /// Finds out who is behind a token, and whether it still holds.
    ///
    /// # Errors
    /// [`CallerError`].
    pub(crate) async fn find(
        token: Arc<VerifiedToken>,
        facts: &Facts,
        revocations: &RevocationIndex,
        now: Timestamp,
    ) -> Result<Self, CallerError> {
        let who = match &token.subject {
            Subject::User(id) => Who::active(id, &token, facts, revocations, now).await?,
            Subject::External(subject) => {
                let id = facts.linked(subject).await?.ok_or(CallerError::Unlinked)?;
                Who::active(&id, &token, facts, revocations, now).await?
            }
            Subject::Client(_) if token.is_revoked(None, revocations) => {
                return Err(CallerError::Revoked);
            }
            Subject::Client(id) => Who::Client(id.clone()),
        };
        Ok(Self { token, who })
    }

    /// Whether the token, or what it hangs on, was revoked.
    fn is_revoked(&self, revocations: &RevocationIndex) -> bool {
        self.token.is_revoked(self.user(), revocations)
    }

    /// Whether the token still holds: for answers that stream on after it was checked.
    pub(crate) fn holds(&self, revocations: &RevocationIndex, now: Timestamp) -> bool {
        now < self.token.expires_at && revocations.is_fresh(now) && !self.is_revoked(revocations)
    }

    /// The token.
    pub(crate) fn token(&self) -> &VerifiedToken {
        &self.token
    }

    /// The person; none where a client acts for itself.
    pub(crate) fn user(&self) -> Option<&UserId> {
        match &self.who {
            Who::Person(person) => Some(&person.user.id),
            Who::Client(_) => None,
        }
    }

    /// The id of the person, or of the client that acts for itself.
    pub(crate) fn id(&self) -> &str {
        match &self.who {
            Who::Person(person) => person.user.id.as_str(),
            Who::Client(id) => id.as_str(),
        }
    }

    /// The email address of the person.
    pub(crate) fn email(&self) -> Option<&str> {
        match &self.who {
            Who::Person(person) => person.user.email.as_deref(),
            Who::Client(_) => None,
        }
    }

    /// The caller as policy knows it.
    pub(crate) fn principal(&self) -> Principal<'_> {
        match &self.who {
            Who::Person(person) => Principal::User {
                id: &person.user.id,
                email: person.user.email.as_deref(),
                groups: person.groups(),
            },
            Who::Client(id) => Principal::Client { id },
        }
    }

    /// The caller as the audit trail knows it.
    pub(crate) fn actor(&self) -> Actor {
        match &self.who {
            Who::Person(person) => Actor::User(person.user.id.clone()),
            Who::Client(id) => Actor::Client(IssuerRole::As, id.clone()),
        }
    }

    /// To whom a session of this caller belongs.
    pub(crate) fn session_owner(&self) -> SessionOwner<'_> {
        SessionOwner {
            server: &self.token.server,
            subject: self.id(),
            client: self
                .token
                .client
                .as_ref()
                .map_or("", |client| client.as_str()),
        }
    }
}

impl Who {
    /// The person of a token that was not revoked, if active in the token's organization.
    async fn active(
        id: &UserId,
        token: &VerifiedToken,
        facts: &Facts,
        revocations: &RevocationIndex,
        now: Timestamp,
    ) -> Result<Self, CallerError> {
        // First, so that a revoked token costs no read.
        if token.is_revoked(Some(id), revocations) {
            return Err(CallerError::Revoked);
        }
        let person = facts.person(id, now).await?;
        let person = person.filter(|person| {
            person.user.is_active() && person.user.organization == token.organization
        });
        person.map(Self::Person).ok_or(CallerError::Inactive)
    }
}
