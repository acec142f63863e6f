//! Who a person is at a connection's identity provider (requirements 1.8).
//!
//! An identity is keyed by organization, connection, tenant and subject, never by the subject alone
//! (AS-120). Two sign-ins that arrive at once create one person; a person who was deleted is not
//! created again ([`tombstone`], design §4 rule 14).

mod tombstone;

use symbolon_protocol::ids::{ConnectionId, OrganizationId, UserId};
use symbolon_protocol::time::Timestamp;

pub(crate) use tombstone::bury_all_of;
pub use tombstone::{TombstoneSecret, clear_tombstone, insert_tombstone, is_buried};

use crate::engine::{Record, Row, args};
use crate::row_key::row_key;
use crate::user::{self, Profile, User};
use crate::{Connection, StorageError, Transaction};

/// Somebody, as a connection's identity provider names them.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ExternalSubject {
    /// The organization of the connection.
    pub organization: OrganizationId,
    /// The connection whose identity provider said it.
    pub connection: ConnectionId,
    /// The value of the tenant claim, where the issuer is shared by several tenants.
    pub tenant: Option<String>,
    /// The `sub`, or whatever claim the connection takes for it.
    pub subject: String,
}

impl ExternalSubject {
    fn tenant(&self) -> &str {
        self.tenant.as_deref().unwrap_or_default()
    }

    fn row_key(&self) -> [u8; 32] {
        let organization = self.organization.as_str();
        row_key(&[
            organization,
            self.connection.as_str(),
            self.tenant(),
            &self.subject,
        ])
    }
}

impl Record for ExternalSubject {
    fn read(row: &Row) -> Result<Self, StorageError> {
        let tenant: String = row.get("tenant")?;
        Ok(Self {
            organization: row.get("organization")?,
            connection: row.get("connection")?,
            tenant: Some(tenant).filter(|tenant| !tenant.is_empty()),
            subject: row.get("subject")?,
        })
    }
}

/// What [`provision`] found or did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Provisioned {
    /// There was a link; the person may be disabled.
    Existing(User),
    /// Person and link are new.
    Created(User),
    /// The subject's person was deleted; an administrator must clear the tombstone first.
    Buried,
}

/// What [`link`] found or did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Linked {
    /// The subject is now, or was already, this person.
    Linked,
    /// The subject is somebody else; nothing was changed (AS-128).
    Taken,
    /// The subject's person was deleted; an administrator must clear the tombstone first.
    Buried,
    /// There is no such active person.
    NoUser,
}

/// The person whom an external subject is linked to, disabled or not.
///
/// # Errors
/// [`StorageError`].
pub async fn find(
    connection: &mut Connection,
    subject: &ExternalSubject,
) -> Result<Option<User>, StorageError> {
    connection
        .fetch_optional(
            "SELECT users.id, users.organization, users.email, users.name, users.state,
                 users.created_at
             FROM linked_identity JOIN users ON users.id = linked_identity.user_id
             WHERE linked_identity.key = $1 AND users.organization = $2",
            args![subject.row_key(), &subject.organization],
        )
        .await
}

/// Every external subject that is linked to a person, the oldest link first.
///
/// # Errors
/// [`StorageError`].
pub async fn list_of(
    connection: &mut Connection,
    user: &UserId,
) -> Result<Vec<ExternalSubject>, StorageError> {
    connection
        .fetch_all(
            "SELECT organization, connection, tenant, subject FROM linked_identity
             WHERE user_id = $1 ORDER BY linked_at, key",
            args![user],
        )
        .await
}

/// Finds the person of an external subject or creates one, just in time.
///
/// Only for a connection that allows it. Of any number of callers at once, one creates.
///
/// # Errors
/// [`StorageError`].
pub async fn provision(
    tx: &mut Transaction,
    subject: &ExternalSubject,
    profile: &Profile,
    secret: &TombstoneSecret,
    now: Timestamp,
) -> Result<Provisioned, StorageError> {
    if let Some(user) = find(tx, subject).await? {
        return Ok(Provisioned::Existing(user));
    }
    let user = user::insert(tx, &subject.organization, profile, now).await?;
    if !insert_link(tx, subject, &user.id, now).await? {
        // Somebody was faster: what they created is the person.
        discard(tx, &user.id).await?;
        let user = find(tx, subject).await?.ok_or(StorageError::Busy)?;
        return Ok(Provisioned::Existing(user));
    }
    // Asked after the link is ours: a deletion that was under way has committed by now.
    if is_buried(tx, subject, secret).await? {
        discard(tx, &user.id).await?;
        return Ok(Provisioned::Buried);
    }
    Ok(Provisioned::Created(user))
}

/// Links an external subject to an existing person. Never takes it from another one.
///
/// # Errors
/// [`StorageError`].
pub async fn link(
    tx: &mut Transaction,
    subject: &ExternalSubject,
    id: &UserId,
    secret: &TombstoneSecret,
    now: Timestamp,
) -> Result<Linked, StorageError> {
    if user::hold(tx, &subject.organization, id).await?.is_none() {
        return Ok(Linked::NoUser);
    }
    let is_new = insert_link(tx, subject, id, now).await?;
    if is_new && is_buried(tx, subject, secret).await? {
        let sql = "DELETE FROM linked_identity WHERE key = $1";
        tx.execute(sql, args![subject.row_key()]).await?;
        return Ok(Linked::Buried);
    }
    let owner = find(tx, subject).await?;
    Ok(if owner.is_some_and(|owner| owner.id == *id) {
        Linked::Linked
    } else {
        Linked::Taken
    })
}

/// Inserts a link; `false` when the subject has one already.
async fn insert_link(
    tx: &mut Transaction,
    subject: &ExternalSubject,
    user: &UserId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let inserted = tx
        .execute(
            "INSERT INTO linked_identity
                 (key, organization, user_id, connection, tenant, subject, linked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING",
            args![
                subject.row_key(),
                &subject.organization,
                user,
                &subject.connection,
                subject.tenant(),
                &subject.subject,
                now,
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// Takes back a person that this transaction has just created.
async fn discard(tx: &mut Transaction, user: &UserId) -> Result<(), StorageError> {
    tx.execute("DELETE FROM users WHERE id = $1", args![user])
        .await?;
    Ok(())
}
