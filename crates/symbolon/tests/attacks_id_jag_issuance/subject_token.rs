//! The sign-in that is exchanged (N-163 to N-168, N-180, N-181).

use crate::*;

#[tokio::test]
async fn n_163_an_id_token_of_another_client_is_refused() {
    let product = Product::start().await;
    let stolen = SignIn::to_acme()
        .client("rival")
        .tokens(&product)
        .await
        .text("id_token");

    ask(&product, &exchange(&stolen))
        .await
        .assert_refused(400, "invalid_grant");

    let own = set(
        exchange(&stolen),
        "audience",
        &product.authorization_server(),
    );
    let own = set(set(own, "resource", FILES), "scope", "files:read");
    product
        .token("idp/acme", As::Client("idp-rival"), &own)
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_164_a_broken_id_token_is_refused() {
    let product = Product::start().await;
    let right = id_token(&product).await;
    let issuer = product.identity_provider("acme");
    let subject = claims(&right)["sub"]
        .as_str()
        .expect("a subject")
        .to_owned();
    let kid = jose_header(&right)["kid"]
        .as_str()
        .expect("a key")
        .to_owned();
    let forge = |signer: &Signer, issuer: &str| {
        Token::id_token(signer, issuer, &subject, "desk", product.now())
    };
    let [header, payload, signature] = right.split('.').collect::<Vec<_>>()[..] else {
        panic!("a JWT")
    };
    let bob = SignIn::to_acme()
        .bob()
        .tokens(&product)
        .await
        .text("id_token");
    let other_payload = bob.split('.').nth(1).expect("a payload");
    let attacker = &product.signers.attacker;
    let published = product
        .send(http::Method::GET, "idp/acme/jwks", &[], "")
        .await
        .json()["keys"][0]
        .to_string();
    let broken = [
        ("tampered", format!("{header}.{other_payload}.{signature}")),
        ("without signature", format!("{header}.{payload}.")),
        ("forged", forge(attacker, &issuer).sign()),
        (
            "forged under our kid",
            forge(attacker, &issuer).header("kid", kid.as_str()).sign(),
        ),
        (
            "embedded key",
            forge(attacker, &issuer)
                .header("jwk", attacker.public_jwk())
                .sign(),
        ),
        ("alg none", forge(attacker, &issuer).unsigned()),
        (
            "HS256",
            forge(attacker, &issuer)
                .header("kid", kid.as_str())
                .hs256(published.as_bytes()),
        ),
        (
            "of the vendor",
            forge(&product.signers.vendor, support::VENDOR).sign(),
        ),
        (
            "of Globex",
            SignIn::to_globex().tokens(&product).await.text("id_token"),
        ),
    ];
    for (what, token) in broken {
        let reply = ask(&product, &exchange(&token)).await;
        assert_eq!((what, reply.status), (what, 400), "{}", reply.body());
        reply.assert_refused(400, "invalid_grant");
    }
    ask(&product, &exchange(&right)).await.assert_issued();
}

#[tokio::test]
async fn n_164_an_id_token_expires() {
    let product = Product::start().await;
    let token = id_token(&product).await;
    product.advance(3600 + 31);
    ask(&product, &exchange(&token))
        .await
        .assert_refused(400, "invalid_grant");

    let fresh = id_token(&product).await;
    ask(&product, &exchange(&fresh)).await.assert_issued();
}

#[tokio::test]
async fn n_165_another_kind_of_token_is_no_id_token() {
    let product = Product::start().await;
    let tokens = SignIn::to_acme().tokens(&product).await;
    let id_jag = ask(&product, &exchange(&tokens.text("id_token")))
        .await
        .text("access_token");
    let files = SignIn::to_files()
        .tokens(&product)
        .await
        .text("access_token");
    for other in [tokens.text("access_token"), id_jag, files] {
        let reply = ask(&product, &exchange(&other)).await;
        reply.assert_refused(400, "invalid_grant");
    }
    ask(&product, &exchange(&tokens.text("id_token")))
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_166_the_stated_type_must_be_the_real_one() {
    let product = Product::start().await;
    let tokens = SignIn::to_acme().tokens(&product).await;
    let (id_token, refresh_token) = (tokens.text("id_token"), tokens.text("refresh_token"));

    let id_token_as_refresh = set(
        exchange(&id_token),
        "subject_token_type",
        REFRESH_TOKEN_TYPE,
    );
    ask(&product, &id_token_as_refresh)
        .await
        .assert_refused(400, "invalid_request");
    ask(&product, &exchange(&refresh_token))
        .await
        .assert_refused(400, "invalid_request");
    ask(&product, &exchange("no token"))
        .await
        .assert_refused(400, "invalid_request");
    for other in ["saml2", "access_token", "jwt", "id-jag"] {
        let urn = format!("urn:ietf:params:oauth:token-type:{other}");
        let form = set(exchange(&id_token), "subject_token_type", &urn);
        ask(&product, &form)
            .await
            .assert_refused(400, "invalid_request");
    }
    ask(&product, &exchange(&id_token)).await.assert_issued();
}

#[tokio::test]
async fn n_168_a_refresh_token_stands_for_its_own_sign_in_only() {
    let product = Product::start().await;
    let with = |token: &str| set(exchange(token), "subject_token_type", REFRESH_TOKEN_TYPE);
    let tokens = SignIn::to_acme().tokens(&product).await;
    let own = tokens.text("refresh_token");
    let rivals = SignIn::to_acme()
        .client("rival")
        .tokens(&product)
        .await
        .text("refresh_token");
    let files = SignIn::to_files()
        .tokens(&product)
        .await
        .text("refresh_token");
    let globex = SignIn::to_globex()
        .tokens(&product)
        .await
        .text("refresh_token");
    let forged = other_end(&own);

    for (what, token) in [
        ("rival's", rivals),
        ("of /as", files),
        ("of Globex", globex),
        ("forged", forged),
    ] {
        let reply = ask(&product, &with(&token)).await;
        assert_eq!((what, reply.status), (what, 400), "{}", reply.body());
        reply.assert_refused(400, "invalid_grant");
    }
    let scope = set(with(&own), "scope", "docs:write");
    ask(&product, &scope)
        .await
        .assert_refused(400, "invalid_scope");
    let audience = set(with(&own), "audience", "https://as.evil.example");
    ask(&product, &audience)
        .await
        .assert_refused(400, "invalid_target");
    ask(&product, &with(&own)).await.assert_issued();
    ask(&product, &with(&own)).await.assert_issued();
}

#[tokio::test]
async fn n_168_a_revoked_or_rotated_refresh_token_is_refused() {
    let product = Product::start().await;
    let with = |token: &str| set(exchange(token), "subject_token_type", REFRESH_TOKEN_TYPE);
    let rotated = SignIn::to_acme()
        .tokens(&product)
        .await
        .text("refresh_token");
    let refresh = form([("grant_type", "refresh_token"), ("refresh_token", &rotated)]);
    let current = ask(&product, &refresh)
        .await
        .assert_issued()
        .text("refresh_token");
    product.advance(11);
    ask(&product, &with(&rotated))
        .await
        .assert_refused(400, "invalid_grant");
    ask(&product, &with(&current)).await.assert_issued();

    let form = form([("token", &current)]);
    let reply = product
        .post("idp/acme/revoke", As::Client("idp-desk"), &form)
        .await;
    assert_eq!(reply.status, 200);
    ask(&product, &with(&current))
        .await
        .assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn n_180_an_id_jag_is_not_redeemed_where_it_was_issued() {
    let product = Product::start().await;
    let here = product.authorization_server();
    let form = to(
        exchange(&id_token(&product).await),
        &here,
        FILES,
        "files:read",
    );
    let id_jag = ask(&product, &form).await.text("access_token");
    let redeem = support::form([("grant_type", JWT_BEARER), ("assertion", &id_jag)]);

    ask(&product, &redeem)
        .await
        .assert_refused(400, "invalid_grant");
    let as_id_token = set(form.clone(), "subject_token", &id_jag);
    ask(&product, &as_id_token)
        .await
        .assert_refused(400, "invalid_grant");

    product.redeem(&id_jag).await.assert_issued();
}

#[tokio::test]
async fn n_181_a_disabled_person_gets_no_id_jag() {
    let product = Product::start().await;
    let ada = id_token(&product).await;
    let bob = SignIn::to_acme()
        .bob()
        .tokens(&product)
        .await
        .text("id_token");
    let organization = OrganizationId::parse("acme").expect("an id");
    let id = UserId::parse(claims(&ada)["sub"].as_str().expect("a user")).expect("an id");
    let now = product.now();
    let disable = product.running.store().write(move |tx| {
        Box::pin(async move { user::disable(tx, &organization, &id, &By::system(), now).await })
    });
    assert!(disable.await.expect("the database answers"));

    ask(&product, &exchange(&ada))
        .await
        .assert_refused(400, "invalid_grant");
    ask(&product, &exchange(&bob)).await.assert_issued();
}

/// ID-60: an ID token lives for an hour; what it stands for may end sooner.
#[tokio::test]
async fn n_181_a_revoked_sign_in_gets_no_id_jag() {
    let product = Product::start().await;
    let token = id_token(&product).await;
    let user = UserId::parse(claims(&token)["sub"].as_str().expect("a user")).expect("an id");
    ask(&product, &exchange(&token)).await.assert_issued();

    revoke(&product, Subject::User(user)).await;

    ask(&product, &exchange(&token))
        .await
        .assert_refused(400, "invalid_grant");
}

/// ID-60: signing out ends the session only, and nothing of it can be exchanged any more.
#[tokio::test]
async fn n_181_an_ended_session_gets_no_id_jag() {
    let product = Product::start().await;
    let ended = id_token(&product).await;
    let other = id_token(&product).await;
    let session = claims(&ended)["sid"]
        .as_str()
        .expect("a session")
        .to_owned();
    ask(&product, &exchange(&ended)).await.assert_issued();

    revoke(
        &product,
        Subject::Session(SessionId::parse(&session).expect("a session id")),
    )
    .await;

    let refused = async {
        while ask(&product, &exchange(&ended)).await.status == 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), refused)
        .await
        .expect("every node hears of it");
    ask(&product, &exchange(&ended))
        .await
        .assert_refused(400, "invalid_grant");
    ask(&product, &exchange(&other)).await.assert_issued();
}

/// The person signs in anew; what a thief kept of the time before stays worthless.
#[tokio::test]
async fn n_181_a_revoked_sign_in_does_not_come_back_with_the_next_one() {
    let product = Product::start().await;
    let stolen = id_token(&product).await;
    let user = UserId::parse(claims(&stolen)["sub"].as_str().expect("a user")).expect("an id");
    revoke(&product, Subject::User(user)).await;
    product.advance(60);
    let fresh = id_token(&product).await;

    ask(&product, &exchange(&stolen))
        .await
        .assert_refused(400, "invalid_grant");
    ask(&product, &exchange(&fresh)).await.assert_issued();
}
