//! Where metadata is looked for and when it counts.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    http::{StatusCode, Uri},
    response::{Html, IntoResponse, Response},
};
use serde_json::{Value, json};
use symbolon_net::{
    FetchError, HttpClient, NetConfig, UrlClass,
    discovery::{self, Discovered, DiscoveryError},
};
use symbolon_protocol::issuer::Issuer;

use crate::peer::{Peer, client};

const RFC_8414: &str = "/.well-known/oauth-authorization-server/t1";
const OPENID_INSERTED: &str = "/.well-known/openid-configuration/t1";
const OPENID_APPENDED: &str = "/t1/.well-known/openid-configuration";

/// A host that answers `document` at `place`, `otherwise` everywhere else, and notes what was asked
/// for.
async fn host(
    place: &'static str,
    document: impl Fn(&str) -> Value + Clone + Send + Sync + 'static,
    otherwise: impl Fn() -> Response + Clone + Send + Sync + 'static,
) -> (Peer, Issuer, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let answer = async move |headers: axum::http::HeaderMap, uri: Uri| {
        seen.lock().expect("asked").push(uri.path().to_owned());
        let host = headers["host"].to_str().expect("ascii").to_owned();
        let issuer = format!("http://{host}/t1");
        if uri.path() == place {
            Json(document(&issuer)).into_response()
        } else {
            otherwise()
        }
    };
    let peer = Peer::start(Router::new().fallback(answer)).await;
    let issuer = Issuer::parse(peer.url("/t1").as_str()).expect("an issuer");
    (peer, issuer, asked)
}

fn exact(issuer: &str) -> Value {
    json!({ "issuer": issuer, "place": "found" })
}

fn not_found() -> Response {
    StatusCode::NOT_FOUND.into_response()
}

async fn fetch(issuer: &Issuer) -> Result<Discovered<Value>, DiscoveryError> {
    discovery::fetch(&client(), UrlClass::DeploymentAdmin, issuer).await
}

/// `CL-05`: and the root document of an issuer with a path is never asked for.
#[tokio::test]
async fn metadata_is_looked_for_in_the_order_of_the_specification() {
    let (_peer, issuer, asked) = host(OPENID_APPENDED, exact, not_found).await;
    let found = fetch(&issuer).await.expect("metadata");
    assert_eq!(found.metadata["place"], "found");
    let asked = asked.lock().expect("asked");
    assert_eq!(*asked, [RFC_8414, OPENID_INSERTED, OPENID_APPENDED]);
}

#[tokio::test]
async fn the_first_place_that_has_metadata_is_enough() {
    let (_peer, issuer, asked) = host(RFC_8414, exact, not_found).await;
    fetch(&issuer).await.expect("metadata");
    assert_eq!(*asked.lock().expect("asked"), [RFC_8414]);
}

#[tokio::test]
async fn a_host_with_a_page_for_every_path_does_not_hide_its_metadata() {
    let page = || Html("<h1>Welcome</h1>").into_response();
    let (_peer, issuer, _) = host(OPENID_APPENDED, exact, page).await;
    assert!(fetch(&issuer).await.is_ok());
}

/// `CL-06`: byte for byte.
#[tokio::test]
async fn metadata_of_another_issuer_is_discarded() {
    let others: [fn(&str) -> Value; 4] = [
        |issuer| json!({ "issuer": format!("{issuer}/") }),
        |issuer| json!({ "issuer": issuer.to_uppercase() }),
        |_| json!({ "issuer": "https://idp.example" }),
        |_| json!({ "place": "no issuer at all" }),
    ];
    for other in others {
        let (_peer, issuer, asked) = host(OPENID_INSERTED, other, not_found).await;
        let error = fetch(&issuer).await.expect_err("another issuer");
        assert!(
            matches!(error, DiscoveryError::OtherIssuer { .. }),
            "{error:?}"
        );
        assert_eq!(asked.lock().expect("asked").len(), 3);
    }
}

#[tokio::test]
async fn a_host_that_may_not_be_reached_is_not_asked() {
    let (peer, issuer, _) = host(RFC_8414, exact, not_found).await;
    let net = HttpClient::new(NetConfig::default()).expect("a client");
    let found = discovery::fetch::<Value>(&net, UrlClass::Stranger, &issuer).await;
    let Err(DiscoveryError::Fetch { source, .. }) = found else {
        panic!("{found:?}");
    };
    assert!(
        matches!(source, FetchError::UrlRefused { .. }),
        "{source:?}"
    );
    assert_eq!(peer.accepted(), 0);
}
