//! Redirects, sizes, times, trust.

use std::{convert::Infallible, error::Error as _, time::Duration};

use axum::{
    Form, Json, Router,
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Redirect,
    routing::{get, post},
};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use symbolon_net::{FetchError, HttpClient, NetConfig, UrlClass};

use crate::peer::{Authority, Peer, client, loopback_allowed};

const ADMIN: UrlClass = UrlClass::DeploymentAdmin;

/// `AS-172`, `CL-08`.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Peer::start(Router::new()).await;
    let target = elsewhere.url("/").to_string();
    let router = Router::new().route(
        "/",
        get(async move || Redirect::temporary(&target)).post(async || Redirect::to("/other")),
    );
    let peer = Peer::start(router).await;

    let fetched = client().get(ADMIN, &peer.url("/"), 100).await;
    let posted = client()
        .post_form(ADMIN, &peer.url("/"), HeaderMap::new(), &[])
        .await;

    assert!(
        matches!(fetched, Err(FetchError::Redirected { .. })),
        "{fetched:?}"
    );
    assert!(
        matches!(posted, Err(FetchError::Redirected { .. })),
        "{posted:?}"
    );
    assert_eq!(elsewhere.accepted(), 0);
}

fn endless() -> Body {
    Body::from_stream(stream::repeat_with(|| {
        Ok::<_, Infallible>(Bytes::from_static(&[b' '; 1024]))
    }))
}

/// `AS-176`: the body is cut while it arrives; this one never ends.
#[tokio::test]
async fn a_body_larger_than_the_limit_is_cut() {
    let router = Router::new()
        .route("/endless", get(async || endless()))
        .route("/announced", get(async || vec![b' '; 5121]))
        .route("/fits", get(async || vec![b' '; 5120]));
    let peer = Peer::start(router).await;
    for path in ["/endless", "/announced"] {
        let result = client().get(ADMIN, &peer.url(path), 5120).await;
        assert!(
            matches!(result, Err(FetchError::TooLarge { .. })),
            "{result:?}"
        );
    }
    let fits = client().get(ADMIN, &peer.url("/fits"), 5120).await;
    assert_eq!(fits.expect("an answer").body.len(), 5120);
}

#[tokio::test]
async fn an_answer_that_does_not_end_in_time_is_given_up() {
    let stuck = || {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
        Body::from_stream(first.chain(stream::pending()))
    };
    let router = Router::new()
        .route("/body", get(async move || stuck()))
        .route("/headers", get(std::future::pending::<()>));
    let peer = Peer::start(router).await;
    let config = NetConfig {
        total_timeout: Duration::from_millis(200),
        ..loopback_allowed()
    };
    let client = HttpClient::new(config).expect("a client");
    for path in ["/body", "/headers"] {
        let result = client.get(ADMIN, &peer.url(path), 100).await;
        assert!(
            matches!(result, Err(FetchError::TimedOut { .. })),
            "{result:?}"
        );
    }
}

/// `AS-172`.
#[tokio::test]
async fn a_document_is_200_and_json() {
    let with_type = |content_type: &'static str| {
        get(async move || ([(header::CONTENT_TYPE, content_type)], "{\"a\":1}"))
    };
    let router = Router::new()
        .route("/json", with_type("application/json; charset=utf-8"))
        .route("/suffix", with_type("application/client-metadata+json"))
        .route("/html", with_type("text/html"))
        .route(
            "/created",
            get(async || (StatusCode::CREATED, Json(json!({})))),
        )
        .route(
            "/broken",
            get(async || ([(header::CONTENT_TYPE, "application/json")], "{")),
        );
    let peer = Peer::start(router).await;
    let fetch = async |path: &str| {
        let result: Result<Value, _> = client().fetch_json(ADMIN, &peer.url(path), 100).await;
        result
    };
    assert_eq!(fetch("/json").await.expect("a document"), json!({"a": 1}));
    assert_eq!(fetch("/suffix").await.expect("a document"), json!({"a": 1}));
    assert!(matches!(
        fetch("/html").await,
        Err(FetchError::NotJson { .. })
    ));
    assert!(matches!(
        fetch("/broken").await,
        Err(FetchError::NotJson { .. })
    ));
    assert!(matches!(
        fetch("/created").await,
        Err(FetchError::Status { .. })
    ));
    assert!(matches!(
        fetch("/missing").await,
        Err(FetchError::Status { .. })
    ));
}

#[tokio::test]
async fn a_form_is_posted_with_its_headers_and_an_oauth_error_is_an_answer() {
    let echo = async |headers: HeaderMap, Form(form): Form<Value>| {
        let authorization = headers[header::AUTHORIZATION]
            .to_str()
            .expect("ascii")
            .to_owned();
        let body = json!({ "authorization": authorization, "form": form });
        (StatusCode::BAD_REQUEST, Json(body))
    };
    let peer = Peer::start(Router::new().route("/token", post(echo))).await;
    let mut headers = HeaderMap::new();
    headers.insert(
        header::AUTHORIZATION,
        HeaderValue::from_static("Basic YTpi"),
    );
    let form = [("grant_type", "authorization_code"), ("code", "a b&c")];

    let answer = client()
        .post_form(ADMIN, &peer.url("/token"), headers, &form)
        .await;

    let answer = answer.expect("an answer");
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let expected = json!({
        "authorization": "Basic YTpi",
        "form": { "grant_type": "authorization_code", "code": "a b&c" },
    });
    assert_eq!(answer.json::<Value>().expect("json"), expected);
}

/// Design rule 5: nothing that a request carries shows up in its error.
#[tokio::test]
async fn an_error_carries_no_secret() {
    let peer = Peer::start(Router::new()).await;
    let mut url = peer.url("/token?code=url-secret");
    url.set_scheme("https").expect("a scheme");
    let form = [("client_secret", "form-secret")];

    let error = client()
        .post_form(ADMIN, &url, HeaderMap::new(), &form)
        .await;

    let error = error.expect_err("no tls there");
    let source = error.source().map(|source| format!("{source} {source:?}"));
    let text = format!("{error} {error:?} {source:?}");
    assert!(matches!(error, FetchError::Unreachable { .. }), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn a_certificate_counts_only_for_the_connection_that_trusts_it() {
    let authority = Authority::new();
    let peer = Peer::start_tls(&authority, Router::new().route("/", get(async || "hello"))).await;
    let plain = client();
    let trusting = plain
        .trusting(Some(&authority.pem()))
        .expect("a certificate");
    let fetch = async |client: &HttpClient| client.get(ADMIN, &peer.url("/"), 100).await;

    assert!(matches!(
        fetch(&plain).await,
        Err(FetchError::Unreachable { .. })
    ));
    assert_eq!(fetch(&trusting).await.expect("an answer").body, "hello");
    assert!(matches!(
        fetch(&plain).await,
        Err(FetchError::Unreachable { .. })
    ));
    let back = trusting.trusting(None).expect("no certificate");
    assert!(matches!(
        fetch(&back).await,
        Err(FetchError::Unreachable { .. })
    ));
}

#[test]
fn a_pem_text_without_certificate_is_refused() {
    let config = NetConfig {
        ca_pems: vec!["-----BEGIN NONSENSE-----".to_owned()],
        ..NetConfig::default()
    };
    assert!(HttpClient::new(config).is_err());
    assert!(client().trusting(Some("")).is_err());
}
