//! What passes in both directions, and what does not (requirements RS-24, RS-25, N-196, N-197;
//! design §4 rules 21 and 22).

use axum::body::Body;
use axum::response::Response;
use serde_json::{Value, json};
use symbolon_protocol::jose::{JwkSet, UnverifiedJwt};

use crate::builder::world;
use crate::request::{call, message, modern};
use crate::upstream::with_type;
use crate::world::{ISSUER, NOW, World};

#[tokio::test]
async fn n197_nothing_of_the_clients_credentials_reaches_the_upstream() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let body = call("list_issues");
    let mut request = modern(&token, &body);
    for name in [
        "cookie",
        "dpop",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-user",
        "x-client-cert",
        "x-remote-user",
        "proxy-authorization",
        "te",
    ] {
        request.headers_mut().insert(name, token.parse().unwrap());
    }
    assert_eq!(world.send(request).await.status, 200);

    let seen = &world.upstream.seen()[0];
    let everything = format!("{:?} {:?}", seen.headers, seen.body);
    assert!(!everything.contains(&token));
    let mut names: Vec<&str> = seen.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "accept",
        "content-length",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
    ];
    assert_eq!(names, expected);
    assert_eq!(serde_json::from_slice::<Value>(&seen.body).unwrap(), body);
}

#[tokio::test]
async fn rs24_the_upstream_gets_our_credential_instead() {
    let bearer = world()
        .tracker(json!({"upstream_credential": "bearer"}))
        .credential("t0ken");
    let header = json!({"upstream_credential": {"header": "X-Api-Key"}});
    let header = world().tracker(header).credential("t0ken");
    for (builder, name, value) in [
        (bearer, "authorization", "Bearer t0ken"),
        (header, "x-api-key", "t0ken"),
    ] {
        let world = builder.start().await;
        let token = world.token("issues:read").await;
        let mut request = modern(&token, &call("list_issues"));
        request
            .headers_mut()
            .insert("x-api-key", "the client's".parse().unwrap());
        assert_eq!(world.send(request).await.status, 200);
        assert_eq!(world.upstream.seen()[0].header(name), Some(value));
    }
}

#[tokio::test]
async fn rs25_the_upstream_is_told_who_calls_in_a_header_that_nobody_can_forge() {
    let world = world()
        .tracker(json!({"identity_header": "X-Symbolon-Identity"}))
        .start()
        .await;
    let token = world.token("issues:read").await;
    let mut request = modern(&token, &call("list_issues"));
    request
        .headers_mut()
        .insert("x-symbolon-identity", "forged".parse().unwrap());
    assert_eq!(world.send(request).await.status, 200);

    let seen = &world.upstream.seen()[0];
    let identity = seen.header("x-symbolon-identity").unwrap();
    let keys = JwkSet::parse(world.jwks().await.to_string().as_bytes()).unwrap();
    let jwt = UnverifiedJwt::parse(identity)
        .unwrap()
        .verify(&keys)
        .unwrap();
    assert_eq!(jwt.typ(), Some("symbolon-identity+jwt"));
    let claims = Value::Object(jwt.claims().members().clone());
    let iat = NOW.unix_seconds();
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "sub": world.ada.as_str(), "aud": world.upstream.url(),
            "jti": claims["jti"], "iat": iat, "exp": iat + 60, "org": "acme",
            "client_id": "desk", "scope": "issues:read", "email": "ada@acme.example",
        })
    );
}

