//! Refresh tokens (N-078 to N-081, requirements 1.5).

use crate::*;

#[tokio::test]
async fn n_078_a_refresh_token_of_another_client_is_refused_and_stays() {
    let product = Product::start().await;
    let tokens = SignIn::to_files().tokens(&product).await;
    let token = tokens.text("refresh_token");

    refresh(&product, "rival", &token)
        .await
        .assert_refused(400, "invalid_grant");
    let public = form([
        ("grant_type", "refresh_token"),
        ("refresh_token", &token),
        ("client_id", "pocket"),
    ]);
    product
        .token("as", As::Nobody, &public)
        .await
        .assert_refused(400, "invalid_grant");

    assert!(
        is_active(&product, &tokens).await,
        "a stranger cannot revoke it either"
    );
    refresh(&product, "desk", &token).await.assert_issued();
}

#[tokio::test]
async fn n_078_a_refresh_token_of_another_issuer_is_refused_and_stays() {
    let product = Product::start().await;
    let acme = SignIn::to_acme()
        .tokens(&product)
        .await
        .text("refresh_token");
    let files = SignIn::to_files()
        .tokens(&product)
        .await
        .text("refresh_token");
    let at = |role: &'static str, client: &'static str, token: &str| {
        let form = form([("grant_type", "refresh_token"), ("refresh_token", token)]);
        let product = &product;
        async move { product.token(role, As::Client(client), &form).await }
    };

    at("as", "desk", &acme)
        .await
        .assert_refused(400, "invalid_grant");
    at("idp/globex", "globex-idp-desk", &acme)
        .await
        .assert_refused(400, "invalid_grant");
    at("idp/acme", "idp-desk", &files)
        .await
        .assert_refused(400, "invalid_grant");

    at("idp/acme", "idp-desk", &acme).await.assert_issued();
    at("as", "desk", &files).await.assert_issued();
}

#[tokio::test]
async fn n_078_a_forged_refresh_token_is_refused() {
    let product = Product::start().await;
    let token = SignIn::to_files()
        .tokens(&product)
        .await
        .text("refresh_token");
    let [family, counter, mac] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("{token}")
    };
    let forged = [
        format!("{family}.1.{mac}"),
        format!("{family}.{counter}.{}", "A".repeat(43)),
        other_end(&token),
        format!("{family}.{counter}."),
        format!("{family}.{counter}"),
        format!("{}.{counter}.{mac}", other_end(family)),
        format!("{token}A"),
        format!("{family}.00.{mac}"),
        format!("{family}.-0.{mac}"),
        "unknown".to_owned(),
    ];
    for forged in forged {
        refresh(&product, "desk", &forged)
            .await
            .assert_refused(400, "invalid_grant");
    }
    refresh(&product, "desk", &token).await.assert_issued();
}

#[tokio::test]
async fn n_079_a_rotated_refresh_token_that_is_used_again_revokes_the_family() {
    let product = Product::start().await;
    let first = SignIn::to_files().tokens(&product).await;
    let second = refresh(&product, "desk", &first.text("refresh_token")).await;
    second.assert_issued();
    assert_ne!(second.text("refresh_token"), first.text("refresh_token"));
    product.advance(11);

    let replay = refresh(&product, "desk", &first.text("refresh_token")).await;

    replay.assert_refused(400, "invalid_grant");
    let successor = refresh(&product, "desk", &second.text("refresh_token")).await;
    successor.assert_refused(400, "invalid_grant");
    assert!(
        !is_active(&product, &first).await,
        "access tokens of the family are revoked"
    );
    assert!(
        !is_active(&product, &second).await,
        "access tokens of the family are revoked"
    );
}

