//! The ways to an access token that must work: the controls of every attack, and the races in which
//! exactly one may win, on SQLite and, where there is one, on PostgreSQL.

mod support;

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use support::{
    ASSERTION_TYPE, As, FILES, Form, ID_JAG_TYPE, ID_TOKEN_TYPE, JWT_BEARER, Product, Reply,
    SignIn, TOKEN_EXCHANGE, claims, form, jose_header, parameter, set,
};
use symbolon::demo::walk::Browser;
use symbolon_protocol::jose::{JwkSet, UnverifiedJwt};
use symbolon_testkit::Schema;
use tokio::sync::Barrier;

const RACERS: usize = 100;

/// Verifies a token with the keys that its issuer publishes.
async fn verified(product: &Product, role: &str, jwt: &str) -> Value {
    let keys = product
        .send(Method::GET, &format!("{role}/jwks"), &[], "")
        .await;
    let keys = JwkSet::parse(keys.body().as_bytes()).expect("a JWK set");
    let unverified = UnverifiedJwt::parse(jwt).expect("a JWT");
    unverified
        .verify(&keys)
        .expect("signed with a published key");
    claims(jwt)
}

fn exchange(product: &Product, id_token: &str) -> Form {
    form([
        ("grant_type", TOKEN_EXCHANGE),
        ("requested_token_type", ID_JAG_TYPE),
        ("subject_token", id_token),
        ("subject_token_type", ID_TOKEN_TYPE),
        ("audience", &product.authorization_server()),
        ("resource", FILES),
        ("scope", "files:read"),
    ])
}

/// Sign-in at `/idp`, ID-JAG, access token, introspection, revocation.
async fn enterprise_managed_authorization(product: &Product) {
    let id_token = SignIn::to_acme().tokens(product).await.text("id_token");
    let ada = verified(product, "idp/acme", &id_token).await["sub"].clone();
    let exchange = exchange(product, &id_token);
    let issued = product
        .token("idp/acme", As::Client("idp-desk"), &exchange)
        .await;
    let id_jag = issued.assert_issued().text("access_token");
    assert_eq!(
        verified(product, "idp/acme", &id_jag).await["aud"],
        product.authorization_server()
    );

    let reply = product.redeem(&id_jag).await;
    let token = reply.assert_issued().text("access_token");
    let said = verified(product, "as", &token).await;
    assert_eq!(
        (&said["aud"], &said["scope"]),
        (&json!(FILES), &json!("files:read"))
    );
    assert_eq!(
        (&said["sub"], &said["org"]),
        (&ada, &json!("acme")),
        "the same person"
    );
    product
        .redeem(&id_jag)
        .await
        .assert_refused(400, "invalid_grant");

    assert_eq!(
        product.introspect("files-server", &token).await["active"],
        true
    );
    let form = form([("token", &token)]);
    product
        .post("as/revoke", As::Client("desk"), &form)
        .await
        .assert_status(200);
    assert_eq!(
        product.introspect("files-server", &token).await,
        json!({ "active": false })
    );
}

#[tokio::test]
async fn enterprise_managed_authorization_works_from_end_to_end() {
    let product = Product::start().await;
    enterprise_managed_authorization(&product).await;
}

#[tokio::test]
async fn enterprise_managed_authorization_works_on_postgresql() {
    let Some(schema) = Schema::create().await else {
        return;
    };
    let product = Product::on(&schema.url).await;
    enterprise_managed_authorization(&product).await;
    product.stop().await;
    schema.remove().await;
}

/// AS-57 to AS-60.
#[tokio::test]
async fn as_59_an_access_token_is_a_signed_at_jwt_for_one_resource() {
    let product = Product::start().await;
    let tokens = SignIn::to_files().tokens(&product).await;
    assert_eq!(tokens.text("token_type"), "Bearer");
    assert_eq!(
        (tokens.text("scope"), tokens.json()["expires_in"].clone()),
        ("files:read".to_owned(), json!(900))
    );

    let token = tokens.text("access_token");
    let said = verified(&product, "as", &token).await;

    assert_eq!(jose_header(&token)["typ"], "at+jwt");
    assert_eq!(said["iss"], product.authorization_server());
    assert_eq!(
        (&said["aud"], &said["client_id"]),
        (&json!(FILES), &json!("desk"))
    );
    assert_eq!(said["iat"], product.now().unix_seconds());
    assert_eq!(said["exp"], product.now().unix_seconds() + 900);
    for claim in ["sub", "jti", "grant_id", "sid", "auth_time"] {
        assert!(!said[claim].is_null(), "{claim} in {said}");
    }
    for claim in ["email", "name", "groups", "nonce"] {
        assert!(said.get(claim).is_none(), "{claim} in {said}");
    }
}

#[tokio::test]
async fn every_client_authentication_method_gets_a_token() {
    let product = Product::start().await;
    let redemption = |client: &str| {
        let id_jag = product.id_jag().with("client_id", client).sign();
        form([("grant_type", JWT_BEARER), ("assertion", &id_jag)])
    };
    product
        .token("as", As::Client("desk"), &redemption("desk"))
        .await
        .assert_issued();
    let posted = set(redemption("poster"), "client_id", "poster");
    let posted = set(posted, "client_secret", product.secret("poster"));
    product
        .token("as", As::Nobody, &posted)
        .await
        .assert_issued();
    let signed = set(
        redemption("notary"),
        "client_assertion",
        &product.client_assertion().sign(),
    );
    let signed = set(signed, "client_assertion_type", ASSERTION_TYPE);
    product
        .token("as", As::Nobody, &signed)
        .await
        .assert_issued();
    let public = SignIn::to_files().client("pocket").tokens(&product).await;
    assert!(!public.text("refresh_token").is_empty());
}

