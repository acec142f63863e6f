//! The life of signing keys on both engines.

use std::time::Duration;

use symbolon_protocol::ids::KeyId;
use symbolon_protocol::jose::Algorithm;
use symbolon_protocol::time::Timestamp;

use super::*;
use crate::audit::By;
use crate::engine::args;
use crate::follow::Follower;
use crate::support::{for_each_engine, for_each_pair};
use crate::{StorageError, Store};

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
