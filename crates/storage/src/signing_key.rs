//! Signing keys, per authorization server and purpose, sealed (design §8 and §4 rule 19).
//!
//! A key is published before it is used and kept until the last token under it has expired:
//! `published_at` ≤ `active_from` < `retired_at` < `forget_after`. The key that signs at a time is
//! the youngest that is active then.

use std::time::Duration;

use serde_json::Value;
use symbolon_protocol::ids::KeyId;
use symbolon_protocol::jose::{Algorithm, SigningKey};
use symbolon_protocol::time::Timestamp;
use zeroize::Zeroizing;

use crate::audit::{self, Action, AuditEvent, By};
use crate::definition;
use crate::engine::{Record, Row, args};
use crate::news::{Announcement, Topic};
use crate::seal::{Context, Sealer};
use crate::{Connection, StorageError, Store, Transaction};

/// Name of the owner of keys that belong to no authorization server: the audit trail's.
pub const DEPLOYMENT: &str = "deployment";

/// What a key signs; never anything else.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum KeyPurpose {
    /// Access tokens.
    Token,
    /// ID-JAGs.
    IdJag,
    /// ID tokens.
    IdToken,
    /// Checkpoints of the audit trail.
    Audit,
    /// What the gateway tells an upstream about the caller.
    IdentityHeader,
}

impl KeyPurpose {
    /// Every purpose.
    pub const ALL: [Self; 5] = [
        Self::Token,
        Self::IdJag,
        Self::IdToken,
        Self::Audit,
        Self::IdentityHeader,
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::IdJag => "id_jag",
            Self::IdToken => "id_token",
            Self::Audit => "audit",
            Self::IdentityHeader => "identity_header",
        }
    }
}

/// Which keys are meant: those of one owner, for one purpose, with one algorithm.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyUse {
    /// `as`, `idp/{organization}` or [`DEPLOYMENT`].
    pub role: String,
    /// What they sign.
    pub purpose: KeyPurpose,
    /// With which algorithm.
    pub algorithm: Algorithm,
}

/// How long the steps of a rotation take.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// How long a new key is published before it signs.
    pub ahead: Duration,
    /// How long what the old key signed stays valid; the old key is kept for that long.
    pub kept: Duration,
}

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

/// Creates the key of a use that has none; it signs at once. Answers whether it did.
///
/// # Errors
/// [`StorageError`].
pub async fn ensure(
    store: &Store,
    usage: KeyUse,
    by: By,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let wanted = usage.clone();
    if store
        .read(|c| Box::pin(async move { exists(c, &wanted).await }))
        .await?
    {
        return Ok(false);
    }
    let pkcs8 = generate(usage.algorithm).await?;
    store
        .write(move |tx| {
            Box::pin(async move {
                definition::lock(tx).await?;
                // Another node may have been faster.
                if exists(tx, &usage).await? {
                    return Ok(false);
                }
                insert(
                    tx,
                    &NewKey {
                        usage,
                        pkcs8,
                        published_at: now,
                        active_from: now,
                    },
                    &by,
                )
                .await?;
                Ok(true)
            })
        })
        .await
}

/// Publishes a new key, which takes over after [`Rotation::ahead`]; the keys before it retire then.
///
/// # Errors
/// [`StorageError`].
pub async fn rotate(
    store: &Store,
    usage: KeyUse,
    rotation: Rotation,
    by: By,
    now: Timestamp,
) -> Result<KeyId, StorageError> {
    let pkcs8 = generate(usage.algorithm).await?;
    store
        .write(move |tx| {
            Box::pin(async move {
                definition::lock(tx).await?;
                let active_from = now.plus(rotation.ahead);
                retire(
                    tx,
                    &usage,
                    active_from,
                    active_from.plus(rotation.kept),
                    (&by, now),
                )
                .await?;
                insert(
                    tx,
                    &NewKey {
                        usage,
                        pkcs8,
                        published_at: now,
                        active_from,
                    },
                    &by,
                )
                .await
            })
        })
        .await
}

/// Removes keys whose last token has expired; answers how many there were.
///
/// # Errors
/// [`StorageError`].
pub async fn forget(tx: &mut Transaction, now: Timestamp) -> Result<u64, StorageError> {
    let gone = tx
        .execute(
            "DELETE FROM signing_key WHERE forget_after < $1",
            args![now],
        )
        .await?;
    if gone > 0 {
        tx.announce(Announcement {
            topic: Topic::Keys,
            subject: String::new(),
            at: now,
        });
    }
    Ok(gone)
}

struct NewKey {
    usage: KeyUse,
    pkcs8: Zeroizing<Vec<u8>>,
    published_at: Timestamp,
    active_from: Timestamp,
}

/// RSA keys take a second to find: not on the threads that answer requests.
async fn generate(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    let generated = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
    generated
        .map_err(|_| StorageError::Panicked)?
        .map_err(|error| StorageError::corrupt("signing_key", error))
}

struct Found;

impl Record for Found {
    fn read(_: &Row) -> Result<Self, StorageError> {
        Ok(Self)
    }
}

async fn exists(connection: &mut Connection, usage: &KeyUse) -> Result<bool, StorageError> {
    let found: Option<Found> = connection
        .fetch_optional(
            "SELECT kid FROM signing_key
             WHERE role = $1 AND purpose = $2 AND algorithm = $3 AND retired_at IS NULL LIMIT 1",
            args![
                &usage.role,
                usage.purpose.as_str(),
                usage.algorithm.as_str()
            ],
        )
        .await?;
    Ok(found.is_some())
}

