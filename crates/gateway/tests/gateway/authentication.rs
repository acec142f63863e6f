//! Who may call: origin, token, audience, revocation (requirements RS-20 to RS-48, N-190 to N-205).

use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::json;
use symbolon_protocol::confirmation::Confirmation;
use symbolon_protocol::digest::base64url;
use symbolon_protocol::ids::{ClientId, GrantId, SessionId};
use symbolon_protocol::issuer::{Issuer, IssuerRole};
use symbolon_storage::audit::By;
use symbolon_storage::revocation::Subject;
use symbolon_storage::{StorageError, user};

use crate::builder::world;
use crate::request::{call, modern};
use crate::world::{NOW, organization};

fn without_token() -> Request<Body> {
    let mut request = modern("", &call("list_issues"));
    request.headers_mut().remove("authorization");
    request
}

#[tokio::test]
async fn n190_without_a_token_the_challenge_names_metadata_and_scopes_but_no_error() {
    let world = world().start().await;
    let answer = world.send(without_token()).await;

    answer.assert_challenge(401, None);
    let challenge = answer.challenge().unwrap();
    assert_eq!(
        challenge.parameter("scope"),
        Some("issues:read issues:admin")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.json()["error"], "unauthorized");
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n191_a_token_in_query_or_form_is_not_used() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let mut in_query = modern(&token, &call("list_issues"));
    *in_query.uri_mut() = format!("/mcp/tracker?access_token={token}")
        .parse()
        .unwrap();
    let mut in_form = without_token();
    let form = "application/x-www-form-urlencoded".parse().unwrap();
    in_form.headers_mut().insert("content-type", form);
    *in_form.body_mut() = Body::from(format!("access_token={token}"));

    for request in [in_query, in_form] {
        world
            .send(request)
            .await
            .assert_challenge(400, Some("invalid_request"));
    }
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n192_other_credentials_are_told_apart() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let with = |values: &[&str]| {
        let mut request = without_token();
        for value in values {
            request
                .headers_mut()
                .append("authorization", value.parse().unwrap());
        }
        world.send(request)
    };
    with(&["Basic YTpi"]).await.assert_challenge(401, None);
    with(&["Bearer "])
        .await
        .assert_challenge(401, Some("invalid_token"));
    let bearer = format!("Bearer {token}");
    with(&[&bearer, &bearer])
        .await
        .assert_challenge(400, Some("invalid_request"));
    with(&[&bearer]).await;
    assert_eq!(world.upstream.seen().len(), 1);
}

#[tokio::test]
async fn n193_a_token_that_does_not_verify_is_invalid() {
    let world = world().start().await;
    let day = Duration::from_secs(24 * 60 * 60);
    let good = world.token("issues:read").await;
    let expired = world
        .token_with("issues:read", |claims| claims.exp = NOW)
        .await;
    let early = world
        .token_with("issues:read", |claims| claims.iat = NOW.plus(day))
        .await;
    let other = Issuer::parse("https://evil.example").unwrap();
    let stranger = world
        .token_with("issues:read", |claims| claims.iss = other)
        .await;
    let idp = Issuer::parse("https://id.acme.example/idp/acme").unwrap();
    let idp = world
        .token_with("issues:read", |claims| claims.iss = idp)
        .await;
    let mut parts: Vec<&str> = good.split('.').collect();
    let none = base64url(br#"{"alg":"none","typ":"at+jwt"}"#);
    let unsigned = format!("{none}.{}.", parts[1]);
    let signature: String = parts[2].chars().rev().collect();
    parts[2] = &signature;
    let forged = parts.join(".");

    for token in [
        &expired, &early, &stranger, &idp, &unsigned, &forged, "a.b.c", "opaque",
    ] {
        let answer = world.post(token, &call("list_issues")).await;
        answer.assert_challenge(401, Some("invalid_token"));
    }
    world.upstream.assert_untouched();
    assert_eq!(world.post(&good, &call("list_issues")).await.status, 200);
}

#[tokio::test]
async fn n194_a_token_is_for_one_server_and_its_url_is_compared_exactly() {
    let world = world().start().await;
    for audience in [
        "https://id.acme.example/mcp/wiki",
        "https://id.acme.example/mcp",
        "https://id.acme.example",
        "https://id.acme.example/mcp/tracker/",
        "https://id.acme.example/mcp/tracker2",
        "HTTPS://id.acme.example/mcp/tracker",
    ] {
        let token = world
            .token_with("issues:read", |claims| claims.aud = audience.into())
            .await;
        let answer = world.post(&token, &call("list_issues")).await;
        answer.assert_challenge(401, Some("invalid_token"));
    }
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n194_a_remembered_token_is_not_taken_at_another_server() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    assert_eq!(world.post(&token, &call("list_issues")).await.status, 200);
    let mut elsewhere = modern(&token, &call("list_issues"));
    *elsewhere.uri_mut() = "/mcp/wiki".parse().unwrap();

    let answer = world.send(elsewhere).await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.challenge().unwrap().parameter("error"),
        Some("invalid_token")
    );
}

