//! A grant: "this person (or client) lets this client use this resource with these scopes".
//!
//! What tokens belong to, what is reviewed and what is revoked (design §3). There is one live grant
//! per authorization server, person, client, resource and origin; using it again sets its scopes. A
//! revoked grant stays revoked: the next use makes another one, under another id.

mod list;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use symbolon_protocol::ids::{ClientId, GrantId, OrganizationId, SessionId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;

pub use list::{GrantFilter, find, list};

use crate::engine::{Record, Row, Value, args};
use crate::news::{Announcement, Topic};
use crate::revocation::SubjectKind;
use crate::row_key::row_key;
use crate::{StorageError, Transaction, user};

/// The columns of a [`Grant`] as they are stored.
macro_rules! columns {
    () => {
        "id, role, organization, user_id, client_id, resource, origin, scopes, session_id,
         created_at, last_used_at, revoked_at"
    };
}

/// A grant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    /// The `grant_id` of its tokens.
    pub id: GrantId,
    /// The authorization server it was made at.
    pub role: IssuerRole,
    /// The organization of the person, or of the client that acts for itself.
    pub organization: OrganizationId,
    /// Whose access it is; `None` where a client acts for itself.
    pub user: Option<UserId>,
    /// Who uses it.
    pub client: ClientId,
    /// What it reaches; for a sign-in at an `idp`, that issuer itself.
    pub resource: String,
    /// How it came about.
    pub origin: Origin,
    /// What it may do there: what was granted last.
    pub scopes: ScopeSet,
    /// The browser session it was last made from.
    pub session: Option<SessionId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a token was last issued for it, rounded up to a whole second; never earlier than that.
    pub last_used_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Grant {
    /// Whether tokens may still be issued for it.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.revoked_at.is_none()
    }
}

/// How a grant came about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Origin {
    /// In a browser, for an MCP server.
    AuthorizationCode,
    /// By redeeming an ID-JAG.
    IdJag,
    /// In a browser, signing in to a client at an `idp`.
    SignIn,
}

impl Origin {
    const ALL: [Self; 3] = [Self::AuthorizationCode, Self::IdJag, Self::SignIn];

    /// The name in the database and in exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::IdJag => "id_jag",
            Self::SignIn => "sign_in",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Origin {
    type Err = StorageError;

    fn from_str(text: &str) -> Result<Self, StorageError> {
        Self::ALL
            .into_iter()
            .find(|origin| origin.as_str() == text)
            .ok_or_else(|| StorageError::corrupt("origin", format!("{text:?} is unknown")))
    }
}

impl Record for Grant {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            role: row.get("role")?,
            organization: row.get("organization")?,
            user: row.get("user_id")?,
            client: row.get("client_id")?,
            resource: row.get("resource")?,
            origin: row.get::<String>("origin")?.parse()?,
            scopes: row.get("scopes")?,
            session: row.get("session_id")?,
            created_at: row.get("created_at")?,
            last_used_at: row.get("last_used_at")?,
            revoked_at: row.get("revoked_at")?,
        })
    }
}

/// What a token is about to be issued for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewGrant {
    /// See [`Grant::role`].
    pub role: IssuerRole,
    /// See [`Grant::organization`].
    pub organization: OrganizationId,
    /// See [`Grant::user`].
    pub user: Option<UserId>,
    /// See [`Grant::client`].
    pub client: ClientId,
    /// See [`Grant::resource`].
    pub resource: String,
    /// See [`Grant::scopes`].
    pub scopes: ScopeSet,
    /// See [`Grant::session`].
    pub session: Option<SessionId>,
    /// See [`Grant::origin`].
    pub origin: Origin,
}

impl NewGrant {
    fn row_key(&self) -> [u8; 32] {
        row_key(&[
            &self.role.to_string(),
            self.organization.as_str(),
            self.user.as_ref().map_or("", UserId::as_str),
            self.client.as_str(),
            &self.resource,
            self.origin.as_str(),
        ])
    }

