//! Attacks on the authorization endpoint, consent and sign-in (requirements N-001 to N-025, N-029).
//!
//! The people of Initech sign in at a provider that says what a test wants. N-026 to N-028 are about
//! SAML and N-030, N-031 about pushed requests, which this version does not offer.
#![allow(unreachable_pub, reason = "modules of a test binary")]

#[path = "../support/mod.rs"]
mod support;

mod lying_provider;
mod people;
mod upstream;
mod visitor;
mod world;

use support::CALLBACK;
use visitor::Visitor;
use world::{CHALLENGE, World, consent, path, request, twice, with};

#[tokio::test]
async fn n_001_an_unknown_client_gets_a_page() {
    let world = World::start().await;
    world
        .ask(&with("client_id", "nobody"))
        .await
        .assert_page(400, "invalid_client");
    // A client of another issuer of ours is nobody here.
    let other = support::set(request(), "client_id", "unmapped");
    world.ask(&other).await.assert_page(400, "invalid_client");
}

#[tokio::test]
async fn n_002_to_n_004_an_unregistered_redirect_uri_is_not_followed() {
    let world = World::start().await;
    world
        .ask(&support::unset(request(), "redirect_uri"))
        .await
        .assert_page(400, "invalid_request");
    for uri in [
        "https://other.example/callback",
        "https://desk.example.evil.example/callback",
        "https://desk.example@evil.example/callback",
        "https://desk.example/callback/more",
        "https://desk.example/callback?x=1",
        "https://desk.example/%2e%2e/callback",
        "https://desk.example/CALLBACK",
        "http://desk.example/callback",
        "http://127.0.0.1:4000/other",
        "https://127.0.0.1/callback",
        "http://127.0.0.1:4000@evil.example/callback",
        "javascript:alert(1)",
        "//evil.example/callback",
    ] {
        world
            .ask(&with("redirect_uri", uri))
            .await
            .assert_page(400, "invalid_request");
    }
}

#[tokio::test]
async fn n_005_the_port_of_a_loopback_uri_is_free_and_its_host_is_shown() {
    let world = World::start().await;
    let request = with("redirect_uri", "http://127.0.0.1:49152/callback");
    let (mut visitor, page) = world.sign_in(&request).await;
    assert!(
        page.body().contains("<strong>127.0.0.1</strong>"),
        "{}",
        page.body()
    );
    let granted = consent(&mut visitor, &page, "allow").await;
    let location = granted.location().unwrap_or_default();
    assert!(
        location.starts_with("http://127.0.0.1:49152/callback?code="),
        "{location}"
    );
}

#[tokio::test]
async fn n_006_only_the_code_flow_exists() {
    let world = World::start().await;
    for response_type in ["token", "id_token", "code token", "code id_token"] {
        let seen = world.ask(&with("response_type", response_type)).await;
        seen.assert_told(&world.product, "unsupported_response_type");
        assert_eq!(seen.told("state").as_deref(), Some("s-71c"));
    }
}

#[tokio::test]
async fn n_007_to_n_009_pkce_with_s256_is_required() {
    let world = World::start().await;
    for broken in [
        support::unset(request(), "code_challenge"),
        with("code_challenge_method", "plain"),
        support::unset(request(), "code_challenge_method"),
        with("code_challenge", &CHALLENGE[1..]),
        with("code_challenge", &format!("{CHALLENGE}=")),
        with("code_challenge", &CHALLENGE.replace('-', "+")),
    ] {
        world
            .ask(&broken)
            .await
            .assert_told(&world.product, "invalid_request");
    }
}

#[tokio::test]
async fn n_010_a_repeated_client_or_redirect_uri_gets_a_page() {
    let world = World::start().await;
    world
        .ask(&twice("client_id", "teller"))
        .await
        .assert_page(400, "invalid_request");
    world
        .ask(&twice("redirect_uri", CALLBACK))
        .await
        .assert_page(400, "invalid_request");
}

#[tokio::test]
async fn n_011_another_repeated_parameter_is_told_to_the_client() {
    let world = World::start().await;
    for name in ["scope", "state", "code_challenge", "prompt-of-nobody"] {
        let mut form = twice(name, "x");
        form.push((name.to_owned(), "y".to_owned()));
        world
            .ask(&form)
            .await
            .assert_told(&world.product, "invalid_request");
    }
}

