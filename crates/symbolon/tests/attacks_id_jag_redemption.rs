//! Attacks on the redemption of an ID-JAG at `/as` (requirements N-110 to N-150, N-153, N-154).
//!
//! Every case breaks one thing about an assertion that is right otherwise; the control at the end of
//! each test is that assertion.

mod support;

use serde_json::{Value, json};
use support::{
    As, FILES, JWT_BEARER, Product, Reply, SignIn, TRACKER, VAULT, VENDOR, WIKI, claims, form, set,
};
use symbolon_protocol::digest::base64url;
use symbolon_storage::audit::By;
use symbolon_storage::linked_identity::TombstoneSecret;
use symbolon_storage::secret_key::{self, SecretPurpose};
use symbolon_storage::user;
use symbolon_testkit::Token;

/// Every broken assertion is refused as such; the one without the attack is redeemed.
async fn refused<const N: usize>(product: &Product, broken: [(&str, String); N]) {
    for (what, assertion) in broken {
        let reply = product.redeem(&assertion).await;
        assert_eq!((what, reply.status), (what, 400), "{}", reply.body());
        reply.assert_refused(400, "invalid_grant");
    }
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

async fn redeem_as(product: &Product, client: &str, assertion: &str) -> Reply {
    let form = form([("grant_type", JWT_BEARER), ("assertion", assertion)]);
    product.token("as", As::Client(client), &form).await
}

#[tokio::test]
async fn n_110_exactly_one_assertion_is_sent() {
    let product = Product::start().await;
    let assertion = product.id_jag().sign();
    let none = form([("grant_type", JWT_BEARER)]);
    let once = form([("grant_type", JWT_BEARER), ("assertion", &assertion)]);
    let twice = [once.clone(), form([("assertion", &assertion)])].concat();

    for form in [none, twice, set(once.clone(), "assertion", "")] {
        let reply = product.token("as", As::Client("desk"), &form).await;
        reply.assert_refused(400, "invalid_request");
    }
    product
        .token("as", As::Client("desk"), &once)
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_111_an_id_token_is_no_assertion() {
    let product = Product::start().await;
    let vendor = &product.signers.vendor;
    let audience = product.authorization_server();
    let foreign = Token::id_token(vendor, VENDOR, "vendor-ada", &audience, product.now());
    let own = SignIn::to_acme().tokens(&product).await.text("id_token");

    let for_desk = foreign.clone().with("aud", "desk");
    let complete = foreign
        .clone()
        .with("client_id", "desk")
        .with("resource", FILES);
    refused(
        &product,
        [
            ("the vendor's", foreign.sign()),
            ("for the client", for_desk.sign()),
            ("with every claim", complete.sign()),
            ("our own", own),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_112_an_access_token_is_no_assertion() {
    let product = Product::start().await;
    let own = SignIn::to_files()
        .tokens(&product)
        .await
        .text("access_token");
    let redeemed = product
        .redeem(&product.id_jag().sign())
        .await
        .text("access_token");
    let foreign = product.id_jag().header("typ", "at+jwt").sign();
    refused(
        &product,
        [
            ("signed in", own),
            ("redeemed", redeemed),
            ("the vendor's", foreign),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_113_the_type_must_be_the_one_of_an_id_jag() {
    let product = Product::start().await;
    let typed = |typ: &str| product.id_jag().header("typ", typ).sign();
    refused(
        &product,
        [
            ("none", product.id_jag().without_header("typ").sign()),
            ("JWT", typed("JWT")),
            ("authorization-grant+jwt", typed("authorization-grant+jwt")),
            ("id-jag+jwt", typed("id-jag+jwt")),
            (
                "client-authentication+jwt",
                typed("client-authentication+jwt"),
            ),
            ("logout+jwt", typed("logout+jwt")),
            ("empty", typed("")),
            ("a number", product.id_jag().header("typ", 1).sign()),
        ],
    )
    .await;
    for typ in ["OAuth-ID-JAG+JWT", "application/oauth-id-jag+jwt"] {
        product.redeem(&typed(typ)).await.assert_issued();
    }
}

#[tokio::test]
async fn n_114_an_assertion_must_be_signed_with_an_asymmetric_key() {
    let product = Product::start().await;
    let right = product.id_jag();
    let jwk = product.signers.vendor.public_jwk();
    let (message, signature) = {
        let token = right.sign();
        let (message, signature) = token
            .rsplit_once('.')
            .map(|(m, s)| (m.to_owned(), s.to_owned()))
            .expect("a JWT");
        (message, signature)
    };
    let flipped: String = signature.chars().rev().collect();
    refused(
        &product,
        [
            ("none", right.unsigned()),
            (
                "None",
                format!("{}AAAA", right.clone().header("alg", "None").unsigned()),
            ),
            (
                "HS256 with the JWK",
                right.hs256(jwk.to_string().as_bytes()),
            ),
            (
                "HS256 with x",
                right.hs256(jwk["x"].as_str().expect("x").as_bytes()),
            ),
            ("HS256 with nothing", right.hs256(b"")),
            ("no signature", format!("{message}.")),
            ("another signature", format!("{message}.{flipped}")),
            (
                "a signature of zeros",
                format!("{message}.{}", base64url(&[0; 64])),
            ),
            ("RS256", right.clone().header("alg", "RS256").sign()),
            ("ES256K", right.clone().header("alg", "ES256K").sign()),
            (
                "an unknown critical member",
                right
                    .clone()
                    .header("crit", json!(["x"]))
                    .header("x", 1)
                    .sign(),
            ),
            ("unencoded payload", right.header("b64", false).sign()),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_114_changed_claims_break_the_signature() {
    let product = Product::start().await;
    let token = product.id_jag().sign();
    let other = product.id_jag().with("scope", "files:write").sign();
    let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("a JWT")
    };
    let payload = other.split('.').nth(1).expect("a payload");
    refused(
        &product,
        [("spliced", format!("{header}.{payload}.{signature}"))],
    )
    .await;
}

#[tokio::test]
async fn n_115_a_key_in_the_header_is_not_a_key() {
    let product = Product::start().await;
    let attacker = &product.signers.attacker;
    let url = product.key_server.url();
    let forged = || {
        product
            .id_jag()
            .forged_by(attacker)
            .header("kid", attacker.kid())
    };
    product.key_server.publish(attacker.jwks());
    refused(
        &product,
        [
            ("jwk", forged().header("jwk", attacker.public_jwk()).sign()),
            ("jku", forged().header("jku", url.as_str()).sign()),
            ("x5u", forged().header("x5u", url.as_str()).sign()),
            ("kid is a URL", forged().header("kid", url.as_str()).sign()),
            (
                "without kid",
                forged()
                    .without_header("kid")
                    .header("jwk", attacker.public_jwk())
                    .sign(),
            ),
            (
                "the vendor's kid",
                product.id_jag().forged_by(attacker).sign(),
            ),
        ],
    )
    .await;
    assert_eq!(
        product.key_server.fetches(),
        0,
        "nothing is fetched because a token says so"
    );
}

#[tokio::test]
async fn n_116_an_unknown_key_is_looked_up_once_in_thirty_seconds() {
    let product = Product::start().await;
    let issuer = "https://idp.remote.example";
    let known = || product.id_jag_of(&product.signers.remote, issuer);
    let unknown = || {
        known()
            .forged_by(&product.signers.attacker)
            .header("kid", "unknown")
    };

    product.redeem(&known().sign()).await.assert_issued();
    assert_eq!(product.key_server.fetches(), 1);
    for _ in 0..5 {
        product
            .redeem(&unknown().sign())
            .await
            .assert_refused(400, "invalid_grant");
    }
    assert_eq!(
        product.key_server.fetches(),
        2,
        "five unknown keys, one look"
    );
    product.advance(31);
    product
        .redeem(&unknown().sign())
        .await
        .assert_refused(400, "invalid_grant");
    assert_eq!(product.key_server.fetches(), 3);
    product.redeem(&known().sign()).await.assert_issued();
}

#[tokio::test]
async fn n_116_a_new_key_of_an_issuer_is_found() {
    let product = Product::start().await;
    let issuer = "https://idp.remote.example";
    product
        .redeem(&product.id_jag_of(&product.signers.remote, issuer).sign())
        .await
        .assert_issued();
    let rotated = symbolon_testkit::Signer::generate();
    product.key_server.publish(rotated.jwks());

    product
        .redeem(&product.id_jag_of(&rotated, issuer).sign())
        .await
        .assert_issued();
    let old = product.id_jag_of(&product.signers.remote, issuer).sign();
    product
        .redeem(&old)
        .await
        .assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn n_117_a_key_of_one_issuer_does_not_sign_for_another() {
    let product = Product::start().await;
    let (vendor, other) = (&product.signers.vendor, &product.signers.other);
    refused(
        &product,
        [
            ("A for B", product.id_jag_of(other, VENDOR).sign()),
            ("under B's kid", product.id_jag().forged_by(other).sign()),
            (
                "B for A",
                product
                    .id_jag_of(vendor, "https://idp.other.example")
                    .sign(),
            ),
            (
                "ours for A",
                product.id_jag_of(&product.signers.notary, VENDOR).sign(),
            ),
        ],
    )
    .await;
    let control = product.id_jag_of(other, "https://idp.other.example").sign();
    product.redeem(&control).await.assert_issued();
}

#[tokio::test]
async fn n_118_the_issuer_must_be_trusted_exactly() {
    let product = Product::start().await;
    let from = |issuer: &str| product.id_jag().with("iss", issuer).sign();
    refused(
        &product,
        [
            ("untrusted", from("https://idp.evil.example")),
            ("a slash more", from("https://idp.vendor.example/")),
            ("another case", from("https://IDP.vendor.example")),
            ("with the port", from("https://idp.vendor.example:443")),
            ("a path", from("https://idp.vendor.example/..")),
            ("http", from("http://idp.vendor.example")),
            ("empty", from("")),
            ("absent", product.id_jag().without("iss").sign()),
            (
                "a list",
                product.id_jag().with("iss", json!([VENDOR])).sign(),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_119_a_shared_issuer_must_name_our_tenant() {
    let product = Product::start().await;
    let shared = || {
        product
            .id_jag_of(&product.signers.shared, "https://idp.shared.example")
            .without("tenant")
    };
    refused(
        &product,
        [
            ("absent", shared().sign()),
            ("unknown", shared().with("tenant", "initech").sign()),
            (
                "of another customer",
                shared().with("tenant", "globex").sign(),
            ),
            ("in another case", shared().with("tenant", "ACME").sign()),
            ("a list", shared().with("tenant", json!(["acme"])).sign()),
            ("null", shared().with("tenant", Value::Null).sign()),
        ],
    )
    .await;
    product
        .redeem(&shared().with("tenant", "acme").sign())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_120_the_audience_must_be_this_authorization_server() {
    let product = Product::start().await;
    let to = |audience: &str| product.id_jag().with("aud", audience).sign();
    let issuer = product.authorization_server();
    refused(
        &product,
        [
            ("another server", to("https://as.evil.example")),
            ("the token endpoint", to(&format!("{issuer}/token"))),
            ("the MCP server", to(FILES)),
            ("the public URL", to(product.public_url())),
            ("our idp", to(&product.identity_provider("acme"))),
            ("a slash more", to(&format!("{issuer}/"))),
            ("the client", to("desk")),
            ("absent", product.id_jag().without("aud").sign()),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_121_the_audience_is_one_text() {
    let product = Product::start().await;
    let us = product.authorization_server();
    let to = |audience: Value| product.id_jag().with("aud", audience).sign();
    refused(
        &product,
        [
            ("two", to(json!([us, "https://as.evil.example"]))),
            (
                "two the other way",
                to(json!(["https://as.evil.example", us])),
            ),
            ("twice", to(json!([us, us]))),
            ("none", to(json!([]))),
            ("a number", to(json!(1))),
            ("null", to(Value::Null)),
            ("an object", to(json!({ "iss": us }))),
            ("a number in a list", to(json!([1]))),
            ("a list in a list", to(json!([[us]]))),
        ],
    )
    .await;
    product.redeem(&to(json!([us]))).await.assert_issued();
}

#[tokio::test]
async fn n_122_the_client_must_be_the_one_that_authenticated() {
    let product = Product::start().await;
    let of = |client: Value| product.id_jag().with("client_id", client).sign();
    refused(
        &product,
        [
            ("another", of(json!("rival"))),
            ("unknown", of(json!("nobody"))),
            ("in another case", of(json!("DESK"))),
            ("a list", of(json!(["desk"]))),
            ("null", of(Value::Null)),
            ("empty", of(json!(""))),
            ("absent", product.id_jag().without("client_id").sign()),
            (
                "only in azp",
                product
                    .id_jag()
                    .without("client_id")
                    .with("azp", "desk")
                    .sign(),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_123_a_stolen_id_jag_is_worth_nothing_to_another_client() {
    let product = Product::start().await;
    let stolen = product.id_jag().sign();

    let thief = redeem_as(&product, "rival", &stolen).await;
    thief.assert_refused(400, "invalid_grant");

    product.redeem(&stolen).await.assert_issued();
}

#[tokio::test]
async fn n_124_a_stolen_id_jag_is_worth_nothing_without_the_client() {
    let product = Product::start().await;
    let stolen = product.id_jag().sign();
    let form = form([("grant_type", JWT_BEARER), ("assertion", &stolen)]);

    product
        .token("as", As::Nobody, &form)
        .await
        .assert_refused(401, "invalid_client");
    let named = set(form, "client_id", "desk");
    product
        .token("as", As::Nobody, &named)
        .await
        .assert_refused(401, "invalid_client");

    product.redeem(&stolen).await.assert_issued();
}

#[tokio::test]
async fn n_125_an_assertion_is_valid_for_minutes_around_now() {
    let product = Product::start().await;
    let now = product.now().unix_seconds();
    let lived = |iat: i64, exp: i64| {
        product
            .id_jag()
            .with("iat", now + iat)
            .with("exp", now + exp)
            .sign()
    };
    refused(
        &product,
        [
            ("expired", lived(-200, -31)),
            ("exp absent", product.id_jag().without("exp").sign()),
            (
                "exp a text",
                product.id_jag().with("exp", (now + 60).to_string()).sign(),
            ),
            ("exp null", product.id_jag().with("exp", Value::Null).sign()),
            (
                "exp beyond reason",
                product.id_jag().with("exp", 1.0e300).sign(),
            ),
            ("iat absent", product.id_jag().without("iat").sign()),
            (
                "iat a text",
                product.id_jag().with("iat", now.to_string()).sign(),
            ),
            ("iat in the future", lived(31, 120)),
            (
                "nbf in the future",
                product.id_jag().with("nbf", now + 60).sign(),
            ),
            ("exp before iat", lived(10, 5)),
            ("lives too long", lived(0, 301)),
        ],
    )
    .await;
    for (iat, exp) in [(-200, -29), (29, 120), (0, 300)] {
        product.redeem(&lived(iat, exp)).await.assert_issued();
    }
}

#[tokio::test]
async fn n_125_a_token_expires_while_the_clock_runs() {
    let product = Product::start().await;
    let held = product.id_jag().sign();
    product.advance(151);
    product
        .redeem(&held)
        .await
        .assert_refused(400, "invalid_grant");
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_126_an_assertion_is_redeemed_once() {
    let product = Product::start().await;
    let assertion = product.id_jag();

    product.redeem(&assertion.sign()).await.assert_issued();
    product
        .redeem(&assertion.sign())
        .await
        .assert_refused(400, "invalid_grant");
    // ECDSA signs the same claims differently each time: the name counts, not the bytes.
    let same_name = product
        .id_jag()
        .with("jti", assertion.jti())
        .with("scope", "files:write");
    product
        .redeem(&same_name.sign())
        .await
        .assert_refused(400, "invalid_grant");
    product.advance(149);
    product
        .redeem(&assertion.sign())
        .await
        .assert_refused(400, "invalid_grant");

    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_126_an_assertion_has_a_name() {
    let product = Product::start().await;
    refused(
        &product,
        [
            ("absent", product.id_jag().without("jti").sign()),
            ("empty", product.id_jag().with("jti", "").sign()),
            ("a number", product.id_jag().with("jti", 1).sign()),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_126_a_name_used_by_one_issuer_is_free_for_another() {
    let product = Product::start().await;
    let vendor = product.id_jag();
    let other = product.id_jag_of(&product.signers.other, "https://idp.other.example");

    product.redeem(&vendor.sign()).await.assert_issued();
    product
        .redeem(&other.with("jti", vendor.jti()).sign())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_127_every_resource_must_be_governed_here() {
    let product = Product::start().await;
    let to = |resource: Value| product.id_jag().with("resource", resource).sign();
    refused(
        &product,
        [
            ("foreign", to(json!("https://mcp.evil.example/mcp"))),
            ("of another organization", to(json!(VAULT))),
            ("mixed", to(json!([FILES, "https://mcp.evil.example/mcp"]))),
            ("mixed with a neighbour's", to(json!([FILES, VAULT]))),
            ("a slash more", to(json!(format!("{FILES}/")))),
            ("in another case", to(json!(FILES.to_uppercase()))),
            ("a number", to(json!(1))),
            ("an object", to(json!({ "resource": FILES }))),
            ("empty", to(json!(""))),
            ("an empty list", to(json!([]))),
        ],
    )
    .await;
    product.redeem(&to(json!([FILES]))).await.assert_issued();
}

#[tokio::test]
async fn n_128_an_assertion_for_no_resource_fits_only_a_single_server() {
    let product = Product::start().await;
    refused(
        &product,
        [
            ("absent", product.id_jag().without("resource").sign()),
            (
                "two",
                product
                    .id_jag()
                    .with("resource", json!([FILES, TRACKER]))
                    .sign(),
            ),
        ],
    )
    .await;
    // Globex has one server only (AS-102).
    let single = product.globex_id_jag().without("resource").sign();
    let reply = redeem_as(&product, "globex-desk", &single).await;
    reply.assert_issued();
    assert_eq!(claims(&reply.text("access_token"))["aud"], VAULT);
}

#[tokio::test]
async fn n_129_the_request_cannot_name_another_resource() {
    let product = Product::start().await;
    for resource in [
        WIKI,
        VAULT,
        "https://mcp.evil.example/mcp",
        "files",
        "https://a.example/#f",
    ] {
        let assertion = product.id_jag().sign();
        let reply = product
            .redeem_with(&assertion, &[("resource", resource)])
            .await;
        reply.assert_refused(400, "invalid_target");
    }
    let assertion = product.id_jag().sign();
    let two = [("resource", FILES), ("resource", WIKI)];
    product
        .redeem_with(&assertion, &two)
        .await
        .assert_refused(400, "invalid_target");

    product
        .redeem_with(&assertion, &[("resource", FILES)])
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_130_a_scope_beyond_the_assertion_is_refused() {
    let product = Product::start().await;
    for scope in ["files:write", "files:admin", "unknown", "FILES:READ"] {
        let assertion = product.id_jag().sign();
        let reply = product.redeem_with(&assertion, &[("scope", scope)]).await;
        reply.assert_refused(400, "invalid_scope");
    }
    let assertion = product.id_jag().sign();
    product
        .redeem_with(&assertion, &[("scope", "files:read")])
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_131_a_wider_scope_is_narrowed_and_said() {
    let product = Product::start().await;
    let assertion = product.id_jag().sign();

    let wider = [("scope", "files:write files:read files:admin")];
    let reply = product.redeem_with(&assertion, &wider).await;

    reply.assert_issued();
    assert_eq!(reply.text("scope"), "files:read");
    let claims = claims(&reply.text("access_token"));
    assert_eq!(
        (&claims["scope"], &claims["aud"]),
        (&json!("files:read"), &json!(FILES))
    );
}

#[tokio::test]
async fn n_132_a_scope_unknown_at_the_resource_is_refused() {
    let product = Product::start().await;
    let scoped = |scope: Value| product.id_jag().with("scope", scope).sign();
    refused(
        &product,
        [
            ("unknown", scoped(json!("files:read unknown"))),
            ("of another server", scoped(json!("issues:read"))),
            ("a list", scoped(json!(["files:read"]))),
            ("not a scope", scoped(json!("files:read \"quoted\""))),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_131_policy_narrows_what_the_issuer_asserts() {
    let product = Product::start().await;
    let all = product
        .id_jag()
        .with("scope", "files:read files:write files:admin")
        .sign();
    let reply = product.redeem(&all).await;
    reply.assert_issued();
    assert_eq!(
        reply.text("scope"),
        "files:read files:write",
        "nobody is assigned files:admin"
    );

    let admin = product.id_jag().with("scope", "files:admin").sign();
    product
        .redeem(&admin)
        .await
        .assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn n_133_authorization_details_must_be_understood() {
    let product = Product::start().await;
    let detailed = |details: Value| {
        product
            .id_jag()
            .with("authorization_details", details)
            .sign()
    };
    refused(
        &product,
        [
            ("a text", detailed(json!("[{\"type\":\"files\"}]"))),
            ("an object", detailed(json!({ "type": "files" }))),
            ("texts", detailed(json!(["files"]))),
        ],
    )
    .await;
    let unknown = product
        .redeem(&detailed(json!([{ "type": "payment" }])))
        .await;
    unknown.assert_refused(400, "invalid_authorization_details");
}

#[tokio::test]
async fn n_134_to_n_138_a_bound_assertion_without_its_proof_is_refused() {
    let product = Product::start().await;
    let bound = |confirmation: Value| product.id_jag().with("cnf", confirmation).sign();
    let thumbprint = base64url(&[7; 32]);
    refused(
        &product,
        [
            ("N-134 jkt", bound(json!({ "jkt": thumbprint }))),
            ("N-136 x5t", bound(json!({ "x5t#S256": thumbprint }))),
            (
                "both",
                bound(json!({ "jkt": thumbprint, "x5t#S256": thumbprint })),
            ),
            ("N-138 unknown", bound(json!({ "kid": "a" }))),
            (
                "N-138 unknown beside",
                bound(json!({ "jkt": thumbprint, "other": 1 })),
            ),
            ("empty", bound(json!({}))),
            ("a text", bound(json!("a"))),
            ("null", bound(Value::Null)),
        ],
    )
    .await;
}

/// Accounts are found by issuer and `sub`; what the token says beside them picks nobody.
#[tokio::test]
async fn n_139_a_foreign_sub_id_picks_nobody() {
    let product = Product::start().await;
    let subject = async |token: Token| {
        let reply = product.redeem(&token.sign()).await;
        claims(&reply.assert_issued().text("access_token"))["sub"].clone()
    };
    let ada = subject(product.id_jag()).await;
    let sub_id = json!({ "format": "iss_sub", "iss": VENDOR, "sub": "vendor-ada" });
    let bob = product.id_jag().with("sub", "vendor-bob");
    let bob = bob.with("sub_id", sub_id).with("aud_sub", ada.clone());

    let found = subject(bob).await;
    assert_ne!(found, ada);
    assert_eq!(
        subject(product.id_jag().with("sub", "vendor-bob")).await,
        found
    );
}

#[tokio::test]
async fn n_142_an_email_address_links_to_nobody() {
    let product = Product::start().await;
    let signed_in = SignIn::to_files()
        .tokens(&product)
        .await
        .text("access_token");
    let ada = claims(&signed_in)["sub"].clone();
    let impostor = product
        .id_jag()
        .with("sub", "impostor")
        .with("email", "ada@acme.example");

    let reply = product
        .redeem(&impostor.with("email_verified", true).sign())
        .await;

    reply.assert_issued();
    assert_ne!(
        claims(&reply.text("access_token"))["sub"],
        ada,
        "another person"
    );
    let external = product.id_jag().with("sub", "development-ada").sign();
    let linked = product.redeem(&external).await.text("access_token");
    assert_eq!(
        claims(&linked)["sub"],
        ada,
        "the connection's subject is she"
    );
}

#[tokio::test]
async fn n_142_an_email_address_has_no_assignment_of_its_own() {
    let extra = r#"
        [[assignment]]
        organization = "acme"
        users = ["ada@acme.example"]
        mcp_server = "files"
        scopes = ["files:admin"]
    "#;
    let product = Product::with(extra).await;
    let admin = |subject: &str| {
        let token = product
            .id_jag()
            .with("sub", subject)
            .with("scope", "files:admin");
        token
            .with("email", "ada@acme.example")
            .with("email_verified", false)
            .sign()
    };
    SignIn::to_files().tokens(&product).await;

    product
        .redeem(&admin("development-ada"))
        .await
        .assert_issued();
    product
        .redeem(&admin("impostor"))
        .await
        .assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn n_143_a_disabled_person_stays_disabled() {
    let product = Product::start().await;
    let reply = product
        .redeem(&product.id_jag().with("sub", "leaver").sign())
        .await;
    let user = claims(&reply.assert_issued().text("access_token"))["sub"].clone();
    let organization = "acme".parse().expect("an organization");
    let id = user.as_str().expect("a user").parse().expect("a user id");
    let now = product.now();
    let disable = product.running.store().write(move |tx| {
        Box::pin(async move { user::disable(tx, &organization, &id, &By::system(), now).await })
    });
    assert!(disable.await.expect("the database answers"));

    let again = product.id_jag().with("sub", "leaver").sign();
    product
        .redeem(&again)
        .await
        .assert_refused(400, "invalid_grant");
    assert_eq!(
        product
            .introspect("files-server", &reply.text("access_token"))
            .await,
        json!({ "active": false })
    );
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_143_a_removed_person_is_not_created_again() {
    let product = Product::start().await;
    let leaver = |product: &Product| {
        product
            .id_jag()
            .with("sub", "leaver")
            .with("email", "leaver@acme.example")
            .sign()
    };
    let reply = product.redeem(&leaver(&product)).await;
    let user = claims(&reply.assert_issued().text("access_token"))["sub"].clone();
    let organization = "acme".parse().expect("an organization");
    let id = user.as_str().expect("a user").parse().expect("a user id");
    let now = product.now();
    let remove = product.running.store().write(move |tx| {
        Box::pin(async move {
            let secrets = secret_key::ensure_all(tx, now).await?;
            let secret = TombstoneSecret::new(secrets.get(SecretPurpose::Tombstone).clone());
            user::delete(tx, &organization, &id, &secret, &By::system(), now).await
        })
    });
    assert!(remove.await.expect("the database answers"));

    product
        .redeem(&leaver(&product))
        .await
        .assert_refused(400, "invalid_grant");
    assert!(
        product
            .users("acme", "leaver@acme.example")
            .await
            .is_empty(),
        "nobody came back"
    );
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_144_an_assertion_that_names_this_server_as_its_issuer_is_refused() {
    let product = Product::start().await;
    let own = product.authorization_server();
    let vendor = &product.signers.vendor;
    refused(
        &product,
        [("our own name", product.id_jag_of(vendor, &own).sign())],
    )
    .await;
}

/// Design §4 rule 15: what one of our own `idp`s issues is redeemed only where a row says so.
#[tokio::test]
async fn n_144_an_assertion_of_our_own_idp_needs_a_trusted_issuer() {
    let product = Product::start().await;
    let issue =
        |role: &'static str, client: &'static str, id_token: String, resource: &'static str| {
            let audience = product.authorization_server();
            let form = form([
                ("grant_type", support::TOKEN_EXCHANGE),
                ("requested_token_type", support::ID_JAG_TYPE),
                ("subject_token", &id_token),
                ("subject_token_type", support::ID_TOKEN_TYPE),
                ("audience", &audience),
                ("resource", resource),
            ]);
            let product = &product;
            async move {
                product
                    .token(role, As::Client(client), &form)
                    .await
                    .assert_issued()
                    .text("access_token")
            }
        };
    let gus = SignIn::to_globex().tokens(&product).await.text("id_token");
    let globex = issue("idp/globex", "globex-idp-desk", gus, VAULT).await;
    redeem_as(&product, "globex-desk", &globex)
        .await
        .assert_refused(400, "invalid_grant");

    let ada = SignIn::to_acme().tokens(&product).await.text("id_token");
    let acme = issue("idp/acme", "idp-desk", ada, FILES).await;
    product.redeem(&acme).await.assert_issued();
}

#[tokio::test]
async fn n_145_an_assertion_for_one_issuer_is_refused_at_every_other() {
    let product = Product::start().await;
    let assertion = product.id_jag().sign();
    let form = form([("grant_type", JWT_BEARER), ("assertion", &assertion)]);

    for (role, client) in [("idp/acme", "idp-desk"), ("idp/globex", "globex-idp-desk")] {
        let reply = product.token(role, As::Client(client), &form).await;
        reply.assert_refused(400, "invalid_grant");
    }
    product.redeem(&assertion).await.assert_issued();
}

#[tokio::test]
async fn n_146_a_public_client_redeems_only_where_the_issuer_opted_in() {
    let product = Product::start().await;
    let redeem = |issuer: &str| {
        let token = product
            .id_jag_of(&product.signers.vendor, issuer)
            .with("client_id", "pocket");
        let form = form([
            ("grant_type", JWT_BEARER),
            ("assertion", &token.sign()),
            ("client_id", "pocket"),
        ]);
        let product = &product;
        async move { product.token("as", As::Nobody, &form).await }
    };

    redeem(VENDOR).await.assert_refused(401, "invalid_client");
    redeem("https://idp.open.example").await.assert_issued();
}

#[tokio::test]
async fn as_130_a_trusted_issuer_may_name_its_clients() {
    let product = Product::start().await;
    let issuer = "https://idp.named.example";
    let of = |client: &str| {
        product
            .id_jag_of(&product.signers.vendor, issuer)
            .with("client_id", client)
            .sign()
    };

    product
        .redeem(&of("desk"))
        .await
        .assert_refused(400, "invalid_grant");
    redeem_as(&product, "rival", &of("rival"))
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_147_no_refresh_token_comes_with_it() {
    let product = Product::start().await;
    let asked = [("scope", "files:read offline_access")];
    for reply in [
        product.redeem(&product.id_jag().sign()).await,
        product.redeem_with(&product.id_jag().sign(), &asked).await,
    ] {
        reply.assert_issued();
        assert!(
            reply.json().get("refresh_token").is_none(),
            "{}",
            reply.body()
        );
        assert!(reply.json().get("id_token").is_none(), "{}", reply.body());
        assert_eq!(reply.text("token_type"), "Bearer");
        assert_eq!(reply.json()["expires_in"], 900, "AS-60");
    }
}

#[tokio::test]
async fn n_148_an_encrypted_or_nested_assertion_is_refused() {
    let product = Product::start().await;
    let right = product.id_jag();
    let jwe = format!(
        "{}.a.b.c.d",
        base64url(br#"{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}"#)
    );
    let nested = product.signers.vendor.sign(
        &json!({ "alg": "ES256", "typ": "oauth-id-jag+jwt", "cty": "JWT", "kid": product.signers.vendor.kid() }),
        &Value::String(right.unsigned()),
    );
    let json = json!({ "payload": "e30", "signatures": [{ "protected": "e30", "signature": "" }] });
    refused(
        &product,
        [
            ("JWE", jwe),
            (
                "an encrypted header",
                right.clone().header("enc", "A256GCM").sign(),
            ),
            ("compressed", right.clone().header("zip", "DEF").sign()),
            ("nested", nested),
            ("JSON serialization", json.to_string()),
            (
                "two parts",
                right.sign().rsplit_once('.').expect("parts").0.to_owned(),
            ),
            ("four parts", format!("{}.x", right.sign())),
            ("dots", "..".to_owned()),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_149_an_oversized_or_deep_assertion_is_refused() {
    let product = Product::start().await;
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    let large = [
        product
            .id_jag()
            .with("padding", "x".repeat(17 * 1024))
            .sign(),
        product
            .id_jag()
            .with("padding", "x".repeat(40 * 1024))
            .sign(),
        product
            .id_jag()
            .header("padding", "x".repeat(4 * 1024))
            .sign(),
        product.id_jag().with("deep", deep).sign(),
    ];
    for assertion in large {
        product
            .redeem(&assertion)
            .await
            .assert_refused(400, "invalid_request");
    }
    let beyond_any_form = product
        .id_jag()
        .with("padding", "x".repeat(60 * 1024))
        .sign();
    product
        .redeem(&beyond_any_form)
        .await
        .assert_refused(400, "invalid_request");
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

/// RFC 8725 §2.4: no two readers may disagree about a token.
#[tokio::test]
async fn n_149_a_claim_that_is_there_twice_is_refused() {
    let product = Product::start().await;
    let vendor = &product.signers.vendor;
    let claims = claims(&product.id_jag().sign()).to_string();
    let doubled = format!("{{\"client_id\":\"rival\",{}", &claims[1..]);
    let header = json!({ "alg": "ES256", "typ": "oauth-id-jag+jwt", "kid": vendor.kid() });
    let raw = vendor.sign_raw(&header.to_string(), &doubled);
    refused(&product, [("doubled", raw)]).await;
    let control = vendor.sign_raw(&header.to_string(), &claims);
    product.redeem(&control).await.assert_issued();
}

#[tokio::test]
async fn n_150_nothing_is_accepted_without_the_keys_of_the_issuer() {
    let mut product = Product::start().await;
    let issuer = "https://idp.remote.example";
    let assertion = |product: &Product| product.id_jag_of(&product.signers.remote, issuer).sign();
    product.redeem(&assertion(&product)).await.assert_issued();
    product.key_server.take_down().await;

    product.advance(3600 + 1800);
    product.redeem(&assertion(&product)).await.assert_issued();
    product.advance(3600);
    let unavailable = product.redeem(&assertion(&product)).await;
    unavailable.assert_refused(503, "temporarily_unavailable");
    let forged = product.id_jag_of(&product.signers.attacker, issuer).sign();
    product
        .redeem(&forged)
        .await
        .assert_refused(503, "temporarily_unavailable");

    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_150_an_issuer_that_never_answered_vouches_for_nobody() {
    let mut product = Product::start().await;
    product.key_server.take_down().await;
    let assertion = product.id_jag_of(&product.signers.remote, "https://idp.remote.example");

    let reply = product.redeem(&assertion.sign()).await;

    reply.assert_refused(503, "temporarily_unavailable");
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_154_nothing_public_says_whom_we_trust() {
    let product = Product::start().await;
    let places = [
        ".well-known/oauth-authorization-server/as",
        ".well-known/openid-configuration/as",
        "as/.well-known/openid-configuration",
        ".well-known/oauth-authorization-server/idp/acme",
        ".well-known/openid-configuration/idp/acme",
        "idp/acme/.well-known/openid-configuration",
        "as/jwks",
        "idp/acme/jwks",
    ];
    for place in places {
        let reply = product.send(http::Method::GET, place, &[], "").await;
        assert_eq!(reply.status, 200, "{place}");
        for name in [
            "vendor",
            "other.example",
            "remote",
            "shared",
            "globex",
            "partner",
            "desk",
            "files:",
        ] {
            assert!(
                !reply.body().contains(name),
                "{place} says {name}: {}",
                reply.body()
            );
        }
    }
    let missing = ".well-known/oauth-authorization-server/idp/initech";
    assert_eq!(
        product
            .send(http::Method::GET, missing, &[], "")
            .await
            .status,
        404
    );
}

/// The reason is for the administrator; the caller learns the code alone.
#[tokio::test]
async fn as_63_no_refusal_tells_why_or_repeats_the_assertion() {
    let product = Product::start().await;
    let broken = [
        product.id_jag().with("client_id", "rival").sign(),
        product
            .id_jag()
            .with("iss", "https://idp.evil.example")
            .sign(),
        product.id_jag().forged_by(&product.signers.attacker).sign(),
        product.id_jag().with("scope", "files:admin").sign(),
    ];
    for assertion in broken {
        let reply = product.redeem(&assertion).await;
        reply.assert_refused(400, "invalid_grant");
        assert_eq!(reply.body(), r#"{"error":"invalid_grant"}"#);
    }
}
