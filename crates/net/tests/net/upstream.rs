//! The streaming client of the gateway.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use symbolon_net::{HttpClient, Names, NetConfig, UrlClass, upstream};
use tokio::sync::oneshot;
use url::Url;

use crate::peer::{Authority, Peer, client, loopback, loopback_allowed};

fn hello() -> Router {
    Router::new().route("/mcp", get(async || "hello"))
}

fn request(url: &Url) -> Request<Body> {
    Request::get(url.as_str())
        .body(Body::empty())
        .expect("a request")
}

fn upstream(net: &HttpClient) -> upstream::Client<Body> {
    upstream::client(net, UrlClass::DeploymentAdmin).expect("a client")
}

async fn text(answer: hyper::Response<Incoming>) -> Bytes {
    answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes()
}

#[tokio::test]
async fn an_event_passes_before_the_next_one_is_sent() {
    let (send, released) = oneshot::channel::<()>();
    let released = Arc::new(Mutex::new(Some(released)));
    let events = move || {
        let released = released
            .lock()
            .expect("one request")
            .take()
            .expect("one request");
        let last = stream::once(async move {
            released.await.expect("released by the test");
            Ok::<_, Infallible>("data: 2\n\n")
        });
        let body = Body::from_stream(stream::iter([Ok("data: 1\n\n")]).chain(last));
        ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
    };
    let peer = Peer::start(Router::new().route("/mcp", get(async move || events()))).await;

    let answer = upstream(&client())
        .request(request(&peer.url("/mcp")))
        .await;

    let mut body = answer.expect("an answer").into_body();
    let first = body.frame().await.expect("a frame").expect("no error");
    assert_eq!(first.into_data().expect("data"), "data: 1\n\n");
    send.send(()).expect("the server waits");
    let second = body.frame().await.expect("a frame").expect("no error");
    assert_eq!(second.into_data().expect("data"), "data: 2\n\n");
}

#[tokio::test]
async fn a_request_body_streams_and_connections_are_reused() {
    let peer = Peer::start(Router::new().route("/mcp", post(async |body: Bytes| body))).await;
    let upstream = upstream(&client());
    for _ in 0..5 {
        let chunks = stream::iter(["{\"a\"", ":1}"].map(Ok::<_, Infallible>));
        let request = Request::post(peer.url("/mcp").as_str()).body(Body::from_stream(chunks));
        let answer = upstream
            .request(request.expect("a request"))
            .await
            .expect("an answer");
        assert_eq!(text(answer).await, "{\"a\":1}");
    }
    assert_eq!(peer.accepted(), 1);
}

/// `CL-08`, `N-041`: also where the host is written in a form that only the resolver understands.
#[tokio::test]
async fn an_upstream_that_is_not_allowed_is_refused_before_connecting() {
    let peer = Peer::start(hello()).await;
    let net = HttpClient::new(NetConfig::default()).expect("a client");
    let upstream = upstream(&net);
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
    ] {
        for scheme in ["http", "https"] {
            let port = peer.address.port();
            let request = Request::get(format!("{scheme}://{host}:{port}/mcp"));
            let result = upstream
                .request(request.body(Body::empty()).expect("a request"))
                .await;
            assert!(
                result.expect_err("refused").is_connect(),
                "{scheme}://{host}"
            );
        }
    }
    assert_eq!(peer.accepted(), 0);
}

/// Plain http needs an allowed address even where the name could be reached by https.
#[tokio::test]
async fn an_upstream_speaks_plain_http_in_allowed_networks_only() {
    let peer = Peer::start(hello()).await;
    let config = |allow: &str| NetConfig {
        allow: vec![allow.parse().expect("a network")],
        names: Names::answered_by(|_| loopback()),
        ..NetConfig::default()
    };
    let url = peer.url_at("tracker.example", "/mcp");

    let elsewhere = HttpClient::new(config("10.0.0.0/8")).expect("a client");
    let refused = upstream(&elsewhere).request(request(&url)).await;
    assert!(refused.expect_err("refused").is_connect());
    assert_eq!(peer.accepted(), 0);

    let here = HttpClient::new(config("127.0.0.0/8")).expect("a client");
    let answer = upstream(&here)
        .request(request(&url))
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_upstream_may_have_a_certificate_of_a_private_authority() {
    let authority = Authority::new();
    let peer = Peer::start_tls(&authority, hello()).await;
    let net = HttpClient::new(loopback_allowed()).expect("a client");
    let trusting = net.trusting(Some(&authority.pem())).expect("a certificate");

    let refused = upstream(&net).request(request(&peer.url("/mcp"))).await;
    let answer = upstream(&trusting)
        .request(request(&peer.url("/mcp")))
        .await;

    assert!(refused.expect_err("unknown authority").is_connect());
    assert_eq!(text(answer.expect("an answer")).await, "hello");
}
