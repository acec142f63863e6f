//! Whom it speaks of (N-139 to N-143).

use crate::*;

/// Accounts are found by issuer and `sub`; what the token says beside them picks nobody.
#[tokio::test]
async fn n_139_a_foreign_sub_id_picks_nobody() {
    let product = Product::start().await;
    let subject = async |token: Token| {
        let reply = product.redeem(&token.sign()).await;
        claims(&reply.assert_issued().text("access_token"))["sub"].clone()
    };
    let ada = subject(product.id_jag()).await;
    let sub_id = json!({ "format": "iss_sub", "iss": VENDOR, "sub": "vendor-ada" });
    let bob = product.id_jag().with("sub", "vendor-bob");
    let bob = bob.with("sub_id", sub_id).with("aud_sub", ada.clone());

    let found = subject(bob).await;
    assert_ne!(found, ada);
    assert_eq!(
        subject(product.id_jag().with("sub", "vendor-bob")).await,
        found
    );
}

#[tokio::test]
async fn n_142_an_email_address_links_to_nobody() {
    let product = Product::start().await;
    let signed_in = SignIn::to_files()
        .tokens(&product)
        .await
        .text("access_token");
    let ada = claims(&signed_in)["sub"].clone();
    let impostor = product
        .id_jag()
        .with("sub", "impostor")
        .with("email", "ada@acme.example");

    let reply = product
        .redeem(&impostor.with("email_verified", true).sign())
        .await;

    reply.assert_issued();
    assert_ne!(
        claims(&reply.text("access_token"))["sub"],
        ada,
        "another person"
    );
    let external = product.id_jag().with("sub", "development-ada").sign();
    let linked = product.redeem(&external).await.text("access_token");
    assert_eq!(
        claims(&linked)["sub"],
        ada,
        "the connection's subject is she"
    );
}

#[tokio::test]
async fn n_142_an_email_address_has_no_assignment_of_its_own() {
    let extra = r#"
        [[assignment]]
        organization = "acme"
        users = ["ada@acme.example"]
        mcp_server = "files"
        scopes = ["files:admin"]
    "#;
    let product = Product::with(extra).await;
    let admin = |subject: &str| {
        let token = product
            .id_jag()
            .with("sub", subject)
            .with("scope", "files:admin");
        token.with("email", "ada@acme.example")
    };
    SignIn::to_files().tokens(&product).await;

    product
        .redeem(&admin("development-ada").sign())
        .await
        .assert_issued();
    // Disclaimed, and not vouched for: neither makes somebody else's address one's own.
    let disclaimed = admin("impostor").with("email_verified", false);
    for impostor in [disclaimed, admin("another-impostor")] {
        product
            .redeem(&impostor.sign())
            .await
            .assert_refused(400, "invalid_grant");
    }
}

#[tokio::test]
async fn n_143_a_disabled_person_stays_disabled() {
    let product = Product::start().await;
    let reply = product
        .redeem(&product.id_jag().with("sub", "leaver").sign())
        .await;
    let user = claims(&reply.assert_issued().text("access_token"))["sub"].clone();
    let organization = "acme".parse().expect("an organization");
    let id = user.as_str().expect("a user").parse().expect("a user id");
    let now = product.now();
    let disable = product.running.store().write(move |tx| {
        Box::pin(async move { user::disable(tx, &organization, &id, &By::system(), now).await })
    });
    assert!(disable.await.expect("the database answers"));

    let again = product.id_jag().with("sub", "leaver").sign();
    product
        .redeem(&again)
        .await
        .assert_refused(400, "invalid_grant");
    assert_eq!(
        product
            .introspect("files-server", &reply.text("access_token"))
            .await,
        json!({ "active": false })
    );
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

#[tokio::test]
async fn n_143_a_removed_person_is_not_created_again() {
    let product = Product::start().await;
    let leaver = |product: &Product| {
        product
            .id_jag()
            .with("sub", "leaver")
            .with("email", "leaver@acme.example")
            .sign()
    };
    let reply = product.redeem(&leaver(&product)).await;
    let user = claims(&reply.assert_issued().text("access_token"))["sub"].clone();
    let organization = "acme".parse().expect("an organization");
    let id = user.as_str().expect("a user").parse().expect("a user id");
    let now = product.now();
    let remove = product.running.store().write(move |tx| {
        Box::pin(async move {
            let secrets = secret_key::ensure_all(tx, now).await?;
            let secret = TombstoneSecret::new(secrets.get(SecretPurpose::Tombstone).clone());
            user::delete(tx, &organization, &id, &secret, &By::system(), now).await
        })
    });
    assert!(remove.await.expect("the database answers"));

    product
        .redeem(&leaver(&product))
        .await
        .assert_refused(400, "invalid_grant");
    assert!(
        product
            .users("acme", "leaver@acme.example")
            .await
            .is_empty(),
        "nobody came back"
    );
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

/// Design §4 rule 12: an issuer that is only trusted for a connection's people says nothing about
/// their groups; the connection's own issuer does.
#[tokio::test]
async fn rule_12_only_the_own_issuer_of_a_connection_speaks_for_groups() {
    let extra = r#"
        [[connection]]
        id = "acme-own"
        organization = "acme"
        protocol = "oidc"
        issuer = "https://login.acme.example"
        client_id = "symbolon"
        groups_claim = "groups"

        [[trusted_issuer]]
        organization = "acme"
        issuer = "https://login.acme.example"
        jwks = { file = "other.jwks" }
        subject = { connection = "acme-own" }

        [[assignment]]
        organization = "acme"
        groups = ["acme-own/engineering"]
        mcp_server = "tracker"
        scopes = ["issues:read"]
    "#;
    let product = Product::with(extra).await;
    let claiming = |token: Token| {
        let token = token.with("resource", TRACKER).with("scope", "issues:read");
        token.with("groups", json!(["engineering"])).sign()
    };
    let vendor = claiming(product.id_jag());
    let own = claiming(product.id_jag_of(&product.signers.other, "https://login.acme.example"));

    product
        .redeem(&vendor)
        .await
        .assert_refused(400, "invalid_grant");
    product.redeem(&own).await.assert_issued();
}

#[tokio::test]
async fn as_129_where_people_are_provisioned_an_assertion_creates_nobody() {
    let extra = r#"
        [[connection]]
        id = "acme-provisioned"
        organization = "acme"
        protocol = "oidc"
        issuer = "https://login.acme.example"
        client_id = "symbolon"
        provision = "scim_only"

        [[trusted_issuer]]
        organization = "acme"
        issuer = "https://idp.provisioned.example"
        jwks = { file = "vendor.jwks" }
        subject = { connection = "acme-provisioned" }
    "#;
    let product = Product::with(extra).await;
    let issuer = "https://idp.provisioned.example";
    let unknown = product.id_jag_of(&product.signers.vendor, issuer);
    let unknown = unknown.with("email", "newcomer@acme.example");

    product
        .redeem(&unknown.sign())
        .await
        .assert_refused(400, "invalid_grant");

    assert!(
        product
            .users("acme", "newcomer@acme.example")
            .await
            .is_empty()
    );
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}
