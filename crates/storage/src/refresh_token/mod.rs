//! Refresh tokens: families that rotate (requirements 1.5, design §8).
//!
//! A family is one row with a counter; each use raises it. Only the token of the current counter is
//! good, with one exception: for [`OVERLAP`] after a rotation the token before it, presented by the
//! same client, gets the same successor again, so that two processes of one client do not log each
//! other out. Any other use of an old token means that it was stolen: the family and its grant are
//! revoked (AS-71, N-079).

mod rotate;
mod token;

use std::time::Duration;

use symbolon_protocol::ids::{ClientId, GrantId, OrganizationId, SessionId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::random;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::secret::Secret;
use symbolon_protocol::time::Timestamp;

pub use rotate::{Rotation, rotate};
pub use token::{PresentedToken, RefreshSecret};

use crate::authentication_facts::AuthenticationFacts;
use crate::engine::{Record, Row, args};
use crate::{Connection, StorageError, Transaction, grant, session};

/// A family ends this long after its first token, however it is used.
pub const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A family ends when it was not used for this long.
pub const IDLE_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a rotated token still gets the same successor.
pub const OVERLAP: Duration = Duration::from_secs(10);

/// The columns of a [`RefreshFamily`].
macro_rules! columns {
    () => {
        "id, grant_id, role, organization, client_id, user_id, session_id, resource, scopes,
         auth_time, acr, amr, counter, created_at, rotated_at, expires_at, idle_expires_at,
         revoked_at"
    };
}
use columns;

/// What every token of a family stands for and is bound to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewFamily {
    /// What its access tokens belong to.
    pub grant: GrantId,
    /// The authorization server that issues it; it is worth nothing at another one.
    pub role: IssuerRole,
    /// The person's organization.
    pub organization: OrganizationId,
    /// The client it is issued to.
    pub client: ClientId,
    /// Who signed in.
    pub user: UserId,
    /// In which browser session; its end ends the family.
    pub session: Option<SessionId>,
    /// The resource of the original grant; `None` at an `idp`.
    pub resource: Option<String>,
    /// The scopes of the original grant: a refresh asks for these or fewer (AS-72).
    pub scopes: ScopeSet,
    /// What the identity provider said about the sign-in.
    pub facts: AuthenticationFacts,
}

/// A family of refresh tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefreshFamily {
    /// Its name; not a secret.
    pub id: String,
    /// What its tokens stand for and are bound to.
    pub bound: NewFamily,
    /// How often it was rotated.
    pub counter: i64,
    /// When its first token was issued.
    pub created_at: Timestamp,
    /// When its current token was issued.
    pub rotated_at: Timestamp,
    /// When it ends, however it is used.
    pub expires_at: Timestamp,
    /// When it ends unless it is used before; never later than `expires_at`.
    pub idle_expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Record for RefreshFamily {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            bound: NewFamily::read(row)?,
            counter: row.get("counter")?,
            created_at: row.get("created_at")?,
            rotated_at: row.get("rotated_at")?,
            expires_at: row.get("expires_at")?,
            idle_expires_at: row.get("idle_expires_at")?,
            revoked_at: row.get("revoked_at")?,
        })
    }
}

impl Record for NewFamily {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            grant: row.get("grant_id")?,
            role: row.get("role")?,
            organization: row.get("organization")?,
            client: row.get("client_id")?,
            user: row.get("user_id")?,
            session: row.get("session_id")?,
            resource: row.get("resource")?,
            scopes: row.get("scopes")?,
            facts: AuthenticationFacts::read(row)?,
        })
    }
}

/// How a counter stands to its family.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// The current token.
    Current,
    /// The one before it, within the overlap.
    JustRotated,
    /// An old one: it was used before.
    Used,
    /// The family has ended, or never came that far (a restored backup).
    Ended,
}

impl RefreshFamily {
    fn standing(&self, counter: i64, now: Timestamp) -> Standing {
        let has_ended =
            self.revoked_at.is_some() || self.expires_at <= now || self.idle_expires_at <= now;
        match self.counter - counter {
            _ if has_ended => Standing::Ended,
            0 => Standing::Current,
            1 if now.since(self.rotated_at) <= OVERLAP => Standing::JustRotated,
            1.. => Standing::Used,
            _ => Standing::Ended,
        }
    }
}

/// Begins a family and answers its first token; `None` when grant or session have ended meanwhile.
///
/// # Errors
/// [`StorageError`].
pub async fn insert(
    tx: &mut Transaction,
    secret: &RefreshSecret,
    new: &NewFamily,
    now: Timestamp,
) -> Result<Option<Secret>, StorageError> {
    if let Some(session) = &new.session
        && !session::hold(tx, session).await?
    {
        return Ok(None);
    }
    if !grant::hold(tx, &new.grant).await? {
        return Ok(None);
    }
    let id = random::id();
    insert_row(tx, &id, new, now).await?;
    Ok(Some(secret.write(&id, 0)))
}

async fn insert_row(
    tx: &mut Transaction,
    id: &str,
    new: &NewFamily,
    now: Timestamp,
) -> Result<(), StorageError> {
    tx.execute(
        concat!(
            "INSERT INTO refresh_family (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $13, $14, $15,
                 NULL)"
        ),
        args![
            id,
            &new.grant,
            &new.role,
            &new.organization,
            &new.client,
            &new.user,
            new.session.as_ref(),
            new.resource.as_deref(),
            &new.scopes,
            new.facts.auth_time,
            new.facts.acr.as_deref(),
            new.facts.amr_json(),
            now,
            now.plus(LIFETIME),
            now.plus(IDLE_LIFETIME),
        ],
    )
    .await?;
    Ok(())
}

/// The family of a token that could be used now, without using it.
///
/// For introspection, revocation, and as a subject token. The caller compares the client.
///
/// # Errors
/// [`StorageError`].
pub async fn find(
    connection: &mut Connection,
    token: &PresentedToken,
    role: &IssuerRole,
    now: Timestamp,
) -> Result<Option<RefreshFamily>, StorageError> {
    let family = find_row(connection, token, role).await?;
    Ok(family.filter(|family| {
        let standing = family.standing(token.counter, now);
        matches!(standing, Standing::Current | Standing::JustRotated)
    }))
}

async fn find_row(
    connection: &mut Connection,
    token: &PresentedToken,
    role: &IssuerRole,
) -> Result<Option<RefreshFamily>, StorageError> {
    connection
        .fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM refresh_family WHERE id = $1 AND role = $2"
            ),
            args![&token.family, role],
        )
        .await
}
