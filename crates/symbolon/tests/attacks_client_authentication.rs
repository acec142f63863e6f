//! Attacks on client authentication and on the frame of the token endpoint (requirements N-060 to
//! N-071, but for mTLS, which this version does not offer).

mod support;

use http::{Method, header};
use serde_json::json;
use support::{ASSERTION_TYPE, As, FORM, Form, JWT_BEARER, Product, Reply, form, set, unset};
use symbolon_testkit::{Signer, Token};

/// Redeems a fresh ID-JAG for `notary`, who presents this client assertion.
async fn with_assertion(product: &Product, assertion: &str, more: &[(&str, &str)]) -> Reply {
    let id_jag = product.id_jag().with("client_id", "notary").sign();
    let form = [
        form([
            ("grant_type", JWT_BEARER),
            ("assertion", &id_jag),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ]),
        support::form_of(more),
    ];
    product.token("as", As::Nobody, &form.concat()).await
}

/// A redemption by `desk`, to be broken; its client authentication comes apart from it.
fn redemption(product: &Product) -> Form {
    form([
        ("grant_type", JWT_BEARER),
        ("assertion", &product.id_jag().sign()),
    ])
}

fn basic(product: &Product) -> String {
    use base64::Engine as _;
    let pair = format!("desk:{}", product.secret("desk"));
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair)
    )
}

fn encoded(form: &Form) -> String {
    serde_urlencoded::to_string(form).expect("a form")
}