async fn insert(tx: &mut Transaction, new: &NewKey, by: &By) -> Result<KeyId, StorageError> {
    let NewKey {
        usage,
        pkcs8,
        published_at,
        active_from,
    } = new;
    let kid = KeyId::generate();
    let sealed = tx.sealer().seal(context(&usage.role, kid.as_str()), pkcs8);
    let key = SigningKey::from_pkcs8(usage.algorithm, kid.clone(), pkcs8)
        .map_err(|error| StorageError::corrupt("signing_key", error))?;
    tx.execute(
        "INSERT INTO signing_key
             (kid, role, purpose, algorithm, sealed, public_jwk, published_at, active_from)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![
            &kid,
            &usage.role,
            usage.purpose.as_str(),
            usage.algorithm.as_str(),
            sealed,
            key.public_jwk().to_string(),
            *published_at,
            *active_from,
        ],
    )
    .await?;
    let event = event(Action::KEY_CREATED, usage, by, *published_at).with_text("kid", &kid);
    audit::append(tx, &event).await?;
    let subject = usage.role.clone();
    tx.announce(Announcement {
        topic: Topic::Keys,
        subject,
        at: *published_at,
    });
    Ok(kid)
}

/// Retires every key of a use that has not retired yet.
async fn retire(
    tx: &mut Transaction,
    usage: &KeyUse,
    retired_at: Timestamp,
    forget_after: Timestamp,
    (by, now): (&By, Timestamp),
) -> Result<(), StorageError> {
    let retired = tx
        .execute(
            "UPDATE signing_key SET retired_at = $4, forget_after = $5
             WHERE role = $1 AND purpose = $2 AND algorithm = $3 AND retired_at IS NULL",
            args![
                &usage.role,
                usage.purpose.as_str(),
                usage.algorithm.as_str(),
                retired_at,
                forget_after,
            ],
        )
        .await?;
    let event = event(Action::KEY_RETIRED, usage, by, now)
        .with("count", retired)
        .with_text("retired_at", retired_at);
    audit::append(tx, &event).await
}

fn event(action: Action, usage: &KeyUse, by: &By, now: Timestamp) -> AuditEvent {
    AuditEvent::new(action, by, now)
        .with("role", usage.role.as_str())
        .with("purpose", usage.purpose.as_str())
        .with("algorithm", usage.algorithm.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::Follower;
    use crate::support::{for_each_engine, for_each_pair};

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
    const MINUTE: Duration = Duration::from_secs(60);
    const ROTATION: Rotation = Rotation {
        ahead: MINUTE,
        kept: Duration::from_secs(60 * 60),
    };

    fn usage() -> KeyUse {
        KeyUse {
            role: "as".to_owned(),
            purpose: KeyPurpose::Token,
            algorithm: Algorithm::Es256,
        }
    }

    async fn keys(store: &Store) -> Vec<StoredKey> {
        store.read(|c| Box::pin(list(c))).await.unwrap()
    }

    fn kid(keys: &[StoredKey], now: Timestamp) -> &KeyId {
        active(keys, &usage(), now)
            .expect("a key is active")
            .key
            .kid()
    }

    #[tokio::test]
    async fn a_key_is_made_once_by_however_many_nodes() {
        for_each_pair(|first, second| async move {
            let (a, b) = tokio::join!(
                ensure(&first, usage(), By::system(), NOW),
                ensure(&second, usage(), By::system(), NOW)
            );
            assert_ne!(a.unwrap(), b.unwrap());
            assert_eq!(keys(&first).await.len(), 1);
            assert!(!ensure(&second, usage(), By::system(), NOW).await.unwrap());
        })
        .await;
    }

    #[tokio::test]
    async fn a_key_is_published_before_it_signs_and_kept_after() {
        for_each_engine(|store| async move {
            ensure(&store, usage(), By::system(), NOW).await.unwrap();
            let first = kid(&keys(&store).await, NOW).clone();
            let second = rotate(&store, usage(), ROTATION, By::system(), NOW)
                .await
                .unwrap();

            let both = keys(&store).await;
            assert_eq!(public_jwks(&both, "as").len(), 2);
            assert!(public_jwks(&both, "idp/acme").is_empty());
            assert_eq!(*kid(&both, NOW), first);
            assert_eq!(*kid(&both, NOW.plus(MINUTE)), second);

            let last_token = NOW.plus(MINUTE).plus(ROTATION.kept);
            let forget_at = async |now| {
                store
                    .write(move |tx| Box::pin(forget(tx, now)))
                    .await
                    .unwrap()
            };
            assert_eq!(forget_at(last_token).await, 0);
            assert_eq!(forget_at(last_token.plus(MINUTE)).await, 1);
            assert_eq!(*keys(&store).await[0].key.kid(), second);
        })
        .await;
    }

    #[tokio::test]
    async fn other_nodes_hear_of_a_new_key() {
        for_each_pair(|first, second| async move {
            let mut follower = Follower::start(second, Default::default(), NOW)
                .await
                .unwrap();
            rotate(&first, usage(), ROTATION, By::system(), NOW)
                .await
                .unwrap();
            assert!(follower.poll(NOW).await.unwrap().keys);
        })
        .await;
    }

    #[tokio::test]
    async fn a_key_moved_to_another_organization_does_not_open() {
        for_each_engine(|store| async move {
            let usage = KeyUse {
                role: "idp/acme".to_owned(),
                ..usage()
            };
            ensure(&store, usage, By::system(), NOW).await.unwrap();
            let sql = "UPDATE signing_key SET role = 'idp/beta'";
            store
                .write(move |tx| Box::pin(tx.execute(sql, args![])))
                .await
                .unwrap();
            let error = store.read(|c| Box::pin(list(c))).await.unwrap_err();
            assert!(matches!(error, StorageError::Seal(_)), "{error:?}");
        })
        .await;
    }
}
