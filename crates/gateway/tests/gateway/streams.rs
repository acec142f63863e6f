//! Answers that stream (requirements RS-34, RS-75, N-225).

use std::time::Duration;

use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::json;
use symbolon_protocol::ids::GrantId;
use symbolon_storage::revocation::Subject;

use crate::builder::world;
use crate::request::{message, modern};
use crate::world::World;

async fn event(response: &mut Response) -> Option<String> {
    let frame = response.body_mut().frame().await?.ok()?;
    Some(String::from_utf8(frame.into_data().ok()?.to_vec()).unwrap())
}

async fn listen(world: &World) -> Response {
    let token = world.token("issues:read").await;
    let listen = message("subscriptions/listen", json!({"notifications": {}}));
    let response = world.open(modern(&token, &listen)).await;
    assert_eq!(response.status(), 200);
    response
}

#[tokio::test]
async fn events_pass_one_by_one_as_they_arrive() {
    let world = world().start().await;
    let upstream = world.upstream.next_stream();
    let mut response = listen(&world).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    for sent in ["data: {\"a\":1}\n\n", ": ping\n\n", "data: half an "] {
        upstream.send(sent).await.unwrap();
        assert_eq!(event(&mut response).await.as_deref(), Some(sent));
    }
    drop(upstream);
    assert_eq!(event(&mut response).await, None);
}

#[tokio::test]
async fn n225_a_stream_ends_when_the_token_expires() {
    let mut world = world().start().await;
    let upstream = world.upstream.next_stream();
    let mut response = listen(&world).await;
    upstream.send("data: {}\n\n").await.unwrap();
    assert!(event(&mut response).await.is_some());

    world.wait(900).await;
    assert_eq!(event(&mut response).await, None);
    upstream.closed().await;
    let again = world.token_with("issues:read", |_| {}).await;
    let again = world.post(&again, &message("tools/list", json!({}))).await;
    again.assert_challenge(401, Some("invalid_token"));
}

#[tokio::test]
async fn a_stream_ends_when_its_grant_is_revoked() {
    let mut world = world().start().await;
    let upstream = world.upstream.next_stream();
    let mut response = listen(&world).await;
    upstream.send("data: {}\n\n").await.unwrap();
    assert!(event(&mut response).await.is_some());

    world
        .revoke(Subject::Grant(GrantId::parse("grant-1").unwrap()))
        .await;
    assert_eq!(event(&mut response).await, None);
    upstream.closed().await;
}

/// Design §4 rule 16: a node that does not hear of revocations cannot let streams go on.
#[tokio::test]
async fn a_stream_ends_when_revocations_are_not_heard_of() {
    let world = world().start().await;
    let _upstream = world.upstream.next_stream();
    let mut response = listen(&world).await;
    world.clock.advance(Duration::from_millis(1500));
    assert_eq!(event(&mut response).await, None);
}

/// RS-75: closing the stream cancels the request.
#[tokio::test]
async fn a_client_that_goes_away_cancels_the_call() {
    let world = world().start().await;
    let upstream = world.upstream.next_stream();
    let mut response = listen(&world).await;
    upstream.send("data: {}\n\n").await.unwrap();
    assert!(event(&mut response).await.is_some());
    drop(response);
    upstream.closed().await;
}