fn hostile() -> Response {
    let mut response = with_type(
        200,
        "application/json",
        r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
    );
    for (name, value) in [
        ("set-cookie", "a=b"),
        ("access-control-allow-origin", "*"),
        ("cache-control", "public, max-age=1000"),
        ("location", "https://evil.example"),
        (
            "www-authenticate",
            "Bearer resource_metadata=\"https://evil.example\"",
        ),
        ("mcp-session-id", "upstream-session"),
        ("strict-transport-security", "max-age=0"),
    ] {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// Design §4 rule 22.
#[tokio::test]
async fn foreign_bytes_stay_foreign() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    world.upstream.next(hostile());
    let answer = world.post(&token, &call("list_issues")).await;

    assert_eq!(answer.status, 200);
    let mut names: Vec<&str> = answer.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "cache-control",
        "content-length",
        "content-security-policy",
        "content-type",
        "x-content-type-options",
        "x-request-id",
    ];
    assert_eq!(names, expected);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let policy = answer.header("content-security-policy");
    assert_eq!(policy, Some("sandbox; default-src 'none'"));
}

async fn answer_to(world: &World, token: &str, response: Response) -> crate::answer::Answer {
    world.upstream.next(response);
    let answer = world.post(token, &call("list_issues")).await;
    assert!(!answer.body.contains("evil"), "{answer:?}");
    assert_eq!(answer.header("location"), None);
    assert_eq!(answer.header("www-authenticate"), None);
    answer
}

#[tokio::test]
async fn an_answer_that_is_neither_json_nor_events_is_not_passed_on() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let html = with_type(200, "text/html", "<script>evil()</script>");
    answer_to(&world, &token, html)
        .await
        .assert_rpc_error(502, -32603);
    let mut redirect = with_type(302, "application/json", "{}");
    redirect
        .headers_mut()
        .insert("location", "https://evil.example".parse().unwrap());
    answer_to(&world, &token, redirect)
        .await
        .assert_rpc_error(502, -32603);
    // It is our credential that failed: the client must not look for another of its own.
    let unauthorized = with_type(401, "application/json", "{\"evil\":1}");
    answer_to(&world, &token, unauthorized)
        .await
        .assert_rpc_error(502, -32603);
    let zipped = Response::builder().header("content-type", "application/json");
    let zipped = zipped
        .header("content-encoding", "gzip")
        .body(Body::from("evil"))
        .unwrap();
    answer_to(&world, &token, zipped)
        .await
        .assert_rpc_error(502, -32603);
    // An error keeps its status, which clients understand, but not its page.
    let page = with_type(404, "text/html", "evil");
    answer_to(&world, &token, page)
        .await
        .assert_rpc_error(404, -32603);
}

#[tokio::test]
async fn an_upstream_that_is_away_or_silent_is_a_gateway_error() {
    let world = world()
        .tracker(json!({"upstream": "http://127.0.0.1:9/mcp"}))
        .start()
        .await;
    let token = world.token("issues:read").await;
    world
        .post(&token, &call("list_issues"))
        .await
        .assert_rpc_error(502, -32603);
}

#[tokio::test]
async fn a_silent_upstream_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let builder = world().tracker(json!({"upstream": url}));
    let builder = builder.limits(|l| l.upstream_time = std::time::Duration::from_millis(50));
    let world = builder.start().await;
    let token = world.token("issues:read").await;
    world
        .post(&token, &call("list_issues"))
        .await
        .assert_rpc_error(504, -32603);
}

/// Design §4 rule 21: what an administrator may not reach, the gateway does not reach.
#[tokio::test]
async fn an_upstream_on_a_forbidden_address_is_not_reached() {
    let world = world()
        .tracker(json!({"upstream": "http://169.254.169.254/mcp"}))
        .start()
        .await;
    let token = world.token("issues:read").await;
    world
        .post(&token, &call("list_issues"))
        .await
        .assert_rpc_error(502, -32603);
}

#[tokio::test]
async fn a_notification_is_accepted_without_a_body() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    world
        .upstream
        .next(with_type(202, "text/plain", "Accepted"));
    let mut notification = message("notifications/cancelled", json!({"requestId": 3}));
    notification.as_object_mut().unwrap().remove("id");
    let answer = world.post(&token, &notification).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (202, ""));
    assert_eq!(answer.header("content-type"), None);
}
