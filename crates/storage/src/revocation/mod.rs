//! Revocation: what was issued to a grant, user, client, session or organization ends.
//!
//! [`revoke`] marks the rows that tokens hang on (so that nothing is issued from them any more) and
//! leaves news; every node reads it within a second into its [`RevocationIndex`], which refuses the
//! access tokens that are still out (design §4 rules 16 and 17).

mod index;
#[cfg(test)]
mod tests;

use symbolon_protocol::ids::{ClientId, GrantId, OrganizationId, SessionId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::time::Timestamp;

pub use index::{RevocationIndex, TokenFacts};

use crate::audit::{self, Action, AuditEvent, By};
use crate::engine::{Record, Row, Value, args};
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
    let statements = Statements::of(subject);
    keep_additions_out(tx, subject).await?;
    let revoked = mark(tx, subject, &statements, now).await?;
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

struct Held;

impl Record for Held {
    fn read(_: &Row) -> Result<Self, StorageError> {
        Ok(Self)
    }
}

/// Waits for transactions that are adding to what is revoked, and lets no other one begin: what they
/// add would be overlooked. Who adds to a user, session or grant holds its row ([`user::hold`] and
/// the like); the rows of a grant and a session are changed here anyway.
///
/// [`user::hold`]: crate::user
async fn keep_additions_out(tx: &mut Transaction, subject: &Subject) -> Result<(), StorageError> {
    match subject {
        Subject::Grant(_) | Subject::Session(_) => Ok(()),
        Subject::User(id) => {
            let sql = "SELECT id FROM users WHERE id = $1 FOR UPDATE";
            tx.fetch_held::<Held>(sql, args![id]).await.map(drop)
        }
        Subject::Client(..) | Subject::Organization(_) => {
            tx.keep_writers_out(
                "LOCK TABLE session, grants, authorization_code, refresh_family
                 IN SHARE ROW EXCLUSIVE MODE",
            )
            .await
        }
    }
}

/// What marks the rows of a subject; `$1` is the time, what follows names the subject.
struct Statements {
    grants: Option<&'static str>,
    families: &'static str,
    codes: &'static str,
    sessions: Option<&'static str>,
}

impl Statements {
    fn of(subject: &Subject) -> Self {
        match subject {
            Subject::Grant(_) => Self {
                grants: Some(
                    "UPDATE grants SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
                ),
                families: "UPDATE refresh_family SET revoked_at = $1
                    WHERE grant_id = $2 AND revoked_at IS NULL",
                codes: "DELETE FROM authorization_code WHERE grant_id = $1 AND redeemed_at IS NULL",
                sessions: None,
            },
            Subject::User(_) => Self {
                grants: Some(
                    "UPDATE grants SET revoked_at = $1 WHERE user_id = $2 AND revoked_at IS NULL",
                ),
                families: "UPDATE refresh_family SET revoked_at = $1 WHERE revoked_at IS NULL
                    AND grant_id IN (SELECT id FROM grants WHERE user_id = $2)",
                codes: "DELETE FROM authorization_code WHERE redeemed_at IS NULL
                    AND grant_id IN (SELECT id FROM grants WHERE user_id = $1)",
                sessions: Some(
                    "UPDATE session SET ended_at = $1 WHERE user_id = $2 AND ended_at IS NULL",
                ),
            },
            Subject::Client(..) => Self {
                grants: Some(
                    "UPDATE grants SET revoked_at = $1
                     WHERE client_id = $2 AND role = $3 AND revoked_at IS NULL",
                ),
                families: "UPDATE refresh_family SET revoked_at = $1 WHERE revoked_at IS NULL
                    AND grant_id IN (SELECT id FROM grants WHERE client_id = $2 AND role = $3)",
                codes: "DELETE FROM authorization_code WHERE redeemed_at IS NULL
                    AND grant_id IN (SELECT id FROM grants WHERE client_id = $1 AND role = $2)",
                sessions: None,
            },
            // A grant may serve other sessions of its user as well: only what came out of this one
            // ends, and its access tokens name the session.
            Subject::Session(_) => Self {
                grants: None,
                families: "UPDATE refresh_family SET revoked_at = $1
                    WHERE session_id = $2 AND revoked_at IS NULL",
                codes: "DELETE FROM authorization_code WHERE session_id = $1 AND redeemed_at IS NULL",
                sessions: Some(
                    "UPDATE session SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL",
                ),
            },
            Subject::Organization(_) => Self {
                grants: Some(
                    "UPDATE grants SET revoked_at = $1
                     WHERE organization = $2 AND revoked_at IS NULL",
                ),
                families: "UPDATE refresh_family SET revoked_at = $1 WHERE revoked_at IS NULL
                    AND grant_id IN (SELECT id FROM grants WHERE organization = $2)",
                codes: "DELETE FROM authorization_code WHERE redeemed_at IS NULL
                    AND grant_id IN (SELECT id FROM grants WHERE organization = $1)",
                sessions: Some(
                    "UPDATE session SET ended_at = $1 WHERE organization = $2 AND ended_at IS NULL",
                ),
            },
        }
    }
}

/// The arguments that name the subject.
fn named(subject: &Subject) -> Vec<Value> {
    match subject {
        Subject::Grant(id) => args![id],
        Subject::User(id) => args![id],
        Subject::Client(role, id) => args![id, role],
        Subject::Session(id) => args![id],
        Subject::Organization(id) => args![id],
    }
}

async fn mark(
    tx: &mut Transaction,
    subject: &Subject,
    statements: &Statements,
    now: Timestamp,
) -> Result<Revoked, StorageError> {
    let at = now.max(last_issued(tx, subject).await?);
    let timed = || {
        let mut arguments = args![at];
        arguments.extend(named(subject));
        arguments
    };
    let mut revoked = Revoked {
        at,
        grants: 0,
        sessions: 0,
    };
    if let Some(sql) = statements.grants {
        revoked.grants = tx.execute(sql, timed()).await?;
    }
    if let Some(sql) = statements.sessions {
        revoked.sessions = tx.execute(sql, timed()).await?;
    }
    tx.execute(statements.families, timed()).await?;
    tx.execute(statements.codes, named(subject)).await?;
    Ok(revoked)
}

struct Latest(Option<Timestamp>);

impl Record for Latest {
    fn read(row: &Row) -> Result<Self, StorageError> {
        row.get("latest").map(Self)
    }
}

/// When a token was last issued to the subject: a request that began after this one may have been
/// faster, and its token must not outlive the revocation.
async fn last_issued(tx: &mut Transaction, subject: &Subject) -> Result<Timestamp, StorageError> {
    // Refreshing touches the family only.
    let sql = match subject {
        // The index refuses these whatever the time of issue.
        Subject::Grant(_) | Subject::Session(_) => return Ok(Timestamp::default()),
        Subject::User(_) => {
            "SELECT max(at) AS latest FROM (
                 SELECT last_used_at AS at FROM grants WHERE user_id = $1
                 UNION ALL SELECT rotated_at FROM refresh_family
                     WHERE grant_id IN (SELECT id FROM grants WHERE user_id = $1)) AS issued"
        }
        Subject::Client(..) => {
            "SELECT max(at) AS latest FROM (
                 SELECT last_used_at AS at FROM grants WHERE client_id = $1 AND role = $2
                 UNION ALL SELECT rotated_at FROM refresh_family WHERE grant_id IN
                     (SELECT id FROM grants WHERE client_id = $1 AND role = $2)) AS issued"
        }
        Subject::Organization(_) => {
            "SELECT max(at) AS latest FROM (
                 SELECT last_used_at AS at FROM grants WHERE organization = $1
                 UNION ALL SELECT rotated_at FROM refresh_family
                     WHERE grant_id IN (SELECT id FROM grants WHERE organization = $1)) AS issued"
        }
    };
    let Latest(latest) = tx.fetch_one(sql, named(subject)).await?;
    Ok(latest.unwrap_or_default())
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
    let found: Option<Organization> = tx.fetch_optional(sql, named(subject)).await?;
    Ok(found.map(|Organization(id)| id))
}