#[tokio::test]
async fn n195_other_kinds_of_tokens_are_no_access_tokens() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let claims = token.split('.').nth(1).unwrap();
    let claims = symbolon_protocol::digest::from_base64url(claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    for typ in [
        "JWT",
        "oauth-id-jag+jwt",
        "logout+jwt",
        "symbolon-identity+jwt",
        "dpop+jwt",
    ] {
        let token = world.sign(typ, &claims).await;
        let answer = world.post(&token, &call("list_issues")).await;
        answer.assert_challenge(401, Some("invalid_token"));
    }
    world.upstream.assert_untouched();
}

/// RS-26, RS-29: a bearer does not prove to hold the key.
#[tokio::test]
async fn rs26_a_bound_token_is_no_bearer_token() {
    let world = world().start().await;
    let thumbprint = base64url(&[1; 32]);
    for cnf in [
        Confirmation::Jkt(thumbprint.clone()),
        Confirmation::CertificateThumbprint(thumbprint),
    ] {
        let token = world
            .token_with("issues:read", |claims| claims.cnf = Some(cnf))
            .await;
        let answer = world.post(&token, &call("list_issues")).await;
        answer.assert_challenge(401, Some("invalid_token"));
    }
}

#[tokio::test]
async fn n198_whatever_is_revoked_ends_tokens_that_are_remembered() {
    let session = SessionId::parse("session-1").unwrap();
    let client = ClientId::parse("desk").unwrap();
    for number in 0..5 {
        let mut world = world().start().await;
        let sid = Some(session.clone());
        let token = world
            .token_with("issues:read", |claims| claims.sid = sid)
            .await;
        assert_eq!(world.post(&token, &call("list_issues")).await.status, 200);

        let subject = match number {
            0 => Subject::Grant(GrantId::parse("grant-1").unwrap()),
            1 => Subject::User(world.ada.clone()),
            2 => Subject::Client(IssuerRole::As, client.clone()),
            3 => Subject::Session(session.clone()),
            _ => Subject::Organization(organization("acme")),
        };
        world.revoke(subject).await;

        let answer = world.post(&token, &call("list_issues")).await;
        answer.assert_challenge(401, Some("invalid_token"));
        assert_eq!(world.upstream.seen().len(), 1);
    }
}

#[tokio::test]
async fn n198_a_disabled_person_calls_nothing() {
    let mut world = world().start().await;
    let token = world.token("issues:read").await;
    assert_eq!(world.post(&token, &call("list_issues")).await.status, 200);
    let ada = world.ada.clone();
    let disabled = world.store.write::<_, StorageError, _>(move |tx| {
        Box::pin(
            async move { user::disable(tx, &organization("acme"), &ada, &By::system(), NOW).await },
        )
    });
    assert!(disabled.await.unwrap());
    world.follow().await;

    // Also one that was issued afterwards.
    let later = world.token_with("issues:read", |claims| {
        claims.iat = NOW.plus(Duration::from_secs(1))
    });
    for token in [token, later.await] {
        let answer = world.post(&token, &call("list_issues")).await;
        answer.assert_challenge(401, Some("invalid_token"));
    }
}

