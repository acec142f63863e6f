//! Attacks that come back from an identity provider (N-021 to N-025, N-029).

use symbolon_testkit::{Signer, Token};
use url::Url;

use crate::support;
use crate::visitor::Visitor;
use crate::world::{World, callback_path, request};

#[tokio::test]
async fn n_021_a_planted_or_replayed_sign_in_is_worth_nothing() {
    let world = World::start().await;
    let mut away = world.leave(&request()).await;
    let before = away.visitor.clone();
    let id_token = world.liar.id_token(&world.product, &away.nonce);
    let page = world.come_back(&mut away, id_token.sign()).await;
    assert_eq!(page.status, 200);

    // The whole browser as it was, with the same answer once more.
    away.visitor = before;
    let replayed = world.come_back(&mut away, id_token.sign()).await;
    replayed.assert_page(400, "invalid_request");
    // The attacker's sign-in, finished in the browser of the victim.
    let mut attacker = world.leave(&request()).await;
    attacker.visitor = Visitor::new(&world.product);
    let id_token = world.liar.id_token(&world.product, &attacker.nonce).sign();
    world
        .come_back(&mut attacker, id_token)
        .await
        .assert_page(400, "invalid_request");
}

#[tokio::test]
async fn n_022_a_callback_needs_a_fresh_state_of_its_browser() {
    let world = World::start().await;
    let mut away = world.leave(&request()).await;
    for callback in [
        world.callback(&[("code", "a-code")]),
        world.callback(&[("code", "a-code"), ("state", "another")]),
        world.callback(&[
            ("code", "a-code"),
            ("state", &away.state),
            ("state", &away.state),
        ]),
    ] {
        away.visitor
            .get(&callback)
            .await
            .assert_page(400, "invalid_request");
    }
    world.product.advance(601);
    let id_token = world.liar.id_token(&world.product, &away.nonce).sign();
    world
        .come_back(&mut away, id_token)
        .await
        .assert_page(400, "invalid_request");
    assert_eq!(world.liar.redemptions(), 0);
}

#[tokio::test]
async fn n_023_an_answer_of_another_issuer_is_a_mix_up() {
    let world = World::start().await;
    for issuer in [None, Some("https://evil.example"), Some("")] {
        let mut away = world.leave(&request()).await;
        let mut form = support::form([("code", "a-code"), ("state", &away.state)]);
        form.extend(issuer.map(|issuer| ("iss".to_owned(), issuer.to_owned())));
        away.visitor
            .get(&callback_path(&form))
            .await
            .assert_page(400, "invalid_request");
    }
    assert_eq!(
        world.liar.redemptions(),
        0,
        "the code went to no token endpoint"
    );
}

/// What an attacker makes of an ID token; the number is the time.
type Change = fn(Token, i64) -> Token;

#[tokio::test]
async fn n_024_an_id_token_for_somebody_else_is_refused() {
    let world = World::start().await;
    let now = world.product.now().unix_seconds();
    let changes: Vec<(&str, Change)> = vec![
        ("nonce", |token, _| token.with("nonce", "another")),
        ("no nonce", |token, _| token.without("nonce")),
        ("aud", |token, _| token.with("aud", "another")),
        ("iss", |token, _| token.with("iss", "https://evil.example")),
        ("exp", |token, now| {
            token.with("exp", now - 60).with("iat", now - 600)
        }),
        ("no exp", |token, _| token.without("exp")),
        ("azp missing", |token, _| {
            token.with("aud", vec!["symbolon", "another"])
        }),
        ("azp", |token, _| token.with("azp", "another")),
        ("at_hash", |token, _| {
            token.with("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")
        }),
        ("typ", |token, _| token.header("typ", "at+jwt")),
        ("sub", |token, _| token.without("sub")),
    ];
    for (what, change) in changes {
        let seen = world.sign_in_with(|token| change(token, now).sign()).await;
        assert_eq!(
            seen.told("error").as_deref(),
            Some("server_error"),
            "{what}"
        );
        seen.assert_told(&world.product, "server_error");
    }
}

#[tokio::test]
async fn n_025_an_id_token_without_the_issuers_signature_is_refused() {
    let world = World::start().await;
    let public = world.liar.signer.jwks().to_string();
    let forger = Signer::generate();
    let unsigned = world.sign_in_with(|token| token.unsigned()).await;
    let confused = world
        .sign_in_with(|token| token.hs256(public.as_bytes()))
        .await;
    let forged = world
        .sign_in_with(|token| token.forged_by(&forger).sign())
        .await;
    for seen in [unsigned, confused, forged] {
        seen.assert_told(&world.product, "server_error");
    }
}

#[tokio::test]
async fn n_029_a_person_of_another_tenant_does_not_come_in() {
    let world = World::start().await;
    for tenant in ["umbrella", ""] {
        let seen = world
            .sign_in_with(|token| token.with("tid", tenant).sign())
            .await;
        seen.assert_told(&world.product, "access_denied");
    }
    let untold = world
        .sign_in_with(|token| token.without("tid").sign())
        .await;
    untold.assert_told(&world.product, "access_denied");
    assert!(
        world
            .product
            .users("initech", "ada@initech.example")
            .await
            .is_empty()
    );
    assert!(
        world
            .product
            .users("umbrella", "ada@initech.example")
            .await
            .is_empty()
    );
}

/// AS-34, AS-43: where a visitor is sent never depends on anything but configuration.
#[tokio::test]
async fn a_visitor_is_sent_to_the_provider_of_the_organization_only() {
    let world = World::start().await;
    let seen = world.ask(&request()).await;
    assert_eq!(seen.status, 303);
    let location = Url::parse(&seen.location().unwrap_or_default()).expect("a URL");
    assert_eq!(location.path(), "/authorize");
    let callback = format!("{}/sso/oidc/callback", world.product.public_url());
    assert_eq!(seen.told("redirect_uri"), Some(callback));
    assert_eq!(
        seen.told("login_hint").as_deref(),
        Some("ada@initech.example")
    );
    assert_eq!(seen.told("client_secret"), None);
}
