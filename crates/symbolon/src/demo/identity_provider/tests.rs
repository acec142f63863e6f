//! The provider over the wire, as an application and a browser see it.

use std::time::Duration;

use serde_json::json;
use symbolon_protocol::digest;

use self::world::{CALLBACK, NOW, VERIFIER, World, cookie, parameter};
use crate::demo::test_http::{Answer, get, post_form};

mod world;

#[tokio::test]
async fn a_person_signs_in_and_the_application_gets_an_id_token() {
    let world = World::new().await;
    world.clock.advance(Duration::from_secs(5));
    let answer = world.sign_in("ada", &[]).await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").starts_with(CALLBACK));
    assert_eq!(parameter(&answer, "state").as_deref(), Some("state \"1\""));
    assert_eq!(parameter(&answer, "iss"), Some(world.issuer()));

    let code = parameter(&answer, "code").expect("a code");
    let tokens = world.redeem(&code, &[]).await;

    assert_eq!(
        (tokens.status.as_u16(), tokens.header("cache-control")),
        (200, "no-store")
    );
    let tokens = tokens.json();
    assert_eq!(tokens["token_type"], "Bearer");
    let mut claims = world.claims(&tokens).await;
    let hash = digest::sha256(tokens["access_token"].as_str().expect("a token").as_bytes());
    assert_eq!(claims["at_hash"], digest::base64url(&hash[..16]));
    assert!(claims["sid"].as_str().is_some_and(|sid| !sid.is_empty()));
    let members = claims.as_object_mut().expect("an object");
    members.retain(|name, _| name != "at_hash" && name != "sid");
    let expected = json!({
        "iss": world.issuer(), "sub": "development-ada", "aud": "symbolon", "nonce": "nonce-1",
        "iat": NOW + 5, "exp": NOW + 605, "auth_time": NOW + 5, "acr": "password", "amr": ["pwd"],
        "email": "ada@acme.example", "email_verified": true, "name": "Ada Lovelace",
        "preferred_username": "ada", "groups": ["engineering", "everyone"],
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn claims_of_scopes_that_were_not_asked_for_are_absent() {
    let world = World::new().await;
    let code = world.code("bob", &[("scope", "openid email")]).await;
    let tokens = world.redeem(&code, &[]).await.json();
    let claims = world.claims(&tokens).await;
    assert_eq!(claims["email"], "bob@acme.example");
    assert!(claims.get("groups").is_none() && claims.get("name").is_none());
}

#[tokio::test]
async fn both_ways_of_client_authentication_work_and_a_wrong_secret_does_not() {
    let world = World::new().await;
    let code = world.code("ada", &[]).await;
    let wrong = world.redeem(&code, &[("client_secret", "wrong")]).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.json()["error"].as_str()),
        (401, Some("invalid_client"))
    );

    // "symbolon" and the form-encoded secret.
    let basic = "Basic c3ltYm9sb246czNjcmV0K3MzY3JldCUyQnMzY3JldA==";
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let answer = post_form(&world.server, "/token", &[("authorization", basic)], &form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_code_works_once() {
    let world = World::new().await;
    let code = world.code("ada", &[]).await;
    assert_eq!(world.redeem(&code, &[]).await.status, 200);
    let again = world.redeem(&code, &[]).await;
    assert_eq!(
        (again.status.as_u16(), again.json()["error"].as_str()),
        (400, Some("invalid_grant"))
    );
}

#[tokio::test]
async fn a_code_works_for_its_client_its_verifier_its_address_and_one_minute() {
    let world = World::new().await;
    for replaced in [
        ("client_id", "other"),
        (
            "code_verifier",
            "another-verifier-of-forty-three-characters-x",
        ),
        ("redirect_uri", "https://id.acme.example/other"),
    ] {
        let code = world.code("ada", &[]).await;
        let answer = world.redeem(&code, &[replaced]).await;
        assert_eq!(answer.json()["error"], "invalid_grant", "{replaced:?}");
    }
    let code = world.code("ada", &[]).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(
        world.redeem(&code, &[]).await.json()["error"],
        "invalid_grant"
    );
}

#[tokio::test]
async fn the_page_says_what_it_is_and_needs_no_javascript() {
    let world = World::new().await;
    let page = world
        .authorize(&[("login_hint", "bob@acme.example")], &[])
        .await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Development identity provider."));
    assert!(page.body.contains("method=\"post\" action=\"/authorize\""));
    assert!(!page.body.contains("<script") && !page.body.contains("style="));
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    let (ada, bob) = (
        page.body.find("value=\"ada\""),
        page.body.find("value=\"bob\""),
    );
    assert!(
        bob.expect("bob") < ada.expect("ada"),
        "the hinted person comes first"
    );
    let style = get(&world.server, "/style.css", &[]).await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
}

#[tokio::test]
async fn the_page_carries_the_request_as_it_came_and_escaped() {
    let world = World::new().await;
    let query = world.query(&[("ui", "\"><script>")]);
    let page = get(&world.server, &format!("/authorize?{query}"), &[]).await;
    let hidden = format!("name=\"request\" value=\"{}\"", query.replace('&', "&#38;"));
    assert!(page.body.contains(&hidden), "{}", page.body);
    assert!(!page.body.contains("<script>"));
}

#[tokio::test]
async fn whoever_is_signed_in_goes_on_without_a_page() {
    let world = World::new().await;
    let nobody = world.authorize(&[("prompt", "none")], &[]).await;
    assert_eq!(
        parameter(&nobody, "error").as_deref(),
        Some("login_required")
    );
    assert_eq!(parameter(&nobody, "iss"), Some(world.issuer()));

    let cookie = cookie(&world.sign_in("ada", &[]).await);
    let headers = [("cookie", cookie.as_str())];
    let silent = world.authorize(&[("prompt", "none")], &headers).await;
    assert!(parameter(&silent, "code").is_some());

    assert_eq!(
        world
            .authorize(&[("prompt", "login")], &headers)
            .await
            .status,
        200
    );
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(
        world.authorize(&[("max_age", "60")], &headers).await.status,
        200
    );
    assert_eq!(
        world.authorize(&[("max_age", "61")], &headers).await.status,
        303
    );
    let other = [("cookie", "development_idp_1=x")];
    assert_eq!(world.authorize(&[], &other).await.status, 200);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_stated() {
    let world = World::new().await;
    let cookie = cookie(&world.sign_in("ada", &[]).await);
    let extra = [("acr_values", "second_factor")];
    let page = world.authorize(&extra, &[("cookie", &cookie)]).await;
    assert!(page.body.contains("second factor"), "{}", page.body);

    let code = world.code("ada", &extra).await;
    let tokens = world.redeem(&code, &[]).await.json();
    let claims = world.claims(&tokens).await;
    assert_eq!(
        (&claims["acr"], &claims["amr"]),
        (&json!("second_factor"), &json!(["pwd", "otp", "mfa"]))
    );
}

#[tokio::test]
async fn a_request_that_is_not_addressed_well_gets_a_page_and_no_redirect() {
    let world = World::new().await;
    for (from, to) in [
        ("client_id=symbolon", "client_id=unknown"),
        ("callback", "elsewhere"),
    ] {
        let query = world.query(&[]).replace(from, to);
        let page = get(&world.server, &format!("/authorize?{query}"), &[]).await;
        assert_eq!(
            (page.status.as_u16(), page.header("location")),
            (400, ""),
            "{to}"
        );
        let form = [("request", query.as_str()), ("login", "ada")];
        let posted = post_form(&world.server, "/authorize", &[], &form).await;
        assert_eq!(
            (posted.status.as_u16(), posted.header("location")),
            (400, ""),
            "{to}"
        );
    }
}

#[tokio::test]
async fn other_errors_are_told_to_the_application() {
    let world = World::new().await;
    let error = |answer: &Answer| parameter(answer, "error").unwrap_or_default();
    assert_eq!(
        error(&world.authorize(&[("scope", "email")], &[]).await),
        "invalid_scope"
    );
    assert_eq!(error(&world.sign_in("nobody", &[]).await), "access_denied");
    let plain = world.query(&[]).replace("S256", "plain");
    let answer = get(&world.server, &format!("/authorize?{plain}"), &[]).await;
    assert_eq!(error(&answer), "invalid_request");
}

#[tokio::test]
async fn signing_out_ends_the_session_and_returns_to_registered_places_only() {
    let world = World::new().await;
    let cookie = cookie(&world.sign_in("ada", &[]).await);
    let headers = [("cookie", cookie.as_str())];
    let path = "/logout?state=x&post_logout_redirect_uri=https%3A%2F%2F";
    let elsewhere = get(&world.server, &format!("{path}evil.example%2F"), &[]).await;
    assert_eq!(
        (elsewhere.status.as_u16(), elsewhere.header("location")),
        (400, "")
    );

    let back = get(
        &world.server,
        &format!("{path}id.acme.example%2Fbye"),
        &headers,
    )
    .await;
    assert_eq!(
        back.header("location"),
        "https://id.acme.example/bye?state=x"
    );
    assert_eq!(
        world.authorize(&[], &headers).await.status,
        200,
        "the page again"
    );
}

#[tokio::test]
async fn another_site_can_neither_sign_in_nor_reach_it_by_a_rebound_name() {
    let world = World::new().await;
    let query = world.query(&[]);
    let form = [("request", query.as_str()), ("login", "ada")];
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
        ("host", "evil.example"),
    ] {
        let answer = post_form(&world.server, "/authorize", &[header], &form).await;
        assert_eq!(answer.status, 403, "{header:?}");
    }
}
