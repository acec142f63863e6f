//! Attacks on the issuance of ID-JAGs at `/idp/{organization}` (requirements N-160 to N-181, but for
//! SAML and DPoP, which this version does not offer).

mod support;

use std::time::Duration;

use serde_json::json;
use support::{
    As, FILES, Form, ID_JAG_TYPE, ID_TOKEN_TYPE, JWT_BEARER, Product, REFRESH_TOKEN_TYPE, Reply,
    SignIn, TOKEN_EXCHANGE, TRACKER, VAULT, claims, form, jose_header, set, unset,
};
use symbolon_protocol::ids::{OrganizationId, SessionId, UserId};
use symbolon_storage::audit::By;
use symbolon_storage::revocation::{self, Subject};
use symbolon_storage::user;
use symbolon_testkit::{Signer, Token};
use tokio::time::timeout;

const PARTNER: &str = "https://as.partner.example";
const PARTNER_MCP: &str = "https://mcp.partner.example/mcp";
const STRICT: &str = "https://as.strict.example";
const FRESH: &str = "https://mcp.strict.example/fresh";
const STRONG: &str = "https://mcp.strict.example/strong";

/// Exchanges a sign-in for an ID-JAG for the partner, right in every respect.
fn exchange(id_token: &str) -> Form {
    form([
        ("grant_type", TOKEN_EXCHANGE),
        ("requested_token_type", ID_JAG_TYPE),
        ("subject_token", id_token),
        ("subject_token_type", ID_TOKEN_TYPE),
        ("audience", PARTNER),
        ("resource", PARTNER_MCP),
        ("scope", "docs:read"),
    ])
}

fn to(form: Form, audience: &str, resource: &str, scope: &str) -> Form {
    set(
        set(set(form, "audience", audience), "resource", resource),
        "scope",
        scope,
    )
}

async fn ask(product: &Product, form: &Form) -> Reply {
    product
        .token("idp/acme", As::Client("idp-desk"), form)
        .await
}

async fn id_token(product: &Product) -> String {
    SignIn::to_acme().tokens(product).await.text("id_token")
}

async fn revoke(product: &Product, subject: Subject) {
    let now = product.now();
    let revoked = product.running.store().write(move |tx| {
        Box::pin(
            async move { revocation::revoke(tx, &subject, "a test", &By::system(), now).await },
        )
    });
    revoked.await.expect("the database answers");
}

#[tokio::test]
async fn n_160_an_exchange_needs_an_authenticated_client() {
    let product = Product::start().await;
    let form = exchange(&id_token(&product).await);

    product
        .token("idp/acme", As::Nobody, &form)
        .await
        .assert_refused(401, "invalid_client");
    let named = set(form.clone(), "client_id", "desk");
    product
        .token("idp/acme", As::Nobody, &named)
        .await
        .assert_refused(401, "invalid_client");
    for secret in [
        "wrong",
        product.secret("desk"),
        product.secret("globex-idp-desk"),
    ] {
        let reply = product
            .token("idp/acme", As::Basic("desk", secret), &form)
            .await;
        reply.assert_refused(401, "invalid_client");
    }
    ask(&product, &form).await.assert_issued();
}

#[tokio::test]
async fn n_161_every_parameter_of_the_profile_is_needed() {
    let product = Product::start().await;
    let right = exchange(&id_token(&product).await);
    let access_token = "urn:ietf:params:oauth:token-type:access_token";
    for name in [
        "subject_token",
        "subject_token_type",
        "audience",
        "requested_token_type",
    ] {
        let reply = ask(&product, &unset(right.clone(), name)).await;
        assert_eq!((name, reply.status), (name, 400), "{}", reply.body());
        reply.assert_refused(400, "invalid_request");
        let twice = [right.clone(), form([(name, "x")])].concat();
        ask(&product, &twice)
            .await
            .assert_refused(400, "invalid_request");
    }
    for requested in [
        access_token,
        ID_TOKEN_TYPE,
        "urn:ietf:params:oauth:token-type:unknown",
    ] {
        let form = set(right.clone(), "requested_token_type", requested);
        ask(&product, &form)
            .await
            .assert_refused(400, "invalid_request");
    }
    ask(&product, &right).await.assert_issued();
}

