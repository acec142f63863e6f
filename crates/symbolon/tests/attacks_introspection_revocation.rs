//! Attacks on introspection and revocation (requirements N-230 to N-232, AS-190).

mod support;

use http::{Method, header};
use serde_json::{Value, json};
use support::{As, FORM, Product, SignIn, TRACKER, claims, form, set};

#[tokio::test]
async fn n_230_introspection_needs_an_authenticated_client() {
    let product = Product::start().await;
    let token = SignIn::to_files()
        .tokens(&product)
        .await
        .text("access_token");
    let form = form([("token", &token)]);

    product
        .post("as/introspect", As::Nobody, &form)
        .await
        .assert_refused(401, "invalid_client");
    for public in ["pocket", "files-server", "nobody"] {
        let named = set(form.clone(), "client_id", public);
        let reply = product.post("as/introspect", As::Nobody, &named).await;
        reply.assert_refused(401, "invalid_client");
    }
    let wrong = product
        .post("as/introspect", As::Basic("files-server", "wrong"), &form)
        .await;
    wrong.assert_refused(401, "invalid_client");
    assert!(wrong.header("www-authenticate").is_some());

    let control = product
        .post("as/introspect", As::Client("files-server"), &form)
        .await;
    assert_eq!(control.assert_status(200).json()["active"], true);
}

