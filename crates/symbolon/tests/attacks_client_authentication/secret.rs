//! Secrets, names and what only looks like authentication (N-061 to N-064, N-067, N-069).

use crate::*;

#[tokio::test]
async fn n_061_two_methods_in_one_request_are_refused() {
    let product = Product::start().await;
    let form = redemption(&product);
    let secret = product.secret("desk").to_owned();
    let assertion = product.client_assertion().sign();

    let in_both_places = set(
        set(form.clone(), "client_id", "desk"),
        "client_secret",
        &secret,
    );
    let reply = product
        .token("as", As::Client("desk"), &in_both_places)
        .await;
    reply.assert_refused(400, "invalid_request");
    let asserted = set(form.clone(), "client_assertion", &assertion);
    let asserted = set(asserted, "client_assertion_type", ASSERTION_TYPE);
    let reply = product.token("as", As::Client("desk"), &asserted).await;
    reply.assert_refused(400, "invalid_request");
    let posted = set(
        set(asserted, "client_id", "notary"),
        "client_secret",
        &secret,
    );
    product
        .token("as", As::Nobody, &posted)
        .await
        .assert_refused(400, "invalid_request");

    product
        .token("as", As::Client("desk"), &form)
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_061_two_authorization_headers_are_refused() {
    let product = Product::start().await;
    let form = encoded(&redemption(&product));
    let basic = basic(&product);
    let authorization = (header::AUTHORIZATION, basic.as_str());
    let other = (header::AUTHORIZATION, "Basic cml2YWw6eA==");

    let both = [FORM, authorization.clone(), other];
    let reply = product.send(Method::POST, "as/token", &both, &form).await;
    reply.assert_refused(400, "invalid_request");

    let control = product
        .send(Method::POST, "as/token", &[FORM, authorization], &form)
        .await;
    control.assert_issued();
}

#[tokio::test]
async fn n_062_a_wrong_secret_is_challenged_with_basic() {
    let product = Product::start().await;
    let form = redemption(&product);
    let own = product.secret("desk").to_owned();
    let wrong = [
        ("desk", "wrong".to_owned()),
        ("desk", product.secret("rival").to_owned()),
        ("desk", own[..own.len() - 1].to_owned()),
        ("desk", product.secret("idp-desk").to_owned()),
        ("nobody", own.clone()),
        ("globex-desk", own.clone()),
    ];

    for (id, secret) in wrong {
        let reply = product.token("as", As::Basic(id, &secret), &form).await;
        reply.assert_refused(401, "invalid_client");
        let challenge = reply.header("www-authenticate").expect("a challenge");
        assert!(challenge.starts_with("Basic "), "{challenge}");
    }
    product
        .token("as", As::Basic("desk", &own), &form)
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_062_other_schemes_and_broken_credentials_are_refused() {
    let product = Product::start().await;
    let form = encoded(&redemption(&product));
    let basic = basic(&product);
    let bearer = basic.replace("Basic", "Bearer");
    for wrong in [
        bearer.as_str(),
        "Basic",
        "Basic !!!",
        "Basic ZGVzaw==",
        "Basic ZGVzazo=",
        "",
    ] {
        let headers = [FORM, (header::AUTHORIZATION, wrong)];
        let reply = product
            .send(Method::POST, "as/token", &headers, &form)
            .await;
        reply.assert_refused(401, "invalid_client");
        assert!(reply.header("www-authenticate").is_some(), "{wrong:?}");
    }
    let headers = [FORM, (header::AUTHORIZATION, basic.as_str())];
    product
        .send(Method::POST, "as/token", &headers, &form)
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_063_only_the_registered_method_counts() {
    let product = Product::start().await;
    let form = redemption(&product);
    let secret = product.secret("desk").to_owned();
    let poster = product.secret("poster").to_owned();

    let posted = set(
        set(form.clone(), "client_id", "desk"),
        "client_secret",
        &secret,
    );
    product
        .token("as", As::Nobody, &posted)
        .await
        .assert_refused(401, "invalid_client");
    let reply = product
        .token("as", As::Basic("poster", &poster), &form)
        .await;
    reply.assert_refused(401, "invalid_client");
    for name in ["notary", "pocket"] {
        let reply = product.token("as", As::Basic(name, &secret), &form).await;
        reply.assert_refused(401, "invalid_client");
        let posted = set(
            set(form.clone(), "client_id", name),
            "client_secret",
            &secret,
        );
        product
            .token("as", As::Nobody, &posted)
            .await
            .assert_refused(401, "invalid_client");
    }
    let of_desk = product
        .client_assertion()
        .with("iss", "desk")
        .with("sub", "desk")
        .sign();
    let reply = with_assertion(&product, &of_desk, &[]).await;
    reply.assert_refused(401, "invalid_client");

    product
        .token("as", As::Client("desk"), &form)
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_064_a_name_alone_is_no_authentication() {
    let product = Product::start().await;
    let form = redemption(&product);

    for name in ["desk", "poster", "notary", "nobody"] {
        let named = set(form.clone(), "client_id", name);
        let reply = product.token("as", As::Nobody, &named).await;
        reply.assert_refused(401, "invalid_client");
        assert_eq!(reply.header("www-authenticate"), None, "no header was used");
    }
    product
        .token("as", As::Nobody, &form)
        .await
        .assert_refused(401, "invalid_client");
    let empty = set(set(form.clone(), "client_id", "desk"), "client_secret", "");
    product
        .token("as", As::Nobody, &empty)
        .await
        .assert_refused(401, "invalid_client");

    product
        .token("as", As::Client("desk"), &form)
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_067_a_name_in_the_body_must_be_the_one_in_the_header() {
    let product = Product::start().await;
    let form = redemption(&product);

    let other = set(form.clone(), "client_id", "rival");
    let reply = product.token("as", As::Client("desk"), &other).await;
    reply.assert_refused(401, "invalid_client");

    let same = set(form, "client_id", "desk");
    product
        .token("as", As::Client("desk"), &same)
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_069_a_certificate_in_a_header_is_no_authentication() {
    let product = Product::start().await;
    let form = encoded(&set(redemption(&product), "client_id", "desk"));
    for name in [
        "x-client-cert",
        "x-forwarded-client-cert",
        "client-cert",
        "x-ssl-client-verify",
    ] {
        let spoofed = (header::HeaderName::from_static(name), "SUCCESS");
        let reply = product
            .send(Method::POST, "as/token", &[FORM, spoofed], &form)
            .await;
        reply.assert_refused(401, "invalid_client");
    }
    let authorization = (header::AUTHORIZATION, &*basic(&product));
    let control = product
        .send(Method::POST, "as/token", &[FORM, authorization], &form)
        .await;
    control.assert_issued();
}

/// Whatever goes wrong before the client is known, every form endpoint says the same.
#[tokio::test]
async fn n_062_an_unknown_client_and_a_wrong_secret_look_alike() {
    let product = Product::start().await;
    let form = form([("token", "unknown")]);
    for endpoint in ["as/token", "as/introspect", "as/revoke"] {
        let form = if endpoint == "as/token" {
            redemption(&product)
        } else {
            form.clone()
        };
        let unknown = product
            .post(endpoint, As::Basic("nobody", "wrong-secret"), &form)
            .await;
        let wrong = product
            .post(endpoint, As::Basic("desk", "wrong-secret"), &form)
            .await;
        unknown.assert_refused(401, "invalid_client");
        assert_eq!(unknown.body(), wrong.body(), "{endpoint}");
    }
}

#[tokio::test]
async fn as_51_a_secret_is_form_encoded_before_base64() {
    use base64::Engine as _;
    let product = Product::start().await;
    let secret: String = product
        .secret("desk")
        .bytes()
        .map(|b| format!("%{b:02X}"))
        .collect();
    let pair = format!("d%65sk:{secret}");
    let header = format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair)
    );
    let headers = [FORM, (header::AUTHORIZATION, header.as_str())];
    let form = encoded(&redemption(&product));

    product
        .send(Method::POST, "as/token", &headers, &form)
        .await
        .assert_issued();
}
