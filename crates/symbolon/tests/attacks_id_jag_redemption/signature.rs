//! What the assertion is, and whose key signed it (N-110 to N-117, N-148 to N-150).

use crate::*;

#[tokio::test]
async fn n_110_exactly_one_assertion_is_sent() {
    let product = Product::start().await;
    let assertion = product.id_jag().sign();
    let none = form([("grant_type", JWT_BEARER)]);
    let once = form([("grant_type", JWT_BEARER), ("assertion", &assertion)]);
    let twice = [once.clone(), form([("assertion", &assertion)])].concat();

    for form in [none, twice, set(once.clone(), "assertion", "")] {
        let reply = product.token("as", As::Client("desk"), &form).await;
        reply.assert_refused(400, "invalid_request");
    }
    product
        .token("as", As::Client("desk"), &once)
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_111_an_id_token_is_no_assertion() {
    let product = Product::start().await;
    let vendor = &product.signers.vendor;
    let audience = product.authorization_server();
    let foreign = Token::id_token(vendor, VENDOR, "vendor-ada", &audience, product.now());
    let own = SignIn::to_acme().tokens(&product).await.text("id_token");

    let for_desk = foreign.clone().with("aud", "desk");
    let complete = foreign
        .clone()
        .with("client_id", "desk")
        .with("resource", FILES);
    refused(
        &product,
        [
            ("the vendor's", foreign.sign()),
            ("for the client", for_desk.sign()),
            ("with every claim", complete.sign()),
            ("our own", own),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_112_an_access_token_is_no_assertion() {
    let product = Product::start().await;
    let own = SignIn::to_files()
        .tokens(&product)
        .await
        .text("access_token");
    let redeemed = product
        .redeem(&product.id_jag().sign())
        .await
        .text("access_token");
    let foreign = product.id_jag().header("typ", "at+jwt").sign();
    refused(
        &product,
        [
            ("signed in", own),
            ("redeemed", redeemed),
            ("the vendor's", foreign),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_113_the_type_must_be_the_one_of_an_id_jag() {
    let product = Product::start().await;
    let typed = |typ: &str| product.id_jag().header("typ", typ).sign();
    refused(
        &product,
        [
            ("none", product.id_jag().without_header("typ").sign()),
            ("JWT", typed("JWT")),
            ("authorization-grant+jwt", typed("authorization-grant+jwt")),
            ("id-jag+jwt", typed("id-jag+jwt")),
            (
                "client-authentication+jwt",
                typed("client-authentication+jwt"),
            ),
            ("logout+jwt", typed("logout+jwt")),
            ("empty", typed("")),
            ("a number", product.id_jag().header("typ", 1).sign()),
        ],
    )
    .await;
    for typ in ["OAuth-ID-JAG+JWT", "application/oauth-id-jag+jwt"] {
        product.redeem(&typed(typ)).await.assert_issued();
    }
}

#[tokio::test]
async fn n_114_an_assertion_must_be_signed_with_an_asymmetric_key() {
    let product = Product::start().await;
    let right = product.id_jag();
    let jwk = product.signers.vendor.public_jwk();
    let (message, signature) = {
        let token = right.sign();
        let (message, signature) = token
            .rsplit_once('.')
            .map(|(m, s)| (m.to_owned(), s.to_owned()))
            .expect("a JWT");
        (message, signature)
    };
    let flipped: String = signature.chars().rev().collect();
    refused(
        &product,
        [
            ("none", right.unsigned()),
            (
                "None",
                format!("{}AAAA", right.clone().header("alg", "None").unsigned()),
            ),
            (
                "HS256 with the JWK",
                right.hs256(jwk.to_string().as_bytes()),
            ),
            (
                "HS256 with x",
                right.hs256(jwk["x"].as_str().expect("x").as_bytes()),
            ),
            ("HS256 with nothing", right.hs256(b"")),
            ("no signature", format!("{message}.")),
            ("another signature", format!("{message}.{flipped}")),
            (
                "a signature of zeros",
                format!("{message}.{}", base64url(&[0; 64])),
            ),
            ("RS256", right.clone().header("alg", "RS256").sign()),
            ("ES256K", right.clone().header("alg", "ES256K").sign()),
            (
                "an unknown critical member",
                right
                    .clone()
                    .header("crit", json!(["x"]))
                    .header("x", 1)
                    .sign(),
            ),
            ("unencoded payload", right.header("b64", false).sign()),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_114_changed_claims_break_the_signature() {
    let product = Product::start().await;
    let token = product.id_jag().sign();
    let other = product.id_jag().with("scope", "files:write").sign();
    let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("a JWT")
    };
    let payload = other.split('.').nth(1).expect("a payload");
    refused(
        &product,
        [("spliced", format!("{header}.{payload}.{signature}"))],
    )
    .await;
}

#[tokio::test]
async fn n_115_a_key_in_the_header_is_not_a_key() {
    let product = Product::start().await;
    let attacker = &product.signers.attacker;
    let url = product.key_server.url();
    let forged = || {
        product
            .id_jag()
            .forged_by(attacker)
            .header("kid", attacker.kid())
    };
    product.key_server.publish(attacker.jwks());
    refused(
        &product,
        [
            ("jwk", forged().header("jwk", attacker.public_jwk()).sign()),
            ("jku", forged().header("jku", url.as_str()).sign()),
            ("x5u", forged().header("x5u", url.as_str()).sign()),
            ("kid is a URL", forged().header("kid", url.as_str()).sign()),
            (
                "without kid",
                forged()
                    .without_header("kid")
                    .header("jwk", attacker.public_jwk())
                    .sign(),
            ),
            (
                "the vendor's kid",
                product.id_jag().forged_by(attacker).sign(),
            ),
        ],
    )
    .await;
    assert_eq!(
        product.key_server.fetches(),
        0,
        "nothing is fetched because a token says so"
    );
}

#[tokio::test]
async fn n_116_an_unknown_key_is_looked_up_once_in_thirty_seconds() {
    let product = Product::start().await;
    let issuer = "https://idp.remote.example";
    let known = || product.id_jag_of(&product.signers.remote, issuer);
    let unknown = || {
        known()
            .forged_by(&product.signers.attacker)
            .header("kid", "unknown")
    };

    product.redeem(&known().sign()).await.assert_issued();
    assert_eq!(product.key_server.fetches(), 1);
    for _ in 0..5 {
        product
            .redeem(&unknown().sign())
            .await
            .assert_refused(400, "invalid_grant");
    }
    assert_eq!(
        product.key_server.fetches(),
        2,
        "five unknown keys, one look"
    );
    product.advance(31);
    product
        .redeem(&unknown().sign())
        .await
        .assert_refused(400, "invalid_grant");
    assert_eq!(product.key_server.fetches(), 3);
    product.redeem(&known().sign()).await.assert_issued();
}

#[tokio::test]
async fn n_116_a_new_key_of_an_issuer_is_found() {
    let product = Product::start().await;
    let issuer = "https://idp.remote.example";
    product
        .redeem(&product.id_jag_of(&product.signers.remote, issuer).sign())
        .await
        .assert_issued();
    let rotated = symbolon_testkit::Signer::generate();
    product.key_server.publish(rotated.jwks());

    product
        .redeem(&product.id_jag_of(&rotated, issuer).sign())
        .await
        .assert_issued();
    let old = product.id_jag_of(&product.signers.remote, issuer).sign();
    product
        .redeem(&old)
        .await
        .assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn n_117_a_key_of_one_issuer_does_not_sign_for_another() {
    let product = Product::start().await;
    let (vendor, other) = (&product.signers.vendor, &product.signers.other);
    refused(
        &product,
        [
            ("A for B", product.id_jag_of(other, VENDOR).sign()),
            ("under B's kid", product.id_jag().forged_by(other).sign()),
            (
                "B for A",
                product
                    .id_jag_of(vendor, "https://idp.other.example")
                    .sign(),
            ),
            (
                "ours for A",
                product.id_jag_of(&product.signers.notary, VENDOR).sign(),
            ),
        ],
    )
    .await;
    let control = product.id_jag_of(other, "https://idp.other.example").sign();
    product.redeem(&control).await.assert_issued();
}

#[tokio::test]
async fn n_148_an_encrypted_or_nested_assertion_is_refused() {
    let product = Product::start().await;
    let right = product.id_jag();
    let jwe = format!(
        "{}.a.b.c.d",
        base64url(br#"{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}"#)
    );
    let nested = product.signers.vendor.sign(
        &json!({ "alg": "ES256", "typ": "oauth-id-jag+jwt", "cty": "JWT", "kid": product.signers.vendor.kid() }),
        &Value::String(right.unsigned()),
    );
    let json = json!({ "payload": "e30", "signatures": [{ "protected": "e30", "signature": "" }] });
    refused(
        &product,
        [
            ("JWE", jwe),
            (
                "an encrypted header",
                right.clone().header("enc", "A256GCM").sign(),
            ),
            ("compressed", right.clone().header("zip", "DEF").sign()),
            ("nested", nested),
            ("JSON serialization", json.to_string()),
            (
                "two parts",
                right.sign().rsplit_once('.').expect("parts").0.to_owned(),
            ),
            ("four parts", format!("{}.x", right.sign())),
            ("dots", "..".to_owned()),
        ],
    )
    .await;
}

#[tokio::test]
async fn n_149_an_oversized_or_deep_assertion_is_refused() {
    let product = Product::start().await;
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    let large = [
        product
            .id_jag()
            .with("padding", "x".repeat(17 * 1024))
            .sign(),
        product
            .id_jag()
            .with("padding", "x".repeat(40 * 1024))
            .sign(),
        product
            .id_jag()
            .header("padding", "x".repeat(4 * 1024))
            .sign(),
        product.id_jag().with("deep", deep).sign(),
    ];
    for assertion in large {
        product
            .redeem(&assertion)
            .await
            .assert_refused(400, "invalid_request");
    }
    let beyond_any_form = product
        .id_jag()
        .with("padding", "x".repeat(60 * 1024))
        .sign();
    product
        .redeem(&beyond_any_form)
        .await
        .assert_refused(400, "invalid_request");
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

/// RFC 8725 §2.4: no two readers may disagree about a token.
#[tokio::test]
async fn n_149_a_claim_that_is_there_twice_is_refused() {
    let product = Product::start().await;
    let vendor = &product.signers.vendor;
    let claims = claims(&product.id_jag().sign()).to_string();
    let doubled = format!("{{\"client_id\":\"rival\",{}", &claims[1..]);
    let header = json!({ "alg": "ES256", "typ": "oauth-id-jag+jwt", "kid": vendor.kid() });
    let raw = vendor.sign_raw(&header.to_string(), &doubled);
    refused(&product, [("doubled", raw)]).await;
    let control = vendor.sign_raw(&header.to_string(), &claims);
    product.redeem(&control).await.assert_issued();
}

#[tokio::test]
async fn n_150_nothing_is_accepted_without_the_keys_of_the_issuer() {
    let mut product = Product::start().await;
    let issuer = "https://idp.remote.example";
    let assertion = |product: &Product| product.id_jag_of(&product.signers.remote, issuer).sign();
    product.redeem(&assertion(&product)).await.assert_issued();
    product.key_server.take_down().await;

    product.advance(3600 + 1800);
    product.redeem(&assertion(&product)).await.assert_issued();
    product.advance(3600);
    let unavailable = product.redeem(&assertion(&product)).await;
    unavailable.assert_refused(503, "temporarily_unavailable");
    let forged = product.id_jag_of(&product.signers.attacker, issuer).sign();
    product
        .redeem(&forged)
        .await
        .assert_refused(503, "temporarily_unavailable");

    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_150_an_issuer_that_never_answered_vouches_for_nobody() {
    let mut product = Product::start().await;
    product.key_server.take_down().await;
    let assertion = product.id_jag_of(&product.signers.remote, "https://idp.remote.example");

    let reply = product.redeem(&assertion.sign()).await;

    reply.assert_refused(503, "temporarily_unavailable");
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}
