//! Tombstones: external subjects that must not be provisioned again (design §4 rule 14).
//!
//! A tombstone outlives everything else that is known about a person, so it must not tell who that
//! was: it is an HMAC of the subject under a secret of the deployment.

use symbolon_protocol::digest::hmac_sha256;
use symbolon_protocol::ids::UserId;
use symbolon_protocol::secret::SecretBytes;
use symbolon_protocol::time::Timestamp;

use super::{ExternalSubject, list_of};
use crate::engine::{Record, Row, args};
use crate::{Connection, StorageError, Transaction};

/// The deployment's secret with which subjects of deleted people are hashed.
#[derive(Clone, Debug)]
pub struct TombstoneSecret(SecretBytes);

impl TombstoneSecret {
    /// Takes the deployment's secret of purpose `tombstone`.
    #[must_use]
    pub fn new(secret: SecretBytes) -> Self {
        Self(secret)
    }

    fn hash(&self, subject: &ExternalSubject) -> [u8; 32] {
        hmac_sha256(self.0.expose(), &subject.row_key())
    }
}

struct BuriedAt;

impl Record for BuriedAt {
    fn read(row: &Row) -> Result<Self, StorageError> {
        row.get::<Timestamp>("buried_at").map(|_| Self)
    }
}

/// Whether the subject's person was deleted.
///
/// # Errors
/// [`StorageError`]; the caller must then refuse to provision.
pub async fn is_buried(
    connection: &mut Connection,
    subject: &ExternalSubject,
    secret: &TombstoneSecret,
) -> Result<bool, StorageError> {
    let found: Option<BuriedAt> = connection
        .fetch_optional(
            "SELECT buried_at FROM identity_tombstone WHERE hash = $1",
            args![secret.hash(subject)],
        )
        .await?;
    Ok(found.is_some())
}

/// Marks a subject as one that must not be provisioned (again).
///
/// # Errors
/// [`StorageError`].
pub async fn insert_tombstone(
    tx: &mut Transaction,
    subject: &ExternalSubject,
    secret: &TombstoneSecret,
    now: Timestamp,
) -> Result<(), StorageError> {
    tx.execute(
        "INSERT INTO identity_tombstone (hash, organization, connection, buried_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO NOTHING",
        args![
            secret.hash(subject),
            &subject.organization,
            &subject.connection,
            now
        ],
    )
    .await?;
    Ok(())
}

/// Lets a subject be provisioned again; whether there was a tombstone.
///
/// # Errors
/// [`StorageError`].
pub async fn clear_tombstone(
    tx: &mut Transaction,
    subject: &ExternalSubject,
    secret: &TombstoneSecret,
) -> Result<bool, StorageError> {
    let sql = "DELETE FROM identity_tombstone WHERE hash = $1";
    Ok(tx.execute(sql, args![secret.hash(subject)]).await? > 0)
}

/// Leaves a tombstone for every identity of a person who is about to be deleted.
pub(crate) async fn bury_all_of(
    tx: &mut Transaction,
    user: &UserId,
    secret: &TombstoneSecret,
    now: Timestamp,
) -> Result<(), StorageError> {
    for subject in list_of(tx, user).await? {
        insert_tombstone(tx, &subject, secret, now).await?;
    }
    Ok(())
}
