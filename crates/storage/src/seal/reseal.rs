//! Sealing everything again under the current key-encryption key, after a new one was configured.
//!
//! One transaction: afterwards the old key is not needed any more. Values that are sealed under the
//! current key already are left alone, so that it may be run again.

use symbolon_protocol::time::Timestamp;

use crate::audit::{self, Action, AuditEvent, By};
use crate::definition::{self, Key};
use crate::engine::{Record, Row, args};
use crate::{StorageError, Transaction, instance, secret_key, signing_key};

/// Seals every value again that is sealed under an older key; answers how many there were.
///
/// The store must have been opened with a sealer that opens the old key and seals with the new one.
///
/// # Errors
/// [`StorageError::Seal`] when a value does not open; then nothing is changed.
pub async fn reseal(tx: &mut Transaction, by: &By, now: Timestamp) -> Result<u64, StorageError> {
    let count = instance::reseal(tx).await?
        + definitions(tx).await?
        + signing_keys(tx).await?
        + secret_keys(tx).await?;
    if count > 0 {
        let event = AuditEvent::new(Action::KEY_RESEALED, by, now).with("count", count);
        audit::append(tx, &event).await?;
    }
    Ok(count)
}

struct Definition {
    key: Key,
    sealed: Vec<u8>,
}

impl Record for Definition {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            key: Key::read(row)?,
            sealed: row.get("sealed")?,
        })
    }
}

async fn definitions(tx: &mut Transaction) -> Result<u64, StorageError> {
    // Nobody may write one meanwhile.
    definition::lock(tx).await?;
    let sql = "SELECT kind, owner, id, sealed FROM definition WHERE sealed IS NOT NULL";
    let rows: Vec<Definition> = tx.fetch_all(sql, args![]).await?;
    let mut count = 0;
    for Definition { key, sealed } in rows {
        let row = definition::row_name(&key);
        let context = definition::context(&key, &row);
        let Some(resealed) = tx.sealer().reseal(context, &sealed)? else {
            continue;
        };
        count += tx
            .execute(
                "UPDATE definition SET sealed = $4 WHERE kind = $1 AND owner = $2 AND id = $3",
                args![key.kind.as_str(), key.owner.as_str(), &key.id, resealed],
            )
            .await?;
    }
    Ok(count)
}

struct Named {
    name: String,
    role: String,
    sealed: Vec<u8>,
}

impl Record for Named {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            name: row.get("name")?,
            role: row.get("role")?,
            sealed: row.get("sealed")?,
        })
    }
}

async fn signing_keys(tx: &mut Transaction) -> Result<u64, StorageError> {
    let sql = "SELECT kid AS name, role, sealed FROM signing_key";
    let rows: Vec<Named> = tx.fetch_all(sql, args![]).await?;
    let mut count = 0;
    for Named { name, role, sealed } in rows {
        let context = signing_key::context(&role, &name);
        if let Some(resealed) = tx.sealer().reseal(context, &sealed)? {
            let sql = "UPDATE signing_key SET sealed = $2 WHERE kid = $1";
            count += tx.execute(sql, args![name, resealed]).await?;
        }
    }
    Ok(count)
}

async fn secret_keys(tx: &mut Transaction) -> Result<u64, StorageError> {
    let sql = "SELECT purpose AS name, '' AS role, sealed FROM secret_key";
    let rows: Vec<Named> = tx.fetch_all(sql, args![]).await?;
    let mut count = 0;
    for Named { name, sealed, .. } in rows {
        if let Some(resealed) = tx.sealer().reseal(secret_key::context(&name), &sealed)? {
            let sql = "UPDATE secret_key SET sealed = $2 WHERE purpose = $1";
            count += tx.execute(sql, args![name, resealed]).await?;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use symbolon_protocol::jose::Algorithm;
    use symbolon_protocol::secret::Secret;

    use super::*;
    use crate::definition::{Change, Draft, Kind, Secrets};
    use crate::seal::KeyEncryptionKey;
    use crate::signing_key::{KeyPurpose, KeyUse};
    use crate::support::{Schema, sqlite_file};
    use crate::{OpenOptions, Sealer, Store};

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    async fn open(url: &str, sealer: Sealer) -> Result<Store, StorageError> {
        Store::open(
            url,
            sealer,
            OpenOptions {
                migrate: true,
                create: true,
            },
        )
        .await
    }

    /// One sealed value of every kind.
    async fn populate(store: &Store) {
        let organization = json!({"id": "acme", "name": "Acme"});
        let connection = json!({"id": "c", "organization": "acme", "protocol": "oidc",
                                "client_id": "x", "issuer": "https://login.acme.example"});
        let secret = ("client_secret".to_owned(), Secret::new("s3cret"));
        let changes = vec![
            Draft::new(Kind::Organization, organization, Secrets::new()).unwrap(),
            Draft::new(Kind::Connection, connection, Secrets::from([secret])).unwrap(),
        ];
        let changes = changes.into_iter().map(Change::Put).collect();
        store
            .write(|tx| {
                Box::pin(async move {
                    secret_key::ensure_all(tx, NOW).await?;
                    definition::apply(tx, changes, &By::system(), NOW).await
                })
            })
            .await
            .unwrap();
        let usage = KeyUse {
            role: "idp/acme".to_owned(),
            purpose: KeyPurpose::IdJag,
            algorithm: Algorithm::Es256,
        };
        signing_key::ensure(store, usage, By::system(), NOW)
            .await
            .unwrap();
    }

    async fn reseal_all(store: &Store) -> u64 {
        let resealed =
            store.write(|tx| Box::pin(async move { reseal(tx, &By::system(), NOW).await }));
        resealed.await.unwrap()
    }

    async fn check(url: &str) {
        let first = KeyEncryptionKey::generate();
        let second = first.successor();
        let store = open(url, Sealer::new(&first)).await.unwrap();
        populate(&store).await;
        store.close().await;
        let error = open(url, Sealer::new(&second)).await.err().unwrap();
        assert!(matches!(error, StorageError::WrongKey), "{error:?}");

        let both = Sealer::new(&second).also_opening(&first);
        let store = open(url, both).await.unwrap();
        assert_eq!(
            reseal_all(&store).await,
            7,
            "instance, connection, signing key, 4 secrets"
        );
        assert_eq!(reseal_all(&store).await, 0);
        store.close().await;

        let store = open(url, Sealer::new(&second)).await.unwrap();
        let definitions = store
            .read(|c| Box::pin(definition::list_all(c)))
            .await
            .unwrap();
        assert_eq!(
            definitions[1].secrets["client_secret"],
            Secret::new("s3cret")
        );
        let keys = store
            .read(|c| Box::pin(signing_key::list(c)))
            .await
            .unwrap();
        assert_eq!(keys.len(), 1);
        store.read(|c| Box::pin(secret_key::load(c))).await.unwrap();
        store.close().await;
        assert!(
            open(url, Sealer::new(&first)).await.is_err(),
            "the old key opens nothing"
        );
    }

    #[tokio::test]
    async fn everything_opens_with_the_new_key_alone_after_resealing() {
        let (_directory, url) = sqlite_file();
        check(&url).await;
        if let Some(schema) = Schema::create().await {
            check(&schema.url).await;
            schema.remove().await;
        }
    }
}
