//! Authorization codes (N-072 to N-076).

use crate::*;

#[tokio::test]
async fn n_072_a_code_that_was_never_issued_is_refused() {
    let product = Product::start().await;
    let code = SignIn::to_files().code(&product).await;
    let secret = "x".repeat(43);
    for unknown in [
        "unknown",
        secret.as_str(),
        &code.code[1..],
        &code.code.to_uppercase(),
    ] {
        let form = set(code.form(), "code", unknown);
        let reply = product.token("as", As::Client("desk"), &form).await;
        reply.assert_refused(400, "invalid_grant");
    }
    let missing = unset(code.form(), "code");
    product
        .token("as", As::Client("desk"), &missing)
        .await
        .assert_refused(400, "invalid_request");

    product
        .token("as", As::Client("desk"), &code.form())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_072_a_code_expires_after_a_minute() {
    let product = Product::start().await;
    let late = SignIn::to_files().code(&product).await;
    product.advance(61);
    let reply = product.token("as", As::Client("desk"), &late.form()).await;
    reply.assert_refused(400, "invalid_grant");

    let timely = SignIn::to_files().code(&product).await;
    product.advance(58);
    product
        .token("as", As::Client("desk"), &timely.form())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_072_a_code_of_another_client_is_refused() {
    let product = Product::start().await;
    let code = SignIn::to_files().code(&product).await;

    let thief = product.token("as", As::Client("rival"), &code.form()).await;
    thief.assert_refused(400, "invalid_grant");
    let public = set(code.form(), "client_id", "pocket");
    product
        .token("as", As::Nobody, &public)
        .await
        .assert_refused(400, "invalid_grant");

    let control = SignIn::to_files().client("rival").code(&product).await;
    product
        .token("as", As::Client("rival"), &control.form())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_072_a_code_needs_its_redirect_uri() {
    let product = Product::start().await;
    let others = [
        "https://desk.example/other",
        "https://desk.example/callback/",
        "https://evil.example/",
    ];
    for other in others {
        let code = SignIn::to_files().code(&product).await;
        let form = set(code.form(), "redirect_uri", other);
        let reply = product.token("as", As::Client("desk"), &form).await;
        reply.assert_refused(400, "invalid_grant");
    }
    let code = SignIn::to_files().code(&product).await;
    let form = unset(code.form(), "redirect_uri");
    product
        .token("as", As::Client("desk"), &form)
        .await
        .assert_refused(400, "invalid_grant");

    SignIn::to_files().tokens(&product).await.assert_issued();
}

#[tokio::test]
async fn n_072_a_code_of_one_issuer_is_refused_at_another() {
    let product = Product::start().await;
    let code = SignIn::to_files().code(&product).await;
    let reply = product
        .token("idp/acme", As::Client("idp-desk"), &code.form())
        .await;
    reply.assert_refused(400, "invalid_grant");
    let code = SignIn::to_acme().code(&product).await;
    let reply = product.token("as", As::Client("desk"), &code.form()).await;
    reply.assert_refused(400, "invalid_grant");
    let code = SignIn::to_acme().code(&product).await;
    let reply = product
        .token("idp/globex", As::Client("globex-idp-desk"), &code.form())
        .await;
    reply.assert_refused(400, "invalid_grant");

    SignIn::to_acme().tokens(&product).await.assert_issued();
}

#[tokio::test]
async fn n_073_a_code_used_twice_revokes_what_came_of_it() {
    let product = Product::start().await;
    let code = SignIn::to_files().code(&product).await;
    let tokens = product.token("as", As::Client("desk"), &code.form()).await;
    tokens.assert_issued();
    assert!(is_active(&product, &tokens).await);

    let again = product.token("as", As::Client("desk"), &code.form()).await;

    again.assert_refused(400, "invalid_grant");
    assert!(
        !is_active(&product, &tokens).await,
        "the access token is revoked"
    );
    let refreshed = refresh(&product, "desk", &tokens.text("refresh_token")).await;
    refreshed.assert_refused(400, "invalid_grant");
    SignIn::to_files().tokens(&product).await.assert_issued();
}

#[tokio::test]
async fn n_073_whoever_uses_a_code_again_revokes_what_came_of_it() {
    let product = Product::start().await;
    let code = SignIn::to_files().code(&product).await;
    let tokens = product.token("as", As::Client("desk"), &code.form()).await;

    let thief = product.token("as", As::Client("rival"), &code.form()).await;

    thief.assert_refused(400, "invalid_grant");
    assert!(
        !is_active(&product, &tokens).await,
        "two parties held the code"
    );
}

#[tokio::test]
async fn n_073_a_code_that_was_refused_is_used_up() {
    let product = Product::start().await;
    let code = SignIn::to_files().code(&product).await;
    let wrong = set(
        code.form(),
        "code_verifier",
        CodeVerifier::generate().expose(),
    );
    product
        .token("as", As::Client("desk"), &wrong)
        .await
        .assert_refused(400, "invalid_grant");

    let right = product.token("as", As::Client("desk"), &code.form()).await;

    right.assert_refused(400, "invalid_grant");
    SignIn::to_files().tokens(&product).await.assert_issued();
}

#[tokio::test]
async fn n_074_a_wrong_or_missing_verifier_is_refused() {
    let product = Product::start().await;
    let challenge_itself = |verifier: &str| {
        CodeVerifier::parse(verifier)
            .expect("a verifier")
            .challenge()
            .to_text()
    };
    let code = SignIn::to_files().code(&product).await;
    let other = CodeVerifier::generate().expose().to_owned();
    for wrong in [
        other,
        challenge_itself(&code.verifier),
        "short".to_owned(),
        "!".repeat(43),
    ] {
        let code = SignIn::to_files().code(&product).await;
        let form = set(code.form(), "code_verifier", &wrong);
        let reply = product.token("as", As::Client("desk"), &form).await;
        reply.assert_refused(400, "invalid_grant");
    }
    for missing in [
        unset(code.form(), "code_verifier"),
        set(code.form(), "code_verifier", ""),
    ] {
        let reply = product.token("as", As::Client("desk"), &missing).await;
        reply.assert_refused(400, "invalid_request");
    }
    product
        .token("as", As::Client("desk"), &code.form())
        .await
        .assert_issued();
}

/// A code without a challenge does not exist, so that no verifier can be sent for one.
#[tokio::test]
async fn n_075_no_code_is_issued_without_a_challenge() {
    let product = Product::start().await;
    for (method, challenge) in [("plain", "x".repeat(43)), ("S256", String::new())] {
        let sign_in = SignIn::to_files()
            .with("code_challenge", &challenge)
            .with("code_challenge_method", method);
        let mut browser = Browser::new(product.http.clone());
        let query = sign_in.query_without_defaults();
        let start = format!("{}/as/authorize?{query}", product.public_url());
        let end = browser
            .walk(&start, CALLBACK, &[])
            .await
            .expect("an error comes back");
        let answer = |name: &str| support::parameter(&end, name);
        assert_eq!(answer("error").as_deref(), Some("invalid_request"), "{end}");
        assert_eq!(answer("code"), None, "{end}");
    }
    SignIn::to_files().tokens(&product).await.assert_issued();
}

#[tokio::test]
async fn n_076_a_resource_that_the_code_does_not_cover_is_refused() {
    let product = Product::start().await;
    for other in [WIKI, TRACKER, "https://mcp.evil.example/mcp", "not a url"] {
        let code = SignIn::to_files().code(&product).await;
        let form = set(code.form(), "resource", other);
        let reply = product.token("as", As::Client("desk"), &form).await;
        reply.assert_refused(400, "invalid_target");
    }
    let code = SignIn::to_files().code(&product).await;
    let form = set(code.form(), "resource", support::FILES);
    let reply = product.token("as", As::Client("desk"), &form).await;
    reply.assert_issued();
    assert_eq!(claims(&reply.text("access_token"))["aud"], support::FILES);
}