#[tokio::test]
async fn n_079_two_processes_of_a_client_get_the_same_successor_within_ten_seconds() {
    let product = Product::start().await;
    let first = SignIn::to_files()
        .tokens(&product)
        .await
        .text("refresh_token");

    let one = refresh(&product, "desk", &first).await;
    product.advance(9);
    let other = refresh(&product, "desk", &first).await;

    one.assert_issued();
    other.assert_issued();
    assert_eq!(one.text("refresh_token"), other.text("refresh_token"));
    refresh(&product, "desk", &one.text("refresh_token"))
        .await
        .assert_issued();
    let before_the_last = refresh(&product, "desk", &first).await;
    before_the_last.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn n_079_a_replay_by_another_client_revokes_nothing() {
    let product = Product::start().await;
    let first = SignIn::to_files()
        .tokens(&product)
        .await
        .text("refresh_token");
    let second = refresh(&product, "desk", &first).await;
    product.advance(60);

    refresh(&product, "rival", &first)
        .await
        .assert_refused(400, "invalid_grant");

    refresh(&product, "desk", &second.text("refresh_token"))
        .await
        .assert_issued();
}

#[tokio::test]
async fn as_70_every_refresh_rotates_also_for_a_public_client() {
    let product = Product::start().await;
    let tokens = SignIn::to_files().client("pocket").tokens(&product).await;
    let ask = |token: String| {
        let form = form([
            ("grant_type", "refresh_token"),
            ("refresh_token", &token),
            ("client_id", "pocket"),
        ]);
        let product = &product;
        async move { product.token("as", As::Nobody, &form).await }
    };
    let second = ask(tokens.text("refresh_token")).await;
    second.assert_issued();
    let third = ask(second.text("refresh_token")).await;
    third.assert_issued();
    let seen = [
        tokens.text("refresh_token"),
        second.text("refresh_token"),
        third.text("refresh_token"),
    ];
    assert!(seen[0] != seen[1] && seen[1] != seen[2] && seen[0] != seen[2]);
}

#[tokio::test]
async fn n_080_a_refresh_cannot_widen_the_scope() {
    let product = Product::start().await;
    let token = SignIn::to_files()
        .tokens(&product)
        .await
        .text("refresh_token");
    let ask = |scope: &str| {
        let form = form([
            ("grant_type", "refresh_token"),
            ("refresh_token", &token),
            ("scope", scope),
        ]);
        let product = &product;
        async move { product.token("as", As::Client("desk"), &form).await }
    };
    for wider in ["files:write", "files:read files:write", "unknown"] {
        ask(wider).await.assert_refused(400, "invalid_scope");
    }
    ask("files:read").await.assert_issued();
}

#[tokio::test]
async fn n_080_a_narrower_refresh_leaves_the_grant_as_it_was() {
    let product = Product::start().await;
    let both = SignIn::to_files().with("scope", "files:read files:write");
    let tokens = both.tokens(&product).await;
    let narrow = form([
        ("grant_type", "refresh_token"),
        ("refresh_token", &tokens.text("refresh_token")),
        ("scope", "files:read"),
    ]);
    let narrowed = product.token("as", As::Client("desk"), &narrow).await;
    assert_eq!(narrowed.assert_issued().text("scope"), "files:read");

    let again = refresh(&product, "desk", &narrowed.text("refresh_token")).await;
    assert_eq!(
        again.assert_issued().text("scope"),
        "files:read files:write"
    );
}

#[tokio::test]
async fn as_72_a_refresh_stays_with_its_resource() {
    let product = Product::start().await;
    let token = SignIn::to_files()
        .tokens(&product)
        .await
        .text("refresh_token");
    let ask = |resource: &str| {
        let form = form([
            ("grant_type", "refresh_token"),
            ("refresh_token", &token),
            ("resource", resource),
        ]);
        let product = &product;
        async move { product.token("as", As::Client("desk"), &form).await }
    };
    ask(WIKI).await.assert_refused(400, "invalid_target");
    ask("https://mcp.evil.example/")
        .await
        .assert_refused(400, "invalid_target");
    ask(support::FILES).await.assert_issued();
}

#[tokio::test]
async fn n_081_a_disabled_person_gets_no_more_tokens() {
    let product = Product::start().await;
    let ada = SignIn::to_files().tokens(&product).await;
    let bob = SignIn::to_files().bob().tokens(&product).await;
    let code = SignIn::to_files().code(&product).await;
    let id = claims(&ada.text("access_token"))["sub"]
        .as_str()
        .expect("a user")
        .to_owned();
    let (organization, id) = (
        OrganizationId::parse("acme").expect("an id"),
        UserId::parse(&id).expect("an id"),
    );
    let now = product.now();
    let disable = product.running.store().write(move |tx| {
        Box::pin(async move { user::disable(tx, &organization, &id, &By::system(), now).await })
    });
    assert!(disable.await.expect("the database answers"));

    let refreshed = refresh(&product, "desk", &ada.text("refresh_token")).await;
    refreshed.assert_refused(400, "invalid_grant");
    let redeemed = product.token("as", As::Client("desk"), &code.form()).await;
    redeemed.assert_refused(400, "invalid_grant");
    assert!(!is_active(&product, &ada).await);
    refresh(&product, "desk", &bob.text("refresh_token"))
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_081_the_end_of_a_session_ends_its_refresh_tokens() {
    let product = Product::start().await;
    let ended = SignIn::to_files().tokens(&product).await;
    let other = SignIn::to_files().bob().tokens(&product).await;
    let session = claims(&ended.text("access_token"))["sid"]
        .as_str()
        .expect("a session")
        .to_owned();

    revoke(
        &product,
        Subject::Session(SessionId::parse(&session).expect("a session id")),
    )
    .await;

    let refreshed = refresh(&product, "desk", &ended.text("refresh_token")).await;
    refreshed.assert_refused(400, "invalid_grant");
    refresh(&product, "desk", &other.text("refresh_token"))
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_081_a_revoked_person_gets_no_more_tokens_until_she_signs_in_again() {
    let product = Product::start().await;
    let tokens = SignIn::to_files().tokens(&product).await;
    let user = claims(&tokens.text("access_token"))["sub"]
        .as_str()
        .expect("a user")
        .to_owned();

    revoke(
        &product,
        Subject::User(UserId::parse(&user).expect("a user id")),
    )
    .await;

    let refreshed = refresh(&product, "desk", &tokens.text("refresh_token")).await;
    refreshed.assert_refused(400, "invalid_grant");
    product.advance(1);
    let again = SignIn::to_files().tokens(&product).await;
    refresh(&product, "desk", &again.text("refresh_token"))
        .await
        .assert_issued();
}

#[tokio::test]
async fn as_77_a_refresh_token_ends_when_it_is_not_used_for_a_week() {
    let product = Product::start().await;
    let day = 24 * 60 * 60;
    let mut token = SignIn::to_files()
        .tokens(&product)
        .await
        .text("refresh_token");
    let idle = SignIn::to_files()
        .bob()
        .tokens(&product)
        .await
        .text("refresh_token");

    for _ in 0..4 {
        product.advance(6 * day);
        let reply = refresh(&product, "desk", &token).await;
        assert_eq!(reply.status, 200, "{}", reply.body());
        token = reply.text("refresh_token");
        assert_eq!(reply.json()["expires_in"], 900);
    }

    refresh(&product, "desk", &idle)
        .await
        .assert_refused(400, "invalid_grant");
    product.advance(6 * day + 1);
    refresh(&product, "desk", &token)
        .await
        .assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn as_72_policy_is_asked_at_every_refresh() {
    let extra = r#"
        [[assignment]]
        organization = "acme"
        everyone = true
        mcp_server = "files"
        scopes = ["files:admin"]
        until = 2026-11-20T12:30:00Z
    "#;
    let product = Product::with(extra).await;
    let admin = SignIn::to_files()
        .with("scope", "files:admin")
        .tokens(&product)
        .await;
    assert_eq!(admin.text("scope"), "files:admin");
    product.advance(60);
    let during = refresh(&product, "desk", &admin.text("refresh_token")).await;
    during.assert_issued();

    product.advance(3600);
    let after = refresh(&product, "desk", &during.text("refresh_token")).await;

    after.assert_refused(400, "invalid_grant");
    assert_eq!(json!(after.json()), json!({ "error": "invalid_grant" }));
}

/// Facts that are unknown for a while must not make an honest client look like a thief.
#[tokio::test]
async fn a_refresh_that_policy_refuses_does_not_use_the_token_up() {
    let product = Product::start().await;
    let tracker = SignIn::to_files()
        .with("resource", TRACKER)
        .with("scope", "issues:read");
    let token = tracker.tokens(&product).await.text("refresh_token");

    product.advance(25 * 60 * 60);
    for _ in 0..2 {
        refresh(&product, "desk", &token)
            .await
            .assert_refused(400, "invalid_grant");
        product.advance(60);
    }

    tracker.tokens(&product).await;
    refresh(&product, "desk", &token).await.assert_issued();
}

/// Design §4 rules 18 and 20: the id of a public client is no secret.
#[tokio::test]
async fn a_stranger_who_names_a_public_client_leaves_no_rows() {
    let product = Product::start().await;
    let forged = [("client_id", "pocket"), ("grant_type", "refresh_token")];
    for token in ["sr_a.0.b", "nonsense"] {
        let mut form = form(forged);
        form = set(form, "refresh_token", token);
        product
            .token("as", As::Nobody, &form)
            .await
            .assert_refused(400, "invalid_grant");
    }
    let verifier = "v".repeat(43);
    let code = form([
        ("client_id", "pocket"),
        ("grant_type", "authorization_code"),
        ("code", "guessed"),
        ("redirect_uri", "http://127.0.0.1/callback"),
        ("code_verifier", verifier.as_str()),
    ]);
    product
        .token("as", As::Nobody, &code)
        .await
        .assert_refused(400, "invalid_grant");

    let events = product.audit().await;
    assert!(events.iter().all(|event| event.action != "token.requested"));
}