#[tokio::test]
async fn n_162_an_audience_with_several_resources_needs_one_named() {
    let product = Product::start().await;
    let right = exchange(&id_token(&product).await);
    let here = to(
        right.clone(),
        &product.authorization_server(),
        FILES,
        "files:read",
    );

    let missing = unset(here.clone(), "resource");
    ask(&product, &missing)
        .await
        .assert_refused(400, "invalid_target");
    ask(&product, &here).await.assert_issued();
    let only = ask(&product, &unset(right, "resource")).await;
    assert_eq!(
        claims(&only.assert_issued().text("access_token"))["resource"],
        PARTNER_MCP
    );
}

#[tokio::test]
async fn n_163_an_id_token_of_another_client_is_refused() {
    let product = Product::start().await;
    let stolen = SignIn::to_acme()
        .client("rival")
        .tokens(&product)
        .await
        .text("id_token");

    ask(&product, &exchange(&stolen))
        .await
        .assert_refused(400, "invalid_grant");

    let own = set(
        exchange(&stolen),
        "audience",
        &product.authorization_server(),
    );
    let own = set(set(own, "resource", FILES), "scope", "files:read");
    product
        .token("idp/acme", As::Client("idp-rival"), &own)
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_164_a_broken_id_token_is_refused() {
    let product = Product::start().await;
    let right = id_token(&product).await;
    let issuer = product.identity_provider("acme");
    let subject = claims(&right)["sub"]
        .as_str()
        .expect("a subject")
        .to_owned();
    let kid = jose_header(&right)["kid"]
        .as_str()
        .expect("a key")
        .to_owned();
    let forge = |signer: &Signer, issuer: &str| {
        Token::id_token(signer, issuer, &subject, "desk", product.now())
    };
    let [header, payload, signature] = right.split('.').collect::<Vec<_>>()[..] else {
        panic!("a JWT")
    };
    let bob = SignIn::to_acme()
        .bob()
        .tokens(&product)
        .await
        .text("id_token");
    let other_payload = bob.split('.').nth(1).expect("a payload");
    let attacker = &product.signers.attacker;
    let published = product
        .send(http::Method::GET, "idp/acme/jwks", &[], "")
        .await
        .json()["keys"][0]
        .to_string();
    let broken = [
        ("tampered", format!("{header}.{other_payload}.{signature}")),
        ("without signature", format!("{header}.{payload}.")),
        ("forged", forge(attacker, &issuer).sign()),
        (
            "forged under our kid",
            forge(attacker, &issuer).header("kid", kid.as_str()).sign(),
        ),
        (
            "embedded key",
            forge(attacker, &issuer)
                .header("jwk", attacker.public_jwk())
                .sign(),
        ),
        ("alg none", forge(attacker, &issuer).unsigned()),
        (
            "HS256",
            forge(attacker, &issuer)
                .header("kid", kid.as_str())
                .hs256(published.as_bytes()),
        ),
        (
            "of the vendor",
            forge(&product.signers.vendor, support::VENDOR).sign(),
        ),
        (
            "of Globex",
            SignIn::to_globex().tokens(&product).await.text("id_token"),
        ),
    ];
    for (what, token) in broken {
        let reply = ask(&product, &exchange(&token)).await;
        assert_eq!((what, reply.status), (what, 400), "{}", reply.body());
        reply.assert_refused(400, "invalid_grant");
    }
    ask(&product, &exchange(&right)).await.assert_issued();
}

#[tokio::test]
async fn n_164_an_id_token_expires() {
    let product = Product::start().await;
    let token = id_token(&product).await;
    product.advance(3600 + 31);
    ask(&product, &exchange(&token))
        .await
        .assert_refused(400, "invalid_grant");

    let fresh = id_token(&product).await;
    ask(&product, &exchange(&fresh)).await.assert_issued();
}

#[tokio::test]
async fn n_165_another_kind_of_token_is_no_id_token() {
    let product = Product::start().await;
    let tokens = SignIn::to_acme().tokens(&product).await;
    let id_jag = ask(&product, &exchange(&tokens.text("id_token")))
        .await
        .text("access_token");
    let files = SignIn::to_files()
        .tokens(&product)
        .await
        .text("access_token");
    for other in [tokens.text("access_token"), id_jag, files] {
        let reply = ask(&product, &exchange(&other)).await;
        reply.assert_refused(400, "invalid_grant");
    }
    ask(&product, &exchange(&tokens.text("id_token")))
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_166_the_stated_type_must_be_the_real_one() {
    let product = Product::start().await;
    let tokens = SignIn::to_acme().tokens(&product).await;
    let (id_token, refresh_token) = (tokens.text("id_token"), tokens.text("refresh_token"));

    let id_token_as_refresh = set(
        exchange(&id_token),
        "subject_token_type",
        REFRESH_TOKEN_TYPE,
    );
    ask(&product, &id_token_as_refresh)
        .await
        .assert_refused(400, "invalid_request");
    ask(&product, &exchange(&refresh_token))
        .await
        .assert_refused(400, "invalid_request");
    ask(&product, &exchange("no token"))
        .await
        .assert_refused(400, "invalid_request");
    for other in ["saml2", "access_token", "jwt", "id-jag"] {
        let urn = format!("urn:ietf:params:oauth:token-type:{other}");
        let form = set(exchange(&id_token), "subject_token_type", &urn);
        ask(&product, &form)
            .await
            .assert_refused(400, "invalid_request");
    }
    ask(&product, &exchange(&id_token)).await.assert_issued();
}

#[tokio::test]
async fn n_168_a_refresh_token_stands_for_its_own_sign_in_only() {
    let product = Product::start().await;
    let with = |token: &str| set(exchange(token), "subject_token_type", REFRESH_TOKEN_TYPE);
    let tokens = SignIn::to_acme().tokens(&product).await;
    let own = tokens.text("refresh_token");
    let rivals = SignIn::to_acme()
        .client("rival")
        .tokens(&product)
        .await
        .text("refresh_token");
    let files = SignIn::to_files()
        .tokens(&product)
        .await
        .text("refresh_token");
    let globex = SignIn::to_globex()
        .tokens(&product)
        .await
        .text("refresh_token");
    let forged = format!("{}A", &own[..own.len() - 1]);

    for (what, token) in [
        ("rival's", rivals),
        ("of /as", files),
        ("of Globex", globex),
        ("forged", forged),
    ] {
        let reply = ask(&product, &with(&token)).await;
        assert_eq!((what, reply.status), (what, 400), "{}", reply.body());
        reply.assert_refused(400, "invalid_grant");
    }
    let scope = set(with(&own), "scope", "docs:write");
    ask(&product, &scope)
        .await
        .assert_refused(400, "invalid_scope");
    let audience = set(with(&own), "audience", "https://as.evil.example");
    ask(&product, &audience)
        .await
        .assert_refused(400, "invalid_target");
    ask(&product, &with(&own)).await.assert_issued();
    ask(&product, &with(&own)).await.assert_issued();
}

#[tokio::test]
async fn n_168_a_revoked_or_rotated_refresh_token_is_refused() {
    let product = Product::start().await;
    let with = |token: &str| set(exchange(token), "subject_token_type", REFRESH_TOKEN_TYPE);
    let rotated = SignIn::to_acme()
        .tokens(&product)
        .await
        .text("refresh_token");
    let refresh = form([("grant_type", "refresh_token"), ("refresh_token", &rotated)]);
    let current = ask(&product, &refresh)
        .await
        .assert_issued()
        .text("refresh_token");
    product.advance(11);
    ask(&product, &with(&rotated))
        .await
        .assert_refused(400, "invalid_grant");
    ask(&product, &with(&current)).await.assert_issued();

    let form = form([("token", &current)]);
    let reply = product
        .post("idp/acme/revoke", As::Client("idp-desk"), &form)
        .await;
    assert_eq!(reply.status, 200);
    ask(&product, &with(&current))
        .await
        .assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn n_169_an_audience_that_is_not_registered_is_refused() {
    let product = Product::start().await;
    let right = exchange(&id_token(&product).await);
    let itself = product.identity_provider("acme");
    let unknown = [
        "https://as.evil.example",
        "https://as.partner.example/",
        "https://AS.partner.example",
        "partner",
        PARTNER_MCP,
        itself.as_str(),
        product.public_url(),
    ];
    for audience in unknown {
        let reply = ask(&product, &set(right.clone(), "audience", audience)).await;
        reply.assert_refused(400, "invalid_target");
    }
    ask(&product, &right).await.assert_issued();
}

#[tokio::test]
async fn n_170_audience_and_resource_are_one_pair() {
    let product = Product::start().await;
    let right = exchange(&id_token(&product).await);
    let here = product.authorization_server();
    let mixed = [
        (PARTNER, FILES),
        (here.as_str(), PARTNER_MCP),
        (here.as_str(), VAULT),
        (PARTNER, "https://mcp.partner.example/mcp/"),
        (STRICT, PARTNER_MCP),
    ];
    for (audience, resource) in mixed {
        let form = to(right.clone(), audience, resource, "docs:read");
        ask(&product, &form)
            .await
            .assert_refused(400, "invalid_target");
    }
    let two = [right.clone(), form([("resource", FILES)])].concat();
    ask(&product, &two)
        .await
        .assert_refused(400, "invalid_target");
    ask(&product, &right).await.assert_issued();
}

#[tokio::test]
async fn n_171_a_person_who_is_not_assigned_is_denied() {
    let product = Product::start().await;
    let tracker = |id_token: &str| {
        to(
            exchange(id_token),
            &product.authorization_server(),
            TRACKER,
            "issues:read",
        )
    };
    let ada = id_token(&product).await;
    let bob = SignIn::to_acme()
        .bob()
        .tokens(&product)
        .await
        .text("id_token");

    let denied = ask(&product, &tracker(&bob)).await;

    denied.assert_refused(400, "access_denied");
    assert_eq!(denied.json().get("max_age"), None, "no sign-in would help");
    ask(&product, &tracker(&ada)).await.assert_issued();
}

#[tokio::test]
async fn n_171_a_client_that_is_not_approved_is_denied() {
    let extra = r#"
        [[mcp_server]]
        id = "ledger"
        organization = "acme"
        resource = "https://mcp.acme.example/ledger"
        scopes = ["ledger:read"]

        [[resource_authorization_server]]
        organization = "acme"
        issuer = "https://as.ledger.example"
        clients = { desk = "desk", rival = "rival" }
        resources = { "https://mcp.acme.example/ledger" = ["ledger:read"] }

        [[assignment]]
        organization = "acme"
        everyone = true
        mcp_server = "ledger"
        scopes = ["ledger:read"]
        clients = ["rival"]
    "#;
    let product = Product::with(extra).await;
    let ledger = |id_token: &str| {
        let (audience, resource) = (
            "https://as.ledger.example",
            "https://mcp.acme.example/ledger",
        );
        to(exchange(id_token), audience, resource, "ledger:read")
    };
    let for_desk = id_token(&product).await;
    let for_rival = SignIn::to_acme()
        .client("rival")
        .tokens(&product)
        .await
        .text("id_token");

    ask(&product, &ledger(&for_desk))
        .await
        .assert_refused(400, "access_denied");
    let control = product
        .token("idp/acme", As::Client("idp-rival"), &ledger(&for_rival))
        .await;
    control.assert_issued();
}

#[tokio::test]
async fn n_172_a_scope_that_is_partly_allowed_is_reduced_and_said() {
    let product = Product::start().await;
    let wide = set(
        exchange(&id_token(&product).await),
        "scope",
        "docs:write docs:read docs:admin",
    );

    let reply = ask(&product, &wide).await;

    assert_eq!(reply.assert_issued().text("scope"), "docs:read");
    assert_eq!(claims(&reply.text("access_token"))["scope"], "docs:read");
    let everything = ask(&product, &unset(wide, "scope")).await;
    assert_eq!(everything.assert_issued().text("scope"), "docs:read");
}

#[tokio::test]
async fn n_173_a_scope_that_is_not_allowed_at_all_is_refused() {
    let product = Product::start().await;
    let right = exchange(&id_token(&product).await);
    for scope in ["docs:write", "docs:admin", "unknown", "docs:write unknown"] {
        let reply = ask(&product, &set(right.clone(), "scope", scope)).await;
        reply.assert_refused(400, "invalid_scope");
    }
    ask(&product, &right).await.assert_issued();
}

#[tokio::test]
async fn n_174_an_old_sign_in_is_asked_for_again() {
    let product = Product::start().await;
    let id_token = id_token(&product).await;
    let fresh = to(exchange(&id_token), STRICT, FRESH, "fresh:use");
    ask(&product, &fresh).await.assert_issued();
    product.advance(301);

    let old = ask(&product, &fresh).await;

    old.assert_refused(400, "insufficient_user_authentication");
    assert_eq!(old.json()["max_age"], 300);
    let again = SignIn::to_acme().tokens(&product).await.text("id_token");
    let fresh = to(exchange(&again), STRICT, FRESH, "fresh:use");
    ask(&product, &fresh).await.assert_issued();
}

#[tokio::test]
async fn n_174_a_weak_sign_in_is_asked_for_again() {
    let product = Product::start().await;
    let id_token = id_token(&product).await;
    let strong = to(exchange(&id_token), STRICT, STRONG, "strong:use");

    let weak = ask(&product, &strong).await;

    weak.assert_refused(400, "insufficient_user_authentication");
    assert_eq!(weak.json()["acr_values"], "second_factor");
    let stepped_up = SignIn::to_acme().with("acr_values", "second_factor");
    let id_token = stepped_up.tokens(&product).await.text("id_token");
    let strong = to(exchange(&id_token), STRICT, STRONG, "strong:use");
    ask(&product, &strong).await.assert_issued();
}

#[tokio::test]
async fn n_175_who_is_not_entitled_is_not_asked_to_sign_in_again() {
    let product = Product::start().await;
    let bob = SignIn::to_acme()
        .bob()
        .tokens(&product)
        .await
        .text("id_token");
    product.advance(301);
    for (resource, scope) in [(FRESH, "fresh:use"), (STRONG, "strong:use")] {
        let form = to(exchange(&bob), STRICT, resource, scope);
        let reply = ask(&product, &form).await;
        reply.assert_refused(400, "access_denied");
        assert_eq!(reply.body(), r#"{"error":"access_denied"}"#);
    }
    let ada = id_token(&product).await;
    let control = to(exchange(&ada), STRICT, FRESH, "fresh:use");
    ask(&product, &control).await.assert_issued();
}

#[tokio::test]
async fn n_178_a_client_without_a_name_at_the_audience_is_refused() {
    let product = Product::start().await;
    let token = SignIn::to_acme()
        .client("unmapped")
        .tokens(&product)
        .await
        .text("id_token");

    let reply = product
        .token("idp/acme", As::Client("idp-unmapped"), &exchange(&token))
        .await;

    reply.assert_refused(400, "invalid_target");
    let told = product.audit().await;
    let told = told.iter().any(|event| {
        event.outcome == "denied"
            && event
                .reason
                .as_deref()
                .is_some_and(|r| r.contains("maps this client"))
    });
    assert!(told, "the administrator can see why");
    ask(&product, &exchange(&id_token(&product).await))
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_179_an_actor_token_is_refused() {
    let product = Product::start().await;
    let id_token = id_token(&product).await;
    let acting = set(exchange(&id_token), "actor_token", &id_token);

    ask(&product, &acting)
        .await
        .assert_refused(400, "invalid_request");
    let typed = set(acting, "actor_token_type", ID_TOKEN_TYPE);
    ask(&product, &typed)
        .await
        .assert_refused(400, "invalid_request");
    let untold = set(exchange(&id_token), "actor_token_type", ID_TOKEN_TYPE);
    ask(&product, &untold)
        .await
        .assert_refused(400, "invalid_request");

    ask(&product, &exchange(&id_token)).await.assert_issued();
}

#[tokio::test]
async fn id_31_authorization_details_without_a_type_of_ours_are_refused() {
    let product = Product::start().await;
    let right = exchange(&id_token(&product).await);
    let details = json!([{ "type": "payment" }]).to_string();
    let reply = ask(
        &product,
        &set(right.clone(), "authorization_details", &details),
    )
    .await;
    reply.assert_refused(400, "invalid_authorization_details");
    ask(&product, &right).await.assert_issued();
}

#[tokio::test]
async fn n_180_an_id_jag_is_not_redeemed_where_it_was_issued() {
    let product = Product::start().await;
    let here = product.authorization_server();
    let form = to(
        exchange(&id_token(&product).await),
        &here,
        FILES,
        "files:read",
    );
    let id_jag = ask(&product, &form).await.text("access_token");
    let redeem = support::form([("grant_type", JWT_BEARER), ("assertion", &id_jag)]);

    ask(&product, &redeem)
        .await
        .assert_refused(400, "invalid_grant");
    let as_id_token = set(form.clone(), "subject_token", &id_jag);
    ask(&product, &as_id_token)
        .await
        .assert_refused(400, "invalid_grant");

    product.redeem(&id_jag).await.assert_issued();
}

#[tokio::test]
async fn n_181_a_disabled_person_gets_no_id_jag() {
    let product = Product::start().await;
    let ada = id_token(&product).await;
    let bob = SignIn::to_acme()
        .bob()
        .tokens(&product)
        .await
        .text("id_token");
    let organization = OrganizationId::parse("acme").expect("an id");
    let id = UserId::parse(claims(&ada)["sub"].as_str().expect("a user")).expect("an id");
    let now = product.now();
    let disable = product.running.store().write(move |tx| {
        Box::pin(async move { user::disable(tx, &organization, &id, &By::system(), now).await })
    });
    assert!(disable.await.expect("the database answers"));

    ask(&product, &exchange(&ada))
        .await
        .assert_refused(400, "invalid_grant");
    ask(&product, &exchange(&bob)).await.assert_issued();
}

/// ID-60: an ID token lives for an hour; what it stands for may end sooner.
#[tokio::test]
async fn n_181_a_revoked_sign_in_gets_no_id_jag() {
    let product = Product::start().await;
    let token = id_token(&product).await;
    let user = UserId::parse(claims(&token)["sub"].as_str().expect("a user")).expect("an id");
    ask(&product, &exchange(&token)).await.assert_issued();

    revoke(&product, Subject::User(user)).await;

    ask(&product, &exchange(&token))
        .await
        .assert_refused(400, "invalid_grant");
}

/// ID-60: signing out ends the session only, and nothing of it can be exchanged any more.
#[tokio::test]
async fn n_181_an_ended_session_gets_no_id_jag() {
    let product = Product::start().await;
    let ended = id_token(&product).await;
    let other = id_token(&product).await;
    let session = claims(&ended)["sid"]
        .as_str()
        .expect("a session")
        .to_owned();
    ask(&product, &exchange(&ended)).await.assert_issued();

    revoke(
        &product,
        Subject::Session(SessionId::parse(&session).expect("a session id")),
    )
    .await;

    let refused = async {
        while ask(&product, &exchange(&ended)).await.status == 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), refused)
        .await
        .expect("every node hears of it");
    ask(&product, &exchange(&ended))
        .await
        .assert_refused(400, "invalid_grant");
    ask(&product, &exchange(&other)).await.assert_issued();
}

/// The person signs in anew; what a thief kept of the time before stays worthless.
#[tokio::test]
async fn n_181_a_revoked_sign_in_does_not_come_back_with_the_next_one() {
    let product = Product::start().await;
    let stolen = id_token(&product).await;
    let user = UserId::parse(claims(&stolen)["sub"].as_str().expect("a user")).expect("an id");
    revoke(&product, Subject::User(user)).await;
    product.advance(60);
    let fresh = id_token(&product).await;

    ask(&product, &exchange(&stolen))
        .await
        .assert_refused(400, "invalid_grant");
    ask(&product, &exchange(&fresh)).await.assert_issued();
}

#[tokio::test]
async fn id_50_an_id_jag_says_what_the_registry_says() {
    let product = Product::start().await;
    let token = id_token(&product).await;

    let partner = ask(&product, &exchange(&token)).await;
    assert_eq!(partner.text("token_type"), "N_A");
    assert_eq!(partner.text("issued_token_type"), ID_JAG_TYPE);
    assert!(
        partner.json().get("refresh_token").is_none(),
        "{}",
        partner.body()
    );
    let id_jag = partner.text("access_token");
    assert_eq!(jose_header(&id_jag)["typ"], "oauth-id-jag+jwt");
    let said = claims(&id_jag);
    assert_eq!(said["iss"], product.identity_provider("acme"));
    assert_eq!(
        (&said["aud"], &said["resource"]),
        (&json!(PARTNER), &json!(PARTNER_MCP))
    );
    assert_eq!(
        said["client_id"], "acme-at-partner",
        "its name there, not here"
    );
    assert_eq!(
        said["sub"], "development-ada",
        "the subject that the partner knows"
    );
    assert_eq!(said.get("email"), None, "Q-21");
    assert_eq!(
        said["exp"]
            .as_i64()
            .zip(said["iat"].as_i64())
            .map(|(e, i)| e - i),
        Some(300)
    );

    let strict = to(exchange(&token), STRICT, FRESH, "fresh:use");
    let said = claims(&ask(&product, &strict).await.text("access_token"));
    assert_eq!(
        (&said["sub"], &said["email"]),
        (&json!("ada@acme.example"), &json!("ada@acme.example"))
    );
    assert_eq!(said["aud_tenant"], "acme-workspace");
}
