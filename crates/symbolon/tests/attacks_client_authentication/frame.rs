//! The frame of the token endpoint (N-060, N-070, N-071).

use crate::*;

#[tokio::test]
async fn n_060_only_a_posted_form_is_read() {
    let product = Product::start().await;
    let basic = basic(&product);
    let authorization = (header::AUTHORIZATION, basic.as_str());
    let form = encoded(&redemption(&product));

    let asked = format!("as/token?{form}");
    let untyped = std::slice::from_ref(&authorization);
    let get = product.send(Method::GET, &asked, untyped, "").await;
    assert_eq!(get.status, 405);
    let json = [
        (header::CONTENT_TYPE, "application/json"),
        authorization.clone(),
    ];
    let object = json!({ "grant_type": JWT_BEARER, "assertion": product.id_jag().sign() });
    let reply = product
        .send(Method::POST, "as/token", &json, &object.to_string())
        .await;
    reply.assert_refused(400, "invalid_request");
    let untyped = product.send(Method::POST, "as/token", untyped, &form).await;
    untyped.assert_refused(400, "invalid_request");

    let control = product
        .send(Method::POST, "as/token", &[FORM, authorization], &form)
        .await;
    control.assert_issued();
}

#[tokio::test]
async fn n_060_nothing_is_read_from_the_url() {
    let product = Product::start().await;
    let form = encoded(&redemption(&product));
    let secret = product.secret("poster").to_owned();
    let path = format!("as/token?client_id=poster&client_secret={secret}");
    let assertion = product.id_jag().with("client_id", "poster").sign();
    let for_poster = support::form([("grant_type", JWT_BEARER), ("assertion", &assertion)]);

    let credentials = product
        .send(Method::POST, &path, &[FORM], &encoded(&for_poster))
        .await;
    credentials.assert_refused(400, "invalid_request");
    let authorization = (header::AUTHORIZATION, &*basic(&product));
    let everything = format!("as/token?{form}");
    let reply = product
        .send(Method::POST, &everything, &[FORM, authorization], &form)
        .await;
    reply.assert_refused(400, "invalid_request");

    let posted = [
        for_poster,
        support::form([("client_id", "poster"), ("client_secret", &secret)]),
    ];
    product
        .token("as", As::Nobody, &posted.concat())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_070_an_unknown_or_missing_grant_type_is_refused() {
    let product = Product::start().await;
    let form = redemption(&product);

    for grant in ["password", "implicit", "jwt-bearer", "AUTHORIZATION_CODE"] {
        let other = set(form.clone(), "grant_type", grant);
        let reply = product.token("as", As::Client("desk"), &other).await;
        reply.assert_refused(400, "unsupported_grant_type");
    }
    for missing in [
        unset(form.clone(), "grant_type"),
        set(form.clone(), "grant_type", ""),
    ] {
        let reply = product.token("as", As::Client("desk"), &missing).await;
        reply.assert_refused(400, "invalid_request");
    }
    let twice = [form.clone(), support::form([("grant_type", JWT_BEARER)])].concat();
    let reply = product.token("as", As::Client("desk"), &twice).await;
    reply.assert_refused(400, "invalid_request");

    product
        .token("as", As::Client("desk"), &form)
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_070_a_grant_of_the_other_role_is_not_supported() {
    let product = Product::start().await;
    let exchange = form([
        ("grant_type", support::TOKEN_EXCHANGE),
        ("requested_token_type", support::ID_JAG_TYPE),
        ("subject_token", "x.y.z"),
        ("subject_token_type", support::ID_TOKEN_TYPE),
        ("audience", "https://as.partner.example"),
    ]);

    let reply = product.token("as", As::Client("desk"), &exchange).await;
    reply.assert_refused(400, "unsupported_grant_type");
    let control = product
        .token("idp/acme", As::Client("idp-desk"), &exchange)
        .await;
    control.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn n_071_a_grant_that_the_client_is_not_registered_for_is_refused() {
    let product = Product::start().await;
    let for_narrow = product.id_jag().with("client_id", "narrow").sign();
    let form = form([("grant_type", JWT_BEARER), ("assertion", &for_narrow)]);

    let reply = product.token("as", As::Client("narrow"), &form).await;
    reply.assert_refused(400, "unauthorized_client");
    let refresh = support::form([
        ("grant_type", "refresh_token"),
        ("refresh_token", "sr_a.0.b"),
    ]);
    let reply = product.token("as", As::Client("narrow"), &refresh).await;
    reply.assert_refused(400, "unauthorized_client");

    let tokens = support::SignIn::to_files()
        .client("narrow")
        .tokens(&product)
        .await;
    assert!(
        tokens.json().get("refresh_token").is_none(),
        "it cannot use one (AS-74)"
    );
    product
        .token("as", As::Client("desk"), &redemption(&product))
        .await
        .assert_issued();
}