/// AS-40, AS-41.
#[tokio::test]
async fn as_40_a_person_agrees_once() {
    let product = Product::start().await;
    let careful = SignIn::to_files().client("careful");
    let mut browser = Browser::new(product.http.clone());
    let silent = || careful.clone().with("prompt", "none");
    let (location, _) = careful.walk(&product, &mut browser).await;
    assert!(parameter(&location, "code").is_some(), "{location}");

    let (location, _) = silent().walk(&product, &mut browser).await;
    assert!(
        parameter(&location, "code").is_some(),
        "she agreed before: {location}"
    );
    let wider = silent().with("scope", "files:read files:write");
    let (location, _) = wider.walk(&product, &mut browser).await;
    assert_eq!(
        parameter(&location, "error").as_deref(),
        Some("consent_required"),
        "{location}"
    );
}

#[tokio::test]
async fn a_refresh_continues_the_sign_in() {
    let product = Product::start().await;
    let first = SignIn::to_files().tokens(&product).await;
    product.advance(600);
    let refresh = form([
        ("grant_type", "refresh_token"),
        ("refresh_token", &first.text("refresh_token")),
    ]);

    let second = product.token("as", As::Client("desk"), &refresh).await;

    let before = claims(&first.text("access_token"));
    let after = verified(&product, "as", &second.assert_issued().text("access_token")).await;
    for claim in [
        "sub",
        "aud",
        "scope",
        "grant_id",
        "sid",
        "auth_time",
        "client_id",
    ] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    assert_ne!(before["jti"], after["jti"]);
}

/// Sends the same request a hundred times at once, to two nodes in turn.
async fn race(product: Product, client: &'static str, form: Form) -> (Product, Vec<Reply>) {
    let other = product.another_node().await;
    let urls = [
        format!("{}/as/token", product.public_url()),
        format!("http://{}/as/token", other.address()),
    ];
    let (product, barrier) = (Arc::new(product), Arc::new(Barrier::new(RACERS)));
    let racers: Vec<_> = (0..RACERS)
        .map(|number| {
            let (product, barrier) = (product.clone(), barrier.clone());
            let (url, form) = (urls[number % urls.len()].clone(), form.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                let client = if client.is_empty() {
                    As::Nobody
                } else {
                    As::Client(client)
                };
                product.post_to(&url, client, &form).await
            })
        })
        .collect();
    let mut replies = Vec::new();
    for racer in racers {
        replies.push(racer.await.expect("a racer arrives"));
    }
    other.stop().await;
    (
        Arc::into_inner(product).expect("every racer has ended"),
        replies,
    )
}

/// Exactly one wins; the others are refused as such, and none fails.
#[track_caller]
fn assert_one_winner(replies: &[Reply], status: u16, error: &str) {
    let winners = replies.iter().filter(|reply| reply.status == 200).count();
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(winners, 1, "{statuses:?}");
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        reply.assert_refused(status, error);
    }
}

async fn one_id_jag_is_redeemed_once(product: Product) -> Product {
    let form = form([
        ("grant_type", JWT_BEARER),
        ("assertion", &product.id_jag().sign()),
    ]);
    let (product, replies) = race(product, "desk", form).await;
    assert_one_winner(&replies, 400, "invalid_grant");
    product
}

async fn one_code_is_redeemed_once(product: Product) -> Product {
    let code = SignIn::to_files().code(&product).await;
    let (product, replies) = race(product, "desk", code.form()).await;
    assert_one_winner(&replies, 400, "invalid_grant");
    let winner = replies
        .iter()
        .find(|reply| reply.status == 200)
        .expect("a winner");
    let token = winner.text("access_token");
    let answer = product.introspect("files-server", &token).await;
    assert_eq!(
        answer,
        json!({ "active": false }),
        "the code was used twice (AS-31)"
    );
    product
}

async fn one_refresh_token_has_one_successor(product: Product) -> Product {
    let token = SignIn::to_files()
        .tokens(&product)
        .await
        .text("refresh_token");
    let form = form([("grant_type", "refresh_token"), ("refresh_token", &token)]);
    let (product, replies) = race(product, "desk", form).await;
    let successor = replies[0].assert_issued().text("refresh_token");
    for reply in &replies {
        assert_eq!(reply.assert_issued().text("refresh_token"), successor);
    }
    product
}

async fn one_client_assertion_is_used_once(product: Product) -> Product {
    let id_jag = product.id_jag().with("client_id", "notary").sign();
    let form = form([
        ("grant_type", JWT_BEARER),
        ("assertion", &id_jag),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &product.client_assertion().sign()),
    ]);
    let (product, replies) = race(product, "", form).await;
    assert_one_winner(&replies, 401, "invalid_client");
    product
}

/// Runs a race on SQLite and, where there is one, on PostgreSQL.
macro_rules! on_each_engine {
    ($($(#[$doc:meta])* $name:ident: $race:ident;)*) => {$(
        mod $name {
            use super::*;

            $(#[$doc])*
            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                $race(Product::start().await).await;
            }

            $(#[$doc])*
            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgresql() {
                let Some(schema) = Schema::create().await else { return };
                $race(Product::on(&schema.url).await).await.stop().await;
                schema.remove().await;
            }
        }
    )*};
}

on_each_engine! {
    n_126_of_a_hundred_redeemers_on_two_nodes_one_gets_a_token: one_id_jag_is_redeemed_once;
    n_073_of_a_hundred_redeemers_of_a_code_one_gets_a_token: one_code_is_redeemed_once;
    n_079_a_hundred_refreshes_at_once_get_one_successor: one_refresh_token_has_one_successor;
    n_066_of_a_hundred_uses_of_a_client_assertion_one_counts: one_client_assertion_is_used_once;
}
