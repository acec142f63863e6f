//! Revocation: what was issued to a grant, user, client, session or organization ends.
//!
//! [`revoke`] marks the rows that tokens hang on (so that nothing is issued from them any more) and
//! leaves news; every node reads it within a second into its [`RevocationIndex`], which refuses the
//! access tokens that are still out (design §4 rules 16 and 17).

mod index;
mod rows;
#[cfg(test)]
mod tests;

use symbolon_protocol::ids::{ClientId, GrantId, OrganizationId, SessionId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::time::Timestamp;

pub use index::{RevocationIndex, TokenFacts};

use crate::audit::{self, Action, AuditEvent, By};
use crate::engine::{Record, Row, args};
use crate::news::{Announcement, Topic};
use crate::{StorageError, Transaction};

/// What kind of thing a revocation names.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SubjectKind {
    /// A grant: one client's access to one server.
    Grant,
    /// A user, everywhere.
    User,
    /// A client of one of our authorization servers.
    Client,
    /// A browser session and what came out of it.
    Session,
    /// Everybody of an organization.
    Organization,
}

impl SubjectKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Grant,
        Self::User,
        Self::Client,
        Self::Session,
        Self::Organization,
    ];

    /// The name in audit events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::User => "user",
            Self::Client => "client",
            Self::Session => "session",
            Self::Organization => "organization",
        }
    }
}

/// What is revoked.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Subject {
    /// One client's access to one server.
    Grant(GrantId),
    /// Everything of a user: grants, refresh tokens and sessions.
    User(UserId),
    /// Everything a client holds at one of our authorization servers.
    Client(IssuerRole, ClientId),
    /// A browser session, and the tokens that came out of it.
    Session(SessionId),
    /// Everything of everybody of an organization.
    Organization(OrganizationId),
}

impl Subject {
    /// What kind of thing it is.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Self::Grant(_) => SubjectKind::Grant,
            Self::User(_) => SubjectKind::User,
            Self::Client(..) => SubjectKind::Client,
            Self::Session(_) => SubjectKind::Session,
            Self::Organization(_) => SubjectKind::Organization,
        }
    }

    /// Its name in news and audit events.
    pub fn name(&self) -> String {
        match self {
            Self::Grant(id) => id.to_string(),
            Self::User(id) => id.to_string(),
            Self::Client(role, id) => client_name(role, id),
            Self::Session(id) => id.to_string(),
            Self::Organization(id) => id.to_string(),
        }
    }
}

/// A client id has no space, a role neither: the pair is unambiguous.
fn client_name(role: &IssuerRole, id: &ClientId) -> String {
    format!("{role} {id}")
}

/// What [`revoke`] ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Revoked {
    /// Tokens issued up to then are refused.
    pub at: Timestamp,
    /// Grants that lived until now.
    pub grants: u64,
    /// Sessions that lived until now.
    pub sessions: u64,
}

/// Revokes: nothing is issued any more from what is revoked, and every node refuses what is out
/// within a second of the commit. What the subject is granted afterwards is not touched.
///
/// # Errors
/// [`StorageError`].
pub async fn revoke(
    tx: &mut Transaction,
    subject: &Subject,
    reason: &str,
    by: &By,
    now: Timestamp,
) -> Result<Revoked, StorageError> {
    let revoked = rows::mark(tx, subject, now).await?;
    let organization = organization_of(tx, subject).await?;
    let mut event = AuditEvent::new(Action::REVOKED, by, now)
        .with("kind", subject.kind().as_str())
        .with(subject.kind().as_str(), subject.name())
        .with("reason", reason)
        .with("grants", revoked.grants)
        .with("sessions", revoked.sessions);
    event.organization = organization;
    audit::append(tx, &event).await?;
    tx.announce(Announcement {
        topic: Topic::Revoked(subject.kind()),
        subject: subject.name(),
        at: revoked.at,
    });
    Ok(revoked)
}

/// Revocations before this time can refuse nothing any more.
pub(crate) fn remembered_since(now: Timestamp) -> Timestamp {
    now.minus(index::REMEMBERED)
}

struct Organization(OrganizationId);

impl Record for Organization {
    fn read(row: &Row) -> Result<Self, StorageError> {
        row.get("organization").map(Self)
    }
}

/// Whose audit trail the revocation belongs to; the deployment's for a client.
async fn organization_of(
    tx: &mut Transaction,
    subject: &Subject,
) -> Result<Option<OrganizationId>, StorageError> {
    let sql = match subject {
        Subject::Organization(id) => return Ok(Some(id.clone())),
        Subject::Client(IssuerRole::Idp(id), _) => return Ok(Some(id.clone())),
        Subject::Client(IssuerRole::As, _) => return Ok(None),
        Subject::Grant(_) => "SELECT organization FROM grants WHERE id = $1",
        Subject::User(_) => "SELECT organization FROM users WHERE id = $1",
        Subject::Session(_) => "SELECT organization FROM session WHERE id = $1",
    };
    let found: Option<Organization> = tx.fetch_optional(sql, args![subject.name()]).await?;
    Ok(found.map(|Organization(id)| id))
}
