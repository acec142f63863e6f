//! Keys of issuers: how often they are fetched, how long they serve.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use symbolon_net::{IssuerKeys, IssuerRow, KeySource, KeysError, TestClock, UrlClass};
use symbolon_protocol::{
    jose::{Algorithm, JwkSet},
    time::Timestamp,
};

use crate::{
    issuer::{RemoteIssuer, public_key},
    peer::{self, Peer},
};

const HOUR: Duration = Duration::from_secs(3600);

struct Cache {
    clock: Arc<TestClock>,
    keys: IssuerKeys,
}

impl Cache {
    fn new() -> Self {
        let clock = TestClock::at(Timestamp::from_unix_seconds(1_795_201_200));
        Self {
            keys: IssuerKeys::new(peer::client(), clock.clone()),
            clock,
        }
    }

    /// Looks for the key `kid`, as a token that names it does.
    async fn has(&self, row: &IssuerRow, kid: &str) -> Result<bool, KeysError> {
        let keys = self.keys.keys_for(row, Some(kid), Algorithm::Es256).await?;
        Ok(holds(&keys, kid))
    }
}

fn holds(keys: &JwkSet, kid: &str) -> bool {
    keys.select(Some(kid), Algorithm::Es256).is_ok()
}

#[tokio::test]
async fn keys_are_found_by_discovery_and_fetched_once() {
    let remote = RemoteIssuer::start("one", "max-age=3600").await;
    let cache = Cache::new();
    let row = remote.row("connection/acme");
    for _ in 0..10 {
        assert!(cache.has(&row, "one").await.expect("keys"));
    }
    let metadata = cache.keys.metadata(&row).await.expect("metadata");
    assert_eq!(
        metadata.token_endpoint().expect("an endpoint"),
        &remote.peer.url("/token")
    );
    assert_eq!((remote.metadata_requests(), remote.key_requests()), (1, 1));
}

/// `RS-30`: single flight.
#[tokio::test]
async fn many_callers_at_once_cause_one_request() {
    let remote = RemoteIssuer::start("one", "").await;
    let cache = Cache::new();
    let row = remote.row("connection/acme");
    let found = join_all((0..50).map(|_| cache.has(&row, "one"))).await;
    assert!(found.into_iter().all(|found| found.expect("keys")));
    assert_eq!((remote.metadata_requests(), remote.key_requests()), (1, 1));
}

