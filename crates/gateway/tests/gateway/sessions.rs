//! Legacy sessions (requirements RS-80 to RS-85, N-217, N-219).

use axum::body::Body;
use axum::response::Response;
use http::Request;
use serde_json::{Value, json};

use crate::builder::world;
use crate::request::legacy;
use crate::upstream::result;
use crate::world::{World, person};

fn initialize() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c"}}})
}

fn list() -> Value {
    json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})
}

fn initialized() -> Response {
    let mut response = result(&json!(1), json!({"protocolVersion": "2025-11-25"}));
    response
        .headers_mut()
        .insert("mcp-session-id", "upstream-session".parse().unwrap());
    response
}

/// Opens a session as the client sees it.
async fn session(world: &World, token: &str) -> String {
    world.upstream.next(initialized());
    let answer = world.send(legacy(token, None, &initialize())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.header("mcp-session-id").unwrap().to_owned()
}

#[tokio::test]
async fn rs80_the_client_gets_a_session_id_that_only_the_gateway_understands() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let session = session(&world, &token).await;
    assert!(!session.contains("upstream-session"));

    assert_eq!(
        world
            .send(legacy(&token, Some(&session), &list()))
            .await
            .status,
        200
    );
    let seen = world.upstream.seen();
    assert_eq!(seen[0].header("mcp-session-id"), None);
    assert_eq!(seen[1].header("mcp-session-id"), Some("upstream-session"));
    assert_eq!(seen[1].header("mcp-protocol-version"), Some("2025-11-25"));
}

#[tokio::test]
async fn rs80_an_upstream_that_repeats_the_session_id_does_not_change_the_clients() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let session = session(&world, &token).await;
    world.upstream.next(initialized());
    let answer = world.send(legacy(&token, Some(&session), &list())).await;
    assert_eq!(answer.header("mcp-session-id"), Some(session.as_str()));
}

#[tokio::test]
async fn n219_a_stolen_or_guessed_session_is_not_found() {
    let world = world().start().await;
    let ada = world.token("issues:read").await;
    let stolen = session(&world, &ada).await;
    let eve = person(&world.store, "eve@acme.example", &["engineering"]).await;
    let eve = world
        .token_with("issues:read", |claims| claims.sub = eve.to_string())
        .await;
    let other_client = "other".parse().unwrap();
    let other = world
        .token_with("issues:read", |claims| claims.client_id = other_client)
        .await;

    for (token, session) in [
        (&eve, stolen.as_str()),
        (&other, stolen.as_str()),
        (&ada, "upstream-session"),
        (
            &ada,
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ),
        (&ada, ""),
    ] {
        let answer = world.send(legacy(token, Some(session), &list())).await;
        answer.assert_rpc_error(404, -32600);
    }
    assert_eq!(world.upstream.seen().len(), 1);
    let calls = world.calls().await;
    let (outcome, reason, _) = &calls[1];
    assert_eq!(outcome, "denied");
    let expected = "the session is unknown or belongs to another caller";
    assert_eq!(reason.as_deref(), Some(expected));
}

#[tokio::test]
async fn rs80_a_missing_session_is_the_upstreams_to_refuse() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let refusal = Response::builder()
        .status(400)
        .header("content-type", "text/plain");
    world
        .upstream
        .next(refusal.body(Body::from("no session")).unwrap());
    let answer = world.send(legacy(&token, None, &list())).await;
    answer.assert_rpc_error(400, -32603);
    assert!(!answer.body.contains("no session"));
}

/// Sampling and elicitation answer the server's requests by POST.
#[tokio::test]
async fn responses_pass_within_a_session_only() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let session = session(&world, &token).await;
    let response = json!({"jsonrpc": "2.0", "id": "server-1", "result": {"action": "accept"}});
    let accepted = || {
        Response::builder()
            .status(202)
            .body(Body::from("Accepted"))
            .unwrap()
    };
    world.upstream.next(accepted());
    let answer = world.send(legacy(&token, Some(&session), &response)).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (202, ""));

    world
        .send(legacy(&token, None, &response))
        .await
        .assert_rpc_error(400, -32600);
    assert_eq!(world.upstream.seen().len(), 2);
}

fn session_request(method: &str, token: &str, session: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri("/mcp/tracker");
    request = request.header("host", "id.acme.example");
    request = request.header("authorization", format!("Bearer {token}"));
    request = request.header("mcp-protocol-version", "2025-11-25");
    request = request.header("accept", "text/event-stream");
    if let Some(session) = session {
        request = request
            .header("mcp-session-id", session)
            .header("last-event-id", "17");
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn rs82_the_stream_of_a_session_passes_and_its_replayed_lists_are_filtered() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let session = session(&world, &token).await;
    let stream = world.upstream.next_stream();
    stream
        .send("data: {\"result\":{\"tools\":[{\"name\":\"drop_all\"}]}}\n\n")
        .await
        .unwrap();
    drop(stream);
    let answer = world
        .send(session_request("GET", &token, Some(&session)))
        .await;

    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        "data: {\"result\":{\"tools\":[],\"cacheScope\":\"private\"}}\n\n"
    );
    let seen = &world.upstream.seen()[1];
    assert_eq!(seen.header("mcp-session-id"), Some("upstream-session"));
    assert_eq!(seen.header("last-event-id"), Some("17"));
}

#[tokio::test]
async fn rs80_a_session_is_ended_by_its_owner_only() {
    let world = world().start().await;
    let ada = world.token("issues:read").await;
    let session = session(&world, &ada).await;
    let eve = person(&world.store, "eve@acme.example", &["engineering"]).await;
    let eve = world
        .token_with("issues:read", |claims| claims.sub = eve.to_string())
        .await;
    let stolen = world
        .send(session_request("DELETE", &eve, Some(&session)))
        .await;
    stolen.assert_rpc_error(404, -32600);

    let ended = world
        .send(session_request("DELETE", &ada, Some(&session)))
        .await;
    assert_eq!((ended.status.as_u16(), ended.body.as_str()), (200, ""));
    assert_eq!(world.upstream.seen().len(), 2);
    assert_eq!(world.upstream.seen()[1].method, "DELETE");
}

/// RS-73, RS-84: a modern request has no session, whatever its headers say.
#[tokio::test]
async fn rs73_modern_requests_neither_use_nor_get_a_session() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    world.upstream.next(initialized());
    let mut request = crate::request::modern(&token, &crate::request::call("list_issues"));
    request
        .headers_mut()
        .insert("mcp-session-id", "anything".parse().unwrap());
    request
        .headers_mut()
        .insert("last-event-id", "3".parse().unwrap());
    let answer = world.send(request).await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("mcp-session-id"), None);
    let seen = &world.upstream.seen()[0];
    assert_eq!(
        (seen.header("mcp-session-id"), seen.header("last-event-id")),
        (None, None)
    );
}

/// RS-83: a session is enough to know that a request is legacy.
#[tokio::test]
async fn rs83_within_a_session_the_version_header_may_be_missing() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let session = session(&world, &token).await;
    let mut request = legacy(&token, Some(&session), &list());
    request.headers_mut().remove("mcp-protocol-version");
    assert_eq!(world.send(request).await.status, 200);
    let mut request = legacy(&token, Some(&session), &list());
    request
        .headers_mut()
        .insert("mcp-protocol-version", "1999-01-01".parse().unwrap());
    world.send(request).await.assert_rpc_error(400, -32022);
}
