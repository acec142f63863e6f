//! Authorization codes.

use symbolon_protocol::time::Timestamp;
use symbolon_storage::Store;
use symbolon_storage::authorization_code::{self, AuthorizationCode, Redeemed};
use symbolon_storage::grant::{self, Grant};

use crate::fixture::{MINUTE, NOW, after, granted, new_code, person, write};
use crate::support::for_each_engine;

const HASH: [u8; 32] = [7; 32];

async fn redeem(store: &Store, hash: [u8; 32], now: Timestamp) -> Redeemed {
    write!(store, [], |tx| authorization_code::redeem(tx, &hash, now)
        .await)
}

async fn issued(store: &Store) -> (Grant, AuthorizationCode) {
    let grant = granted(store, &person(store, "ada").await).await;
    let code = new_code(&grant);
    write!(store, [code], |tx| authorization_code::insert(
        tx, &HASH, &code
    )
    .await);
    (grant, code)
}

/// AS-30.
#[tokio::test]
async fn a_code_brings_back_everything_it_is_bound_to() {
    for_each_engine(|store| async move {
        let (_, code) = issued(&store).await;
        assert_eq!(
            redeem(&store, HASH, after(59)).await,
            Redeemed::Once(Box::new(code))
        );
    })
    .await;
}

/// AS-31, N-073.
#[tokio::test]
async fn a_second_redemption_names_the_grant_to_revoke() {
    for_each_engine(|store| async move {
        let (grant, _) = issued(&store).await;
        redeem(&store, HASH, NOW).await;
        let again = Redeemed::AlreadyUsed { grant: grant.id };
        assert_eq!(redeem(&store, HASH, NOW).await, again);
        // However late.
        assert_eq!(redeem(&store, HASH, after(10 * MINUTE)).await, again);
    })
    .await;
}

/// N-072.
#[tokio::test]
async fn an_unknown_or_expired_code_is_nothing() {
    for_each_engine(|store| async move {
        issued(&store).await;
        assert_eq!(redeem(&store, [8; 32], NOW).await, Redeemed::Unknown);
        assert_eq!(redeem(&store, HASH, after(MINUTE)).await, Redeemed::Unknown);
    })
    .await;
}

#[tokio::test]
async fn an_unused_code_ends_with_its_grant() {
    for_each_engine(|store| async move {
        let (grant, _) = issued(&store).await;
        write!(store, [], |tx| grant::revoke(tx, &grant.id, NOW).await);
        assert_eq!(redeem(&store, HASH, NOW).await, Redeemed::Unknown);
    })
    .await;
}

#[tokio::test]
async fn a_redemption_that_is_rolled_back_did_not_happen() {
    for_each_engine(|store| async move {
        let (_, code) = issued(&store).await;
        let rolled_back: Result<(), symbolon_storage::StorageError> = store
            .write(|tx| {
                Box::pin(async move {
                    authorization_code::redeem(tx, &HASH, NOW).await?;
                    Err(symbolon_storage::StorageError::Busy)
                })
            })
            .await;
        assert!(rolled_back.is_err());
        assert_eq!(
            redeem(&store, HASH, NOW).await,
            Redeemed::Once(Box::new(code))
        );
    })
    .await;
}
