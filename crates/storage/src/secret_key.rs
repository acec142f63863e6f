//! The symmetric secrets of a deployment, one for each purpose, sealed.

use std::collections::BTreeMap;
use std::fmt;

use symbolon_protocol::random;
use symbolon_protocol::secret::SecretBytes;
use symbolon_protocol::time::Timestamp;

use crate::engine::{Record, Row, args};
use crate::seal::Context;
use crate::{Connection, StorageError, Transaction};

/// What a secret is for; never used for anything else.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SecretPurpose {
    /// Derives refresh tokens from family and counter.
    Refresh,
    /// Encrypts what travels in cookies.
    Cookie,
    /// Binds sessions of MCP servers to their caller.
    SessionBinding,
    /// Hashes the subjects of deleted people.
    Tombstone,
}

impl SecretPurpose {
    /// Every purpose.
    pub const ALL: [Self; 4] = [
        Self::Refresh,
        Self::Cookie,
        Self::SessionBinding,
        Self::Tombstone,
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Cookie => "cookie",
            Self::SessionBinding => "session_binding",
            Self::Tombstone => "tombstone",
        }
    }
}

/// Every symmetric secret of a deployment, opened.
#[derive(Clone)]
pub struct SecretKeys(BTreeMap<&'static str, SecretBytes>);

impl SecretKeys {
    /// The secret of a purpose: 32 bytes.
    pub fn get(&self, purpose: SecretPurpose) -> &SecretBytes {
        &self.0[purpose.as_str()]
    }
}

impl fmt::Debug for SecretKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

struct Stored {
    purpose: String,
    sealed: Vec<u8>,
}

impl Record for Stored {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            purpose: row.get("purpose")?,
            sealed: row.get("sealed")?,
        })
    }
}

/// Creates the secrets that do not exist yet and answers all of them.
///
/// # Errors
/// [`StorageError`].
pub async fn ensure_all(tx: &mut Transaction, now: Timestamp) -> Result<SecretKeys, StorageError> {
    for purpose in SecretPurpose::ALL.map(SecretPurpose::as_str) {
        let sealed = tx.sealer().seal(context(purpose), &random::bytes::<32>());
        tx.execute(
            "INSERT INTO secret_key (purpose, sealed, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (purpose) DO NOTHING",
            args![purpose, sealed, now],
        )
        .await?;
    }
    load(tx).await
}

/// Every secret.
///
/// # Errors
/// [`StorageError::Corrupt`] when one is missing: nothing was created yet.
pub async fn load(connection: &mut Connection) -> Result<SecretKeys, StorageError> {
    let rows: Vec<Stored> = connection
        .fetch_all("SELECT purpose, sealed FROM secret_key", args![])
        .await?;
    let mut secrets = BTreeMap::new();
    for purpose in SecretPurpose::ALL.map(SecretPurpose::as_str) {
        let row = rows.iter().find(|row| row.purpose == purpose);
        let row = row.ok_or_else(|| {
            StorageError::corrupt("secret_key", format!("there is no secret for {purpose}"))
        })?;
        let opened = connection.sealer().open(context(purpose), &row.sealed)?;
        secrets.insert(purpose, SecretBytes::new(opened.to_vec()));
    }
    Ok(SecretKeys(secrets))
}

/// The place of a secret.
pub(crate) fn context(purpose: &str) -> Context<'_> {
    Context {
        organization: "",
        table: "secret_key",
        row: purpose,
        column: "sealed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::{for_each_engine, for_each_pair};

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    #[tokio::test]
    async fn secrets_are_created_once_and_are_the_same_on_every_node() {
        for_each_pair(|first, second| async move {
            let (a, b) = tokio::join!(
                first.write(|tx| Box::pin(ensure_all(tx, NOW))),
                second.write(|tx| Box::pin(ensure_all(tx, NOW)))
            );
            let (a, b) = (a.unwrap(), b.unwrap());
            for purpose in SecretPurpose::ALL {
                assert_eq!(a.get(purpose), b.get(purpose));
                assert_eq!(a.get(purpose).expose().len(), 32);
            }
            assert_ne!(a.get(SecretPurpose::Refresh), a.get(SecretPurpose::Cookie));
        })
        .await;
    }

    #[tokio::test]
    async fn a_missing_secret_is_an_error_and_not_an_empty_key() {
        for_each_engine(|store| async move {
            let error = store.read(|c| Box::pin(load(c))).await.unwrap_err();
            assert!(matches!(error, StorageError::Corrupt { .. }));
        })
        .await;
    }
}
