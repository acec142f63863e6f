//! What a person agreed to on the consent page, per client and resource (requirements 1.3).
//!
//! Remembered so that the page is not shown again for the same or fewer scopes. A consent gives no
//! access by itself: policy decides, and tokens belong to a grant.

use symbolon_protocol::ids::{ClientId, OrganizationId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;

use crate::engine::{Record, Row, args};
use crate::row_key::row_key;
use crate::{Connection, StorageError, Transaction};

/// What a consent is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConsentKey {
    /// The person's organization.
    pub organization: OrganizationId,
    /// The person.
    pub user: UserId,
    /// The authorization server that asked.
    pub role: IssuerRole,
    /// The client that wants access.
    pub client: ClientId,
    /// What it wants to reach.
    pub resource: String,
}

impl ConsentKey {
    fn row_key(&self) -> [u8; 32] {
        row_key(&[
            self.organization.as_str(),
            self.user.as_str(),
            &self.role.to_string(),
            self.client.as_str(),
            &self.resource,
        ])
    }
}

/// A consent that was given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Consent {
    /// Scopes that were shown and agreed to.
    pub scopes: ScopeSet,
    /// When.
    pub given_at: Timestamp,
}

impl Record for Consent {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            scopes: row.get("scopes")?,
            given_at: row.get("given_at")?,
        })
    }
}

/// Remembers a consent in place of an earlier one.
///
/// # Errors
/// [`StorageError::Constraint`] when the person was deleted meanwhile.
pub async fn put(
    tx: &mut Transaction,
    key: &ConsentKey,
    scopes: &ScopeSet,
    now: Timestamp,
) -> Result<(), StorageError> {
    tx.execute(
        "INSERT INTO consent
             (key, organization, user_id, role, client_id, resource, scopes, given_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (key) DO UPDATE SET scopes = excluded.scopes, given_at = excluded.given_at",
        args![
            key.row_key(),
            &key.organization,
            &key.user,
            &key.role,
            &key.client,
            &key.resource,
            scopes,
            now,
        ],
    )
    .await?;
    Ok(())
}

/// The consent for one client and resource.
///
/// # Errors
/// [`StorageError`].
pub async fn find(
    connection: &mut Connection,
    key: &ConsentKey,
) -> Result<Option<Consent>, StorageError> {
    connection
        .fetch_optional(
            "SELECT scopes, given_at FROM consent WHERE key = $1",
            args![key.row_key()],
        )
        .await
}

/// Forgets a consent: the page is shown again next time. Whether there was one.
///
/// # Errors
/// [`StorageError`].
pub async fn withdraw(tx: &mut Transaction, key: &ConsentKey) -> Result<bool, StorageError> {
    let removed = tx
        .execute("DELETE FROM consent WHERE key = $1", args![key.row_key()])
        .await?;
    Ok(removed > 0)
}
