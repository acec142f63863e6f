//! Browser sessions at one of our authorization servers.
//!
//! The browser holds a random token, we hold its SHA-256. A session belongs to one authorization
//! server and one organization; a token of another finds nothing. Ending a session ends the codes
//! and refresh tokens that came out of it (AS-77).

use symbolon_protocol::digest::sha256;
use symbolon_protocol::ids::{ConnectionId, OrganizationId, SessionId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::secret::Secret;
use symbolon_protocol::time::Timestamp;

use crate::audit::By;
use crate::authentication_facts::AuthenticationFacts;
use crate::engine::{Record, Row, args};
use crate::revocation::{self, Subject};
use crate::{Connection, StorageError, Transaction, user};

/// A browser session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// Its name in tokens (`sid`); not a secret.
    pub id: SessionId,
    /// The authorization server it is a session of.
    pub role: IssuerRole,
    /// The person's organization.
    pub organization: OrganizationId,
    /// Who signed in.
    pub user: UserId,
    /// Through which connection.
    pub connection: ConnectionId,
    /// The identity provider's name of its own session, for its logout messages.
    pub upstream_sid: Option<String>,
    /// What the identity provider said about the sign-in.
    pub facts: AuthenticationFacts,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

impl Record for Session {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            role: row.get("role")?,
            organization: row.get("organization")?,
            user: row.get("user_id")?,
            connection: row.get("connection")?,
            upstream_sid: row.get("upstream_sid")?,
            facts: AuthenticationFacts::read(row)?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// Begins a session under a token; `false` when the person is not active.
///
/// # Errors
/// [`StorageError`].
pub async fn insert(
    tx: &mut Transaction,
    session: &Session,
    token: &Secret,
) -> Result<bool, StorageError> {
    if user::hold(tx, &session.organization, &session.user)
        .await?
        .is_none()
    {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO session (id, token_hash, role, organization, user_id, connection,
             upstream_sid, auth_time, acr, amr, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        args![
            &session.id,
            sha256(token.expose().as_bytes()),
            &session.role,
            &session.organization,
            &session.user,
            &session.connection,
            session.upstream_sid.as_deref(),
            session.facts.auth_time,
            session.facts.acr.as_deref(),
            session.facts.amr_json(),
            session.created_at,
            session.expires_at,
        ],
    )
    .await?;
    Ok(true)
}

/// The running session of a token at one authorization server.
///
/// # Errors
/// [`StorageError`].
pub async fn find(
    connection: &mut Connection,
    role: &IssuerRole,
    token: &Secret,
    now: Timestamp,
) -> Result<Option<Session>, StorageError> {
    connection
        .fetch_optional(
            "SELECT id, role, organization, user_id, connection, upstream_sid, auth_time, acr, amr,
                 created_at, expires_at
             FROM session
             WHERE token_hash = $1 AND role = $2 AND expires_at > $3 AND ended_at IS NULL",
            args![sha256(token.expose().as_bytes()), role, now],
        )
        .await
}

struct Held;

impl Record for Held {
    fn read(row: &Row) -> Result<Self, StorageError> {
        row.get::<SessionId>("id").map(|_| Self)
    }
}

/// Whether a session has not been ended; if so, it is not until this transaction has ended.
pub(crate) async fn hold(tx: &mut Transaction, id: &SessionId) -> Result<bool, StorageError> {
    let held: Option<Held> = tx
        .fetch_held(
            "SELECT id FROM session WHERE id = $1 AND ended_at IS NULL FOR SHARE",
            args![id],
        )
        .await?;
    Ok(held.is_some())
}

/// Whether a session was ended before its time, asked of the database itself: what a node heard may be
/// a second old.
///
/// # Errors
/// [`StorageError`].
pub async fn has_ended(connection: &mut Connection, id: &SessionId) -> Result<bool, StorageError> {
    let ended: Option<Held> = connection
        .fetch_optional(
            "SELECT id FROM session WHERE id = $1 AND ended_at IS NOT NULL",
            args![id],
        )
        .await?;
    Ok(ended.is_some())
}

/// Ends a session because its person signed out: its codes and refresh tokens end with it, every
/// node hears of it and it is audited. Whether it was running.
///
/// # Errors
/// [`StorageError`].
pub async fn end(
    tx: &mut Transaction,
    id: &SessionId,
    by: &By,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let subject = Subject::Session(id.clone());
    let revoked = revocation::revoke(tx, &subject, "signed out", by, now).await?;
    Ok(revoked.sessions > 0)
}
