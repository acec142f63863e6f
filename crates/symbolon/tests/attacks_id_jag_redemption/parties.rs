//! Who speaks to whom about which client (N-118 to N-124, N-144 to N-146).

use crate::*;

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
