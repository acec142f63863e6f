//! Client assertions (N-065 to N-067, AS-52 to AS-55).

use crate::*;

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

/// N-150 for clients: what cannot be verified is not accepted, and nobody is told it was wrong.
#[tokio::test]
async fn n_065_a_client_whose_keys_cannot_be_had_is_asked_to_come_back() {
    let extra = r#"
        [[client]]
        id = "remote"
        organization = "acme"
        authentication = "private_key_jwt"
        jwks_uri = "{key_server}"
        grants = ["jwt_bearer"]
    "#;
    let mut product = Product::with(extra).await;
    let present = async |product: &Product| {
        let audience = product.authorization_server();
        let signer = &product.signers.remote;
        let assertion = Token::client_assertion(signer, "remote", &audience, product.now()).sign();
        let id_jag = product.id_jag().with("client_id", "remote").sign();
        let form = form([("grant_type", JWT_BEARER), ("assertion", &id_jag)]);
        let form = set(form, "client_assertion_type", ASSERTION_TYPE);
        let form = set(form, "client_assertion", &assertion);
        product.token("as", As::Nobody, &form).await
    };
    present(&product).await.assert_issued();
    product.key_server.take_down().await;
    product.advance(2 * 3600 + 1);

    let reply = present(&product).await;

    reply.assert_refused(503, "temporarily_unavailable");
    let control = product.client_assertion().sign();
    with_assertion(&product, &control, &[])
        .await
        .assert_issued();
}
