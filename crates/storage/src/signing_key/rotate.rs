//! Making, rotating and forgetting signing keys.

use std::time::Duration;

use symbolon_protocol::ids::KeyId;
use symbolon_protocol::jose::{Algorithm, SigningKey};
use symbolon_protocol::time::Timestamp;
use zeroize::Zeroizing;

use super::{KeyUse, context};
use crate::audit::{self, Action, AuditEvent, By};
use crate::definition;
use crate::engine::{Record, Row, args};
use crate::news::{Announcement, Topic};
use crate::{Connection, StorageError, Store, Transaction};

/// How long the steps of a rotation take.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// How long a new key is published before it signs.
    pub ahead: Duration,
    /// How long what the old key signed stays valid; the old key is kept for that long.
    pub kept: Duration,
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
