//! What it gives access to, and what the answer gives away (N-127 to N-132, N-147, N-154).

use crate::*;

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
