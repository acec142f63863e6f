//! What policy allows (N-171 to N-175).

use crate::*;

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
