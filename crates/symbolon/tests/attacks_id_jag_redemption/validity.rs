//! When it is valid, how often, and what it is bound to (N-125, N-126, N-133 to N-138).

use crate::*;

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

#[tokio::test]
async fn as_99_an_administrator_caps_how_long_an_assertion_lives() {
    let extra = r#"
        [[trusted_issuer]]
        organization = "acme"
        issuer = "https://idp.slow.example"
        jwks = { file = "vendor.jwks" }
        subject = { connection = "acme-oidc" }
        max_lifetime = "15m"

        [[trusted_issuer]]
        organization = "acme"
        issuer = "https://idp.fast.example"
        jwks = { file = "vendor.jwks" }
        subject = { connection = "acme-oidc" }
        max_lifetime = "30s"
    "#;
    let product = Product::with(extra).await;
    let now = product.now().unix_seconds();
    let lived = |issuer: &str, seconds: i64| {
        product
            .id_jag_of(&product.signers.vendor, issuer)
            .with("exp", now + seconds)
            .sign()
    };
    for (issuer, most) in [
        ("https://idp.slow.example", 900),
        ("https://idp.fast.example", 30),
    ] {
        let reply = product.redeem(&lived(issuer, most + 1)).await;
        reply.assert_refused(400, "invalid_grant");
        product.redeem(&lived(issuer, most)).await.assert_issued();
    }
}

/// Q-01: an administrator may let an issuer's assertions be resubmitted until they expire.
#[tokio::test]
async fn as_100_only_an_administrator_lets_an_assertion_be_resubmitted() {
    let extra = r#"
        [[trusted_issuer]]
        organization = "acme"
        issuer = "https://idp.again.example"
        jwks = { file = "vendor.jwks" }
        subject = { connection = "acme-oidc" }
        single_use = false
    "#;
    let product = Product::with(extra).await;
    let again = product
        .id_jag_of(&product.signers.vendor, "https://idp.again.example")
        .sign();
    let once = product.id_jag().sign();

    for _ in 0..3 {
        product.redeem(&again).await.assert_issued();
    }
    product.redeem(&once).await.assert_issued();
    product
        .redeem(&once)
        .await
        .assert_refused(400, "invalid_grant");
    product.advance(151);
    product
        .redeem(&again)
        .await
        .assert_refused(400, "invalid_grant");
}