/// `N-116`, `RS-30`: whatever kids strangers make up, and however many at once.
#[tokio::test]
async fn unknown_kids_cause_one_request_in_thirty_seconds() {
    let remote = RemoteIssuer::start("one", "max-age=86400").await;
    let cache = Cache::new();
    let row = remote.row("connection/acme");
    assert!(cache.has(&row, "one").await.expect("keys"));
    for round in 2..5 {
        let made_up: Vec<String> = (0..20).map(|n| format!("made-up-{n}")).collect();
        let found = join_all(made_up.iter().map(|kid| cache.has(&row, kid))).await;
        assert!(found.into_iter().all(|found| !found.expect("keys")));
        assert_eq!(remote.key_requests(), round);
        cache.clock.advance(Duration::from_secs(29));
        assert!(!cache.has(&row, "made-up").await.expect("keys"));
        assert_eq!(remote.key_requests(), round);
        cache.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(remote.metadata_requests(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_at_its_first_use() {
    let remote = RemoteIssuer::start("one", "max-age=86400").await;
    let cache = Cache::new();
    let row = remote.row("connection/acme");
    assert!(cache.has(&row, "one").await.expect("keys"));
    remote.publish("two");
    assert!(cache.has(&row, "two").await.expect("keys"));
    assert!(cache.has(&row, "one").await.expect("keys"));
    assert_eq!(remote.key_requests(), 2);
}

/// A token without `kid` cannot say that its key is new: the caller asks after a signature that no
/// key made.
#[tokio::test]
async fn keys_can_be_renewed_for_tokens_without_kid() {
    let remote = RemoteIssuer::start("one", "").await;
    let cache = Cache::new();
    let row = remote.row("connection/acme");
    cache.keys.keys(&row).await.expect("keys");
    remote.publish("two");
    for _ in 0..5 {
        let keys = cache.keys.renewed_keys(&row).await.expect("keys");
        assert!(holds(&keys, "two"));
    }
    assert_eq!(remote.key_requests(), 2);
}

/// `RS-30`: `max-age` within five minutes and a day; an hour without it.
#[tokio::test]
async fn keys_are_kept_as_long_as_the_issuer_says_within_bounds() {
    for (cache_control, seconds) in [
        ("max-age=600", 600),
        ("max-age=0", 300),
        ("no-store", 300),
        ("public, max-age=864000", 86_400),
        ("", 3600),
    ] {
        let remote = RemoteIssuer::start("one", cache_control).await;
        let cache = Cache::new();
        let row = remote.row("connection/acme");
        cache.keys.keys(&row).await.expect("keys");
        cache.clock.advance(Duration::from_secs(seconds - 1));
        cache.keys.keys(&row).await.expect("keys");
        assert_eq!(remote.key_requests(), 1, "{cache_control}");
        cache.clock.advance(Duration::from_secs(1));
        cache.keys.keys(&row).await.expect("keys");
        assert_eq!(remote.key_requests(), 2, "{cache_control}");
    }
}

/// `N-150`, `RS-30`.
#[tokio::test]
async fn old_keys_serve_one_hour_while_the_issuer_is_down_and_then_nothing_does() {
    let remote = RemoteIssuer::start("one", "max-age=3600").await;
    let cache = Cache::new();
    let row = remote.row("connection/acme");
    cache.keys.keys(&row).await.expect("keys");
    remote.set_down(true);

    cache.clock.advance(HOUR + HOUR - Duration::from_secs(1));
    assert!(cache.has(&row, "one").await.expect("old keys"));
    cache.clock.advance(Duration::from_secs(1));
    let refused = cache.has(&row, "one").await;
    assert!(
        matches!(refused, Err(KeysError::Unavailable { .. })),
        "{refused:?}"
    );

    remote.set_down(false);
    cache.clock.advance(Duration::from_secs(10));
    assert!(cache.has(&row, "one").await.expect("keys again"));
}

/// `RS-30`: a failure is remembered, so an issuer that is down is not asked for every token.
#[tokio::test]
async fn a_failure_is_remembered_for_ten_seconds() {
    let remote = RemoteIssuer::start("one", "").await;
    remote.set_down(true);
    let cache = Cache::new();
    let row = IssuerRow {
        source: KeySource::JwksUri(remote.peer.url("/jwks")),
        ..remote.row("trusted_issuer/acme")
    };
    for round in 1..3 {
        let results = join_all((0..20).map(|_| cache.has(&row, "one"))).await;
        assert!(results.iter().all(Result::is_err));
        assert_eq!(remote.key_requests(), round);
        cache.clock.advance(Duration::from_secs(10));
    }
    remote.set_down(false);
    assert!(cache.has(&row, "one").await.expect("keys"));
}

/// An unknown kid while the issuer is down leaves the known keys in use.
#[tokio::test]
async fn an_outage_does_not_take_fresh_keys_away() {
    let remote = RemoteIssuer::start("one", "max-age=3600").await;
    let cache = Cache::new();
    let row = remote.row("connection/acme");
    assert!(cache.has(&row, "one").await.expect("keys"));
    remote.set_down(true);
    assert!(!cache.has(&row, "two").await.expect("known keys"));
    assert!(cache.has(&row, "one").await.expect("known keys"));
}

/// One caller waits for an issuer that does not answer; the others use the old keys meanwhile.
#[tokio::test]
async fn a_slow_issuer_delays_one_caller_only() {
    let remote = RemoteIssuer::start("one", "max-age=600").await;
    let cache = Cache::new();
    let row = remote.row("connection/acme");
    cache.keys.keys(&row).await.expect("keys");
    remote.get_stuck();
    cache.clock.advance(Duration::from_secs(600));

    let mut first = Box::pin(cache.has(&row, "one"));
    while remote.key_requests() < 2 {
        assert!(futures_util::poll!(&mut first).is_pending());
        tokio::task::yield_now().await;
    }
    assert!(cache.has(&row, "one").await.expect("old keys"));
    assert!(futures_util::poll!(&mut first).is_pending());
}

/// Design rule 11: keys are cached per row.
#[tokio::test]
async fn rows_share_no_keys_and_an_edited_row_starts_anew() {
    let one = RemoteIssuer::start("one", "").await;
    let two = RemoteIssuer::start("two", "").await;
    let cache = Cache::new();
    cache
        .keys
        .keys(&one.row("connection/acme"))
        .await
        .expect("keys");
    cache
        .keys
        .keys(&one.row("connection/globex"))
        .await
        .expect("keys");
    assert_eq!(one.key_requests(), 2);

    let edited = cache
        .keys
        .keys(&two.row("connection/acme"))
        .await
        .expect("keys");
    assert!(holds(&edited, "two") && !holds(&edited, "one"));
}

#[tokio::test]
async fn keys_may_be_in_the_row_itself() {
    let text = json!({ "keys": [public_key("inline")] }).to_string();
    let row = |text: &str| IssuerRow {
        id: "client/nightly-sync".to_owned(),
        class: UrlClass::OrganizationAdmin,
        source: KeySource::Inline(text.into()),
        ca_pem: None,
    };
    let cache = Cache::new();
    assert!(cache.has(&row(&text), "inline").await.expect("keys"));
    assert!(!cache.has(&row(&text), "other").await.expect("keys"));
    assert!(cache.keys.keys(&row("{}")).await.is_err());
    assert!(cache.keys.metadata(&row(&text)).await.is_err());
}

/// A caller that goes away does not break off what others wait for, nor count as a failure.
#[tokio::test]
async fn a_caller_that_gives_up_does_not_stop_the_fetch() {
    let remote = RemoteIssuer::start("one", "").await;
    let cache = Cache::new();
    let row = remote.row("connection/acme");
    {
        let mut first = Box::pin(cache.has(&row, "one"));
        assert!(futures_util::poll!(&mut first).is_pending());
    }
    assert!(cache.has(&row, "one").await.expect("keys"));
    assert_eq!(remote.key_requests(), 1);
}

#[tokio::test]
async fn a_key_set_that_shows_private_keys_is_refused() {
    let set = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0", "kid": "one" }] }).to_string();
    let router = axum::Router::new().route("/jwks", axum::routing::get(async move || set));
    let peer = Peer::start(router).await;
    let row = IssuerRow {
        id: "trusted_issuer/acme".to_owned(),
        class: UrlClass::DeploymentAdmin,
        source: KeySource::JwksUri(peer.url("/jwks")),
        ca_pem: None,
    };
    assert!(Cache::new().keys.keys(&row).await.is_err());
}