#[tokio::test]
async fn n_060_only_a_posted_form_is_read() {
    let product = Product::start().await;
    let basic = basic(&product);
    let authorization = (header::AUTHORIZATION, basic.as_str());
    let form = encoded(&redemption(&product));

    let asked = format!("as/token?{form}");
    let get = product
        .send(Method::GET, &asked, &[authorization.clone()], "")
        .await;
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
    let untyped = product
        .send(Method::POST, "as/token", &[authorization.clone()], &form)
        .await;
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
async fn n_065_a_broken_client_assertion_is_refused() {
    let product = Product::start().await;
    let right = || product.client_assertion();
    let now = product.now().unix_seconds();
    let issuer = product.authorization_server();
    let token_endpoint = format!("{issuer}/token");
    let idp = product.identity_provider("acme");
    let attacker = &product.signers.attacker;
    let key = product.signers.notary.public_jwk().to_string();
    let broken = [
        (
            "expired",
            right().with("iat", now - 200).with("exp", now - 100).sign(),
        ),
        ("exp absent", right().without("exp").sign()),
        (
            "exp a text",
            right().with("exp", (now + 60).to_string()).sign(),
        ),
        (
            "iat in the future",
            right().with("iat", now + 120).with("exp", now + 180).sign(),
        ),
        ("lives for a day", right().with("exp", now + 86_400).sign()),
        (
            "aud of another server",
            right().with("aud", "https://as.evil.example").sign(),
        ),
        ("aud of our idp", right().with("aud", idp).sign()),
        (
            "aud is the token endpoint",
            right().with("aud", token_endpoint).sign(),
        ),
        (
            "aud with a slash",
            right().with("aud", format!("{issuer}/")).sign(),
        ),
        ("aud an array", right().with("aud", json!([issuer])).sign()),
        (
            "aud of two",
            right()
                .with("aud", json!([issuer, "https://as.evil.example"]))
                .sign(),
        ),
        ("aud absent", right().without("aud").sign()),
        ("iss is not sub", right().with("iss", "desk").sign()),
        ("sub is not iss", right().with("sub", "desk").sign()),
        ("sub absent", right().without("sub").sign()),
        ("jti absent", right().without("jti").sign()),
        ("unknown kid", right().header("kid", "unknown").sign()),
        ("another's key", right().forged_by(attacker).sign()),
        ("alg none", right().unsigned()),
        ("HS256 with the public key", right().hs256(key.as_bytes())),
        ("HS256 with nothing", right().hs256(b"")),
        ("at+jwt", right().header("typ", "at+jwt").sign()),
        ("logout+jwt", right().header("typ", "logout+jwt").sign()),
        ("dpop+jwt", right().header("typ", "dpop+jwt").sign()),
        (
            "an ID-JAG's type",
            right().header("typ", "oauth-id-jag+jwt").sign(),
        ),
        ("crit", right().header("crit", json!(["exp"])).sign()),
        ("no JWT", "no.jwt.at-all".to_owned()),
    ];

    for (what, assertion) in broken {
        let reply = with_assertion(&product, &assertion, &[]).await;
        assert_eq!((what, reply.status), (what, 401), "{}", reply.body());
        reply.assert_refused(401, "invalid_client");
    }
    for typ in ["client-authentication+jwt", "JWT"] {
        let assertion = right().header("typ", typ).sign();
        with_assertion(&product, &assertion, &[])
            .await
            .assert_issued();
    }
    with_assertion(&product, &right().without_header("typ").sign(), &[])
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_065_a_key_in_the_header_is_not_a_key() {
    let product = Product::start().await;
    let attacker = &product.signers.attacker;
    let forged = product.client_assertion().forged_by(attacker);
    let jwk = forged.clone().header("jwk", attacker.public_jwk());
    let jku = forged
        .clone()
        .header("jku", product.key_server.url())
        .header("kid", attacker.kid());

    with_assertion(&product, &jwk.sign(), &[])
        .await
        .assert_refused(401, "invalid_client");
    with_assertion(&product, &jku.sign(), &[])
        .await
        .assert_refused(401, "invalid_client");
    assert_eq!(
        product.key_server.fetches(),
        0,
        "nothing is fetched because a token says so"
    );
    let control = product.client_assertion().sign();
    with_assertion(&product, &control, &[])
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_065_an_assertion_of_an_unknown_type_is_refused() {
    let product = Product::start().await;
    let form = |assertion_type: &str| {
        let id_jag = product.id_jag().with("client_id", "notary").sign();
        let assertion = product.client_assertion().sign();
        let form = form([("grant_type", JWT_BEARER), ("assertion", &id_jag)]);
        let form = set(form, "client_assertion", &assertion);
        set(form, "client_assertion_type", assertion_type)
    };
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";

    let reply = product.token("as", As::Nobody, &form(saml)).await;
    reply.assert_refused(401, "invalid_client");
    let untyped = unset(form(ASSERTION_TYPE), "client_assertion_type");
    product
        .token("as", As::Nobody, &untyped)
        .await
        .assert_refused(400, "invalid_request");

    product
        .token("as", As::Nobody, &form(ASSERTION_TYPE))
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_066_a_client_assertion_is_used_once() {
    let product = Product::start().await;
    let assertion = product.client_assertion().sign();

    with_assertion(&product, &assertion, &[])
        .await
        .assert_issued();
    let again = with_assertion(&product, &assertion, &[]).await;
    again.assert_refused(401, "invalid_client");

    let fresh = product.client_assertion().sign();
    with_assertion(&product, &fresh, &[]).await.assert_issued();
}

#[tokio::test]
async fn n_066_a_client_assertion_is_used_up_by_whichever_endpoint_and_outcome() {
    let product = Product::start().await;
    let used = |assertion: String| async {
        let form = form([
            ("client_assertion_type", ASSERTION_TYPE),
            ("token", "unknown"),
        ]);
        (set(form, "client_assertion", &assertion), assertion)
    };
    for endpoint in ["as/introspect", "as/revoke"] {
        let (form, assertion) = used(product.client_assertion().sign()).await;
        assert_eq!(
            product.post(endpoint, As::Nobody, &form).await.status,
            200,
            "{endpoint}"
        );
        let again = product.post(endpoint, As::Nobody, &form).await;
        again.assert_refused(401, "invalid_client");
        let elsewhere = with_assertion(&product, &assertion, &[]).await;
        elsewhere.assert_refused(401, "invalid_client");
    }
    let assertion = product.client_assertion().sign();
    let denied = with_assertion(&product, &assertion, &[("scope", "files:admin")]).await;
    denied.assert_refused(400, "invalid_scope");
    with_assertion(&product, &assertion, &[])
        .await
        .assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn n_067_a_name_in_the_body_must_be_the_asserted_one() {
    let product = Product::start().await;
    let assertion = product.client_assertion().sign();

    for name in ["desk", "NOTARY", "nobody"] {
        let reply = with_assertion(&product, &assertion, &[("client_id", name)]).await;
        reply.assert_refused(401, "invalid_client");
    }
    with_assertion(&product, &assertion, &[("client_id", "notary")])
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

/// A client's key is its own: another client's signature under the same name is worth nothing.
#[tokio::test]
async fn n_065_the_signature_of_another_registered_party_is_refused() {
    let product = Product::start().await;
    let sign = |signer: &Signer| {
        let audience = product.authorization_server();
        Token::client_assertion(signer, "notary", &audience, product.now()).sign()
    };

    let reply = with_assertion(&product, &sign(&product.signers.vendor), &[]).await;
    reply.assert_refused(401, "invalid_client");
    with_assertion(&product, &sign(&product.signers.notary), &[])
        .await
        .assert_issued();
}
