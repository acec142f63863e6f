//! Who asks, for which audience and resource (N-160 to N-162, N-169, N-170, N-178, N-179).

use crate::*;

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

/// ID-20: whoever finds an ID token of a public client could exchange it.
#[tokio::test]
async fn n_160_a_public_client_exchanges_nothing() {
    let extra = r#"
        [[client]]
        issuer = "idp/acme"
        id = "public-desk"
        organization = "acme"
        authentication = "none"
        grants = ["token_exchange"]
    "#;
    let product = Product::with(extra).await;
    let form = exchange(&id_token(&product).await);
    product
        .token(
            "idp/acme",
            As::Nobody,
            &set(form, "client_id", "public-desk"),
        )
        .await
        .assert_refused(401, "invalid_client");
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