#[tokio::test]
async fn n_012_an_unacceptable_resource_is_told_to_the_client() {
    let world = World::start().await;
    for resource in [
        "/ledger",
        "https://mcp.initech.example/ledger#x",
        "https://mcp.initech.example/unknown",
        "https://mcp.initech.example/ledger/",
        // It exists, but is another organization's.
        support::VAULT,
    ] {
        world
            .ask(&with("resource", resource))
            .await
            .assert_told(&world.product, "invalid_target");
    }
}

#[tokio::test]
async fn n_013_a_missing_resource_is_not_guessed() {
    let world = World::start().await;
    let seen = world.ask(&support::unset(request(), "resource")).await;
    seen.assert_told(&world.product, "invalid_target");
}

#[tokio::test]
async fn n_014_and_n_015_unknown_scopes_grant_nothing() {
    let world = World::start().await;
    let seen = world.ask(&with("scope", "root everything")).await;
    seen.assert_told(&world.product, "invalid_scope");
    let (_, page) = world.sign_in(&with("scope", "root ledger:read")).await;
    assert!(
        page.body().contains("<code>ledger:read</code>"),
        "{}",
        page.body()
    );
    assert!(
        !page.body().contains("<code>root</code>"),
        "{}",
        page.body()
    );
}

#[tokio::test]
async fn n_016_nobody_is_asked_anything_under_prompt_none() {
    let world = World::start().await;
    world
        .ask(&with("prompt", "none"))
        .await
        .assert_told(&world.product, "login_required");
    let (mut visitor, _) = world.sign_in(&request()).await;
    let silent = visitor.get(&path(&with("prompt", "none"))).await;
    silent.assert_told(&world.product, "consent_required");
}

#[tokio::test]
async fn n_017_a_person_who_says_no_is_believed() {
    let world = World::start().await;
    let (mut visitor, page) = world.sign_in(&request()).await;
    let denied = consent(&mut visitor, &page, "deny").await;
    denied.assert_told(&world.product, "access_denied");
    let again = visitor.get(&path(&request())).await;
    assert_eq!(again.status, 200, "she is asked again");
}

#[tokio::test]
async fn n_018_a_consent_form_of_somebody_else_does_not_count() {
    let world = World::start().await;
    let (mut ada, page) = world.sign_in(&request()).await;
    let (_, foreign) = world.sign_in(&request()).await;
    let [mine, other] = [&page, &foreign].map(|page| page.hidden("csrf"));
    let (request_field, shown) = (page.hidden("request"), page.hidden("shown"));
    let form = |csrf| {
        [
            ("csrf", csrf),
            ("request", request_field.as_str()),
            ("shown", shown.as_str()),
            ("answer", "allow"),
        ]
    };
    for csrf in ["", "AAAA", other.as_str()] {
        ada.post("/as/consent", &form(csrf))
            .await
            .assert_page(403, "access_denied");
    }
    ada.post("/as/consent", &form(&mine)[1..])
        .await
        .assert_page(403, "access_denied");
    let crossed = ada
        .post_from("cross-site", "/as/consent", &form(&mine))
        .await;
    crossed.assert_page(403, "access_denied");
    let mut stranger = Visitor::new(&world.product);
    stranger
        .post("/as/consent", &form(&mine))
        .await
        .assert_page(403, "access_denied");

    let control = ada.post("/as/consent", &form(&mine)).await;
    assert!(control.told("code").is_some(), "the session is unchanged");
}

#[tokio::test]
async fn n_019_no_page_can_be_framed() {
    let world = World::start().await;
    let (mut visitor, page) = world.sign_in(&request()).await;
    page.assert_guarded();
    let sign_in = world.ask(&support::unset(request(), "login_hint")).await;
    assert!(sign_in.body().contains("Work email"));
    for seen in [
        sign_in,
        visitor.get("/").await,
        visitor.get("/as/logout").await,
    ] {
        assert_eq!(seen.status, 200);
        seen.assert_guarded();
    }
}

#[tokio::test]
async fn n_020_consent_to_one_client_is_not_consent_to_another() {
    let world = World::start().await;
    let (mut visitor, page) = world.sign_in(&request()).await;
    let granted = consent(&mut visitor, &page, "allow").await;
    assert!(granted.told("code").is_some());
    assert!(
        visitor.get(&path(&request())).await.told("code").is_some(),
        "it is remembered"
    );

    let impostor = support::set(
        with("client_id", "impostor"),
        "redirect_uri",
        "https://impostor.example/callback",
    );
    let asked = visitor.get(&path(&impostor)).await;
    assert_eq!(asked.status, 200, "{:?}", asked.location());
    assert!(asked.body().contains("impostor.example"));
}