#[tokio::test]
async fn n_230_a_bearer_token_is_no_client_authentication() {
    let product = Product::start().await;
    let token = SignIn::to_files()
        .tokens(&product)
        .await
        .text("access_token");
    let bearer = format!("Bearer {token}");
    let headers = [FORM, (header::AUTHORIZATION, bearer.as_str())];

    let reply = product
        .send(
            Method::POST,
            "as/introspect",
            &headers,
            &format!("token={token}"),
        )
        .await;

    reply.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn n_230_only_a_posted_form_is_read() {
    let product = Product::start().await;
    let token = SignIn::to_files()
        .tokens(&product)
        .await
        .text("access_token");
    for endpoint in ["introspect", "revoke"] {
        let asked = format!("as/{endpoint}?token={token}");
        assert_eq!(product.send(Method::GET, &asked, &[], "").await.status, 405);
        let in_url = product
            .post(&asked, As::Client("desk"), &form([("token", &token)]))
            .await;
        in_url.assert_refused(400, "invalid_request");
        let missing = product
            .post(&format!("as/{endpoint}"), As::Client("desk"), &form([]))
            .await;
        missing.assert_refused(400, "invalid_request");
        let twice = form([("token", &token), ("token", &token)]);
        let twice = product
            .post(&format!("as/{endpoint}"), As::Client("desk"), &twice)
            .await;
        twice.assert_refused(400, "invalid_request");
    }
    assert_eq!(
        product.introspect("files-server", &token).await["active"],
        true
    );
}

#[tokio::test]
async fn n_231_a_server_learns_nothing_about_tokens_for_another() {
    let product = Product::start().await;
    let files = SignIn::to_files()
        .tokens(&product)
        .await
        .text("access_token");
    let to_tracker = SignIn::to_files()
        .with("resource", TRACKER)
        .with("scope", "issues:read");
    let tracker = to_tracker.tokens(&product).await.text("access_token");
    let inactive = json!({ "active": false });

    assert_eq!(product.introspect("tracker-server", &files).await, inactive);
    assert_eq!(product.introspect("files-server", &tracker).await, inactive);
    assert_eq!(product.introspect("globex-server", &files).await, inactive);
    assert_eq!(product.introspect("rival", &files).await, inactive);

    let own = product.introspect("files-server", &files).await;
    assert_eq!(
        (&own["active"], &own["aud"]),
        (&json!(true), &json!(support::FILES))
    );
    assert_eq!(own["scope"], "files:read");
    assert_eq!(
        product.introspect("tracker-server", &tracker).await["active"],
        true
    );
    assert_eq!(
        product.introspect("desk", &files).await["active"],
        true,
        "the client's own"
    );
}

#[tokio::test]
async fn n_231_what_is_no_live_access_token_is_inactive() {
    let product = Product::start().await;
    let tokens = SignIn::to_files().tokens(&product).await;
    let at_idp = SignIn::to_acme().tokens(&product).await;
    let access = tokens.text("access_token");
    let forged = symbolon_testkit::Token::new(&product.signers.attacker, "at+jwt", claims(&access));
    let other = [
        "unknown".to_owned(),
        "a.b.c".to_owned(),
        format!("{access}A"),
        tokens.text("refresh_token"),
        at_idp.text("access_token"),
        at_idp.text("id_token"),
        product.id_jag().sign(),
        forged.sign(),
        forged.unsigned(),
        "x".repeat(20_000),
    ];
    for token in other {
        assert_eq!(
            product.introspect("files-server", &token).await,
            json!({ "active": false })
        );
    }
    assert_eq!(
        product.introspect("files-server", &access).await["active"],
        true
    );
    product.advance(901);
    assert_eq!(
        product.introspect("files-server", &access).await,
        json!({ "active": false })
    );
}

#[tokio::test]
async fn n_232_an_unknown_token_is_revoked_with_success() {
    let product = Product::start().await;
    for token in ["unknown", "a.b.c", "sr_unknown.0.AAAA"] {
        let reply = product
            .post("as/revoke", As::Client("desk"), &form([("token", token)]))
            .await;
        reply.assert_status(200);
    }
    let unauthenticated = product
        .post("as/revoke", As::Nobody, &form([("token", "unknown")]))
        .await;
    unauthenticated.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn n_232_nobody_revokes_the_token_of_another_client() {
    let product = Product::start().await;
    let tokens = SignIn::to_files().tokens(&product).await;
    let access = tokens.text("access_token");
    for name in ["access_token", "refresh_token"] {
        let form = form([("token", &tokens.text(name))]);
        for client in ["rival", "files-server", "globex-desk"] {
            let reply = product.post("as/revoke", As::Client(client), &form).await;
            reply.assert_refused(400, "invalid_request");
        }
        let public = set(form, "client_id", "pocket");
        let reply = product.post("as/revoke", As::Nobody, &public).await;
        reply.assert_refused(400, "invalid_request");
    }
    let answer = product.introspect("files-server", &access).await;
    assert_eq!(answer["active"], true, "nothing was revoked");

    let own = form([("token", &access)]);
    product
        .post("as/revoke", As::Client("desk"), &own)
        .await
        .assert_status(200);
    let answer = product.introspect("files-server", &access).await;
    assert_eq!(answer, json!({ "active": false }));
}

#[tokio::test]
async fn n_232_a_token_is_revoked_at_its_own_issuer_only() {
    let product = Product::start().await;
    let files = SignIn::to_files().tokens(&product).await;
    let acme = SignIn::to_acme().tokens(&product).await;
    for (role, client, tokens) in [
        ("idp/acme", "idp-desk", &files),
        ("as", "desk", &acme),
        ("idp/globex", "globex-idp-desk", &acme),
    ] {
        for name in ["access_token", "refresh_token"] {
            let form = form([("token", &tokens.text(name))]);
            let reply = product
                .post(&format!("{role}/revoke"), As::Client(client), &form)
                .await;
            reply.assert_status(200);
        }
    }
    let refreshed = |role: &'static str, client: &'static str, token: String| {
        let form = form([("grant_type", "refresh_token"), ("refresh_token", &token)]);
        let product = &product;
        async move { product.token(role, As::Client(client), &form).await }
    };
    refreshed("as", "desk", files.text("refresh_token"))
        .await
        .assert_issued();
    refreshed("idp/acme", "idp-desk", acme.text("refresh_token"))
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_232_a_refresh_token_takes_its_access_tokens_along() {
    let product = Product::start().await;
    let tokens = SignIn::to_files().tokens(&product).await;
    let form = form([
        ("token", &tokens.text("refresh_token")),
        ("token_type_hint", "access_token"),
    ]);

    product
        .post("as/revoke", As::Client("desk"), &form)
        .await
        .assert_status(200);

    let answer = product
        .introspect("files-server", &tokens.text("access_token"))
        .await;
    assert_eq!(answer, json!({ "active": false }));
    let refresh = support::form([
        ("grant_type", "refresh_token"),
        ("refresh_token", &tokens.text("refresh_token")),
    ]);
    let reply = product.token("as", As::Client("desk"), &refresh).await;
    reply.assert_refused(400, "invalid_grant");
}

/// RFC 7009 §2.1 with the reading of AS-71: an old token of a family is a token of that family.
#[tokio::test]
async fn n_232_revocation_is_recorded() {
    let product = Product::start().await;
    let tokens = SignIn::to_files().tokens(&product).await;
    let grant = claims(&tokens.text("access_token"))["grant_id"].clone();
    let form = form([("token", &tokens.text("access_token"))]);
    product
        .post("as/revoke", As::Client("desk"), &form)
        .await
        .assert_status(200);

    let events = product.audit().await;
    let mentions = |details: &str| {
        let details: Value = serde_json::from_str(details).expect("details are JSON");
        details
            .to_string()
            .contains(grant.as_str().expect("a grant id"))
    };
    let recorded = events
        .iter()
        .any(|e| e.action.contains("revoked") && mentions(&e.details));
    let actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
    assert!(recorded, "{actions:?}");
}