/// N-199, design §4 rule 16.
#[tokio::test]
async fn n199_without_recent_news_nothing_is_decided() {
    let mut world = world().start().await;
    let token = world.token("issues:read").await;
    assert_eq!(world.post(&token, &call("list_issues")).await.status, 200);

    world.clock.advance(Duration::from_millis(1001));
    let answer = world.post(&token, &call("list_issues")).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(world.upstream.seen().len(), 1);

    world.follow().await;
    assert_eq!(world.post(&token, &call("list_issues")).await.status, 200);
}

#[tokio::test]
async fn a_remembered_token_ends_with_its_expiry() {
    let mut world = world().start().await;
    let token = world.token("issues:read").await;
    world.wait(899).await;
    assert_eq!(world.post(&token, &call("list_issues")).await.status, 200);
    world.wait(1).await;
    let answer = world.post(&token, &call("list_issues")).await;
    answer.assert_challenge(401, Some("invalid_token"));
}

#[tokio::test]
async fn a_person_of_another_organization_is_not_the_one_of_the_token() {
    let world = world().start().await;
    let beta = organization("beta");
    let token = world
        .token_with("issues:read", |claims| claims.org = beta)
        .await;
    let answer = world.post(&token, &call("list_issues")).await;
    answer.assert_challenge(401, Some("invalid_token"));
}

#[tokio::test]
async fn n204_another_origin_is_refused_before_the_token_is_looked_at() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    for origin in ["https://evil.example", "null"] {
        let mut request = modern(&token, &call("list_issues"));
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        assert_eq!(world.send(request).await.status, 403, "{origin}");
    }
    let mut own = modern(&token, &call("list_issues"));
    own.headers_mut()
        .insert("origin", "https://id.acme.example".parse().unwrap());
    assert_eq!(world.send(own).await.status, 200);
}

#[tokio::test]
async fn n205_another_host_is_refused() {
    let world = world().public_url("http://127.0.0.1:8443").start().await;
    let token = world.token("issues:read").await;
    for (host, status) in [
        ("evil.example", 403),
        ("localhost:8443", 200),
        ("[::1]:1", 200),
    ] {
        let mut request = modern(&token, &call("list_issues"));
        request.headers_mut().insert("host", host.parse().unwrap());
        assert_eq!(world.send(request).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn an_unknown_server_is_not_found_and_nothing_more_is_said() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    // The last one exists, but checks tokens itself.
    for server in ["other", "Tracker", "..%2Ftracker", "own-checks"] {
        let mut request = modern(&token, &call("list_issues"));
        *request.uri_mut() = format!("/mcp/{server}").parse().unwrap();
        let answer = world.send(request).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json(), json!({"error": "not_found"}));
    }
}

/// RS-01 to RS-08 and requirements §6.2.
#[tokio::test]
async fn rs01_metadata_names_our_authorization_server_and_nothing_of_the_upstream() {
    let world = world().start().await;
    let path = "/.well-known/oauth-protected-resource/mcp/tracker";
    let answer = world
        .send(Request::get(path).body(Body::empty()).unwrap())
        .await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(
        answer.json(),
        json!({
            "resource": "https://id.acme.example/mcp/tracker",
            "authorization_servers": ["https://id.acme.example/as"],
            "scopes_supported": ["issues:read", "issues:admin"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Tracker",
        })
    );
    for unknown in ["other", "own-checks"] {
        let path = format!("/.well-known/oauth-protected-resource/mcp/{unknown}");
        let answer = world
            .send(Request::get(path).body(Body::empty()).unwrap())
            .await;
        assert_eq!(answer.status, 404);
    }
}
