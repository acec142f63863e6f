//! Values that may be used once.

use symbolon_storage::Store;
use symbolon_storage::single_use::{self, SingleUse};

use crate::fixture::{after, write};
use crate::support::for_each_engine;

async fn claim(store: &Store, kind: SingleUse, scope: &'static str, value: &str) -> bool {
    let value = value.to_owned();
    write!(store, [], |tx| single_use::claim(
        tx,
        kind,
        scope,
        &value,
        after(60)
    )
    .await)
}

/// AS-100, N-126.
#[tokio::test]
async fn a_value_is_claimed_once() {
    for_each_engine(|store| async move {
        assert!(claim(&store, SingleUse::IdJag, "https://idp.example", "jti").await);
        assert!(!claim(&store, SingleUse::IdJag, "https://idp.example", "jti").await);
    })
    .await;
}

#[tokio::test]
async fn another_kind_scope_or_value_is_another_thing() {
    for_each_engine(|store| async move {
        assert!(claim(&store, SingleUse::IdJag, "https://idp.example", "jti").await);
        assert!(
            claim(
                &store,
                SingleUse::ClientAssertion,
                "https://idp.example",
                "jti"
            )
            .await
        );
        assert!(claim(&store, SingleUse::IdJag, "https://idp.examplej", "ti").await);
        assert!(claim(&store, SingleUse::IdJag, "https://idp.example", "jtI").await);
    })
    .await;
}

#[tokio::test]
async fn the_length_of_a_value_does_not_matter() {
    for_each_engine(|store| async move {
        let long = "j".repeat(16 * 1024);
        assert!(claim(&store, SingleUse::IdJag, "https://idp.example", &long).await);
        assert!(!claim(&store, SingleUse::IdJag, "https://idp.example", &long).await);
    })
    .await;
}
