//! Signing keys as they are stored, and which of them signs.

use serde_json::Value;
use symbolon_protocol::ids::KeyId;
use symbolon_protocol::jose::{Algorithm, SigningKey};
use symbolon_protocol::time::Timestamp;

use super::{KeyPurpose, KeyUse};
use crate::engine::{Record, Row, args};
use crate::seal::{Context, Sealer};
use crate::{Connection, StorageError};

/// A key with its life.
#[derive(Debug)]
pub struct StoredKey {
    /// The key, ready to sign.
    pub key: SigningKey,
    /// What it is for.
    pub usage: KeyUse,
    /// Since when it is in the key set.
    pub published_at: Timestamp,
    /// Since when it signs.
    pub active_from: Timestamp,
    /// Since when it does not sign any more.
    pub retired_at: Option<Timestamp>,
    /// When it leaves the key set.
    pub forget_after: Option<Timestamp>,
}

impl StoredKey {
    /// Whether it may sign at a time.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.active_from <= now && self.retired_at.is_none_or(|retired| now < retired)
    }
}

/// The key that signs at a time: the youngest that is active.
pub fn active<'a>(keys: &'a [StoredKey], usage: &KeyUse, now: Timestamp) -> Option<&'a StoredKey> {
    let fitting = keys
        .iter()
        .filter(|key| key.usage == *usage && key.is_active(now));
    fitting.max_by_key(|key| key.active_from)
}

/// The public keys of an owner as members of a JWK set, the youngest first.
pub fn public_jwks(keys: &[StoredKey], role: &str) -> Vec<Value> {
    let own = keys
        .iter()
        .filter(|key| key.usage.role == role && key.usage.purpose.is_public());
    own.map(|key| key.key.public_jwk()).collect()
}

impl KeyPurpose {
    /// Whether the key set of the authorization server publishes it.
    fn is_public(self) -> bool {
        !matches!(self, Self::Audit)
    }
}

/// A row whose key is still sealed.
struct Sealed {
    kid: KeyId,
    sealed: Vec<u8>,
    role: String,
    purpose: KeyPurpose,
    algorithm: Algorithm,
    published_at: Timestamp,
    active_from: Timestamp,
    retired_at: Option<Timestamp>,
    forget_after: Option<Timestamp>,
}

impl Record for Sealed {
    fn read(row: &Row) -> Result<Self, StorageError> {
        let purpose: String = row.get("purpose")?;
        let purpose = KeyPurpose::ALL
            .into_iter()
            .find(|known| known.as_str() == purpose);
        let algorithm: String = row.get("algorithm")?;
        Ok(Self {
            kid: row.get("kid")?,
            sealed: row.get("sealed")?,
            role: row.get("role")?,
            purpose: purpose.ok_or_else(|| StorageError::corrupt("purpose", "is unknown"))?,
            algorithm: algorithm
                .parse()
                .map_err(|error| StorageError::corrupt("algorithm", error))?,
            published_at: row.get("published_at")?,
            active_from: row.get("active_from")?,
            retired_at: row.get("retired_at")?,
            forget_after: row.get("forget_after")?,
        })
    }
}

impl Sealed {
    fn open(self, sealer: &Sealer) -> Result<StoredKey, StorageError> {
        let pkcs8 = sealer.open(context(&self.role, self.kid.as_str()), &self.sealed)?;
        let key = SigningKey::from_pkcs8(self.algorithm, self.kid, &pkcs8)
            .map_err(|error| StorageError::corrupt("sealed", error))?;
        let (role, purpose, algorithm) = (self.role, self.purpose, self.algorithm);
        Ok(StoredKey {
            key,
            usage: KeyUse {
                role,
                purpose,
                algorithm,
            },
            published_at: self.published_at,
            active_from: self.active_from,
            retired_at: self.retired_at,
            forget_after: self.forget_after,
        })
    }
}

/// Every key that is not forgotten, the youngest first.
///
/// # Errors
/// [`StorageError::Seal`] when one does not open.
pub async fn list(connection: &mut Connection) -> Result<Vec<StoredKey>, StorageError> {
    let rows: Vec<Sealed> = connection
        .fetch_all(
            "SELECT kid, role, purpose, algorithm, sealed, published_at, active_from, retired_at,
                    forget_after
             FROM signing_key ORDER BY active_from DESC, kid",
            args![],
        )
        .await?;
    let sealer = connection.sealer();
    rows.into_iter().map(|row| row.open(sealer)).collect()
}

/// The place of a key: keys of an organization's `idp` are bound to the organization.
pub(crate) fn context<'a>(role: &'a str, kid: &'a str) -> Context<'a> {
    let organization = role.strip_prefix("idp/").unwrap_or("");
    Context {
        organization,
        table: "signing_key",
        row: kid,
        column: "sealed",
    }
}