    /// Whether the grant need not be written: a busy one is written once in a second.
    fn is_as_before(&self, grant: &Grant, now: Timestamp) -> bool {
        grant.scopes == self.scopes && grant.session == self.session && grant.last_used_at >= now
    }

    fn columns(&self, now: Timestamp) -> Vec<Value> {
        args![
            &GrantId::generate(),
            self.row_key(),
            &self.role,
            &self.organization,
            self.user.as_ref(),
            &self.client,
            &self.resource,
            self.origin.as_str(),
            &self.scopes,
            self.session.as_ref(),
            now,
            full_second(now),
        ]
    }
}

/// The live grant, with these scopes from now on; made if there is none.
///
/// `None` when the person is not active: nothing may be issued then.
///
/// # Errors
/// [`StorageError`].
pub async fn upsert(
    tx: &mut Transaction,
    new: &NewGrant,
    now: Timestamp,
) -> Result<Option<Grant>, StorageError> {
    let live: Option<Grant> = tx
        .fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM grants WHERE key = $1 AND revoked_at IS NULL"
            ),
            args![new.row_key()],
        )
        .await?;
    if let Some(grant) = live
        && new.is_as_before(&grant, now)
    {
        // Whoever revokes now reads `last_used_at`, which is no earlier than this token.
        return Ok(Some(grant));
    }
    if let Some(user) = &new.user
        && user::hold(tx, &new.organization, user).await?.is_none()
    {
        return Ok(None);
    }
    let grant = tx
        .fetch_one(
            concat!(
                "INSERT INTO grants (id, key, role, organization, user_id, client_id, resource,
                     origin, scopes, session_id, created_at, last_used_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                 ON CONFLICT (key) WHERE revoked_at IS NULL DO UPDATE SET
                     scopes = excluded.scopes, session_id = excluded.session_id,
                     last_used_at = excluded.last_used_at
                 RETURNING ",
                columns!()
            ),
            new.columns(now),
        )
        .await?;
    Ok(Some(grant))
}

/// The time, rounded up to a whole second.
fn full_second(now: Timestamp) -> Timestamp {
    let before = now.minus(Duration::from_micros(1));
    Timestamp::from_unix_seconds(before.unix_seconds() + 1)
}

/// Revokes a grant with its refresh tokens and unused codes and tells every node; whether it was
/// live. Writes no audit event: that is up to the caller, or to
/// [`revocation::revoke`](crate::revocation::revoke).
///
/// # Errors
/// [`StorageError`].
pub async fn revoke(
    tx: &mut Transaction,
    id: &GrantId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    // Codes, grants, refresh tokens: in the order in which redeeming a code locks them.
    let sql = "DELETE FROM authorization_code WHERE grant_id = $1 AND redeemed_at IS NULL";
    tx.execute(sql, args![id]).await?;
    let sql = "UPDATE grants SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    if tx.execute(sql, args![id, now]).await? == 0 {
        return Ok(false);
    }
    let sql = "UPDATE refresh_family SET revoked_at = $2
               WHERE grant_id = $1 AND revoked_at IS NULL";
    tx.execute(sql, args![id, now]).await?;
    tx.announce(Announcement {
        topic: Topic::Revoked(SubjectKind::Grant),
        subject: id.to_string(),
        at: now,
    });
    Ok(true)
}

struct Held;

impl Record for Held {
    fn read(row: &Row) -> Result<Self, StorageError> {
        row.get::<GrantId>("id").map(|_| Self)
    }
}

/// Whether a grant is live; if so, it stays so until this transaction has ended.
pub(crate) async fn hold(tx: &mut Transaction, id: &GrantId) -> Result<bool, StorageError> {
    let held: Option<Held> = tx
        .fetch_held(
            "SELECT id FROM grants WHERE id = $1 AND revoked_at IS NULL FOR SHARE",
            args![id],
        )
        .await?;
    Ok(held.is_some())
}
