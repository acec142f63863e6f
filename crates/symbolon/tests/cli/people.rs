//! `user`, `grant` and `key`.

use symbolon_net::{Clock, SystemClock};
use symbolon_protocol::ids::ClientId;
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::scope::ScopeSet;
use symbolon_storage::StorageError;
use symbolon_storage::grant::{self, Grant, NewGrant, Origin};
use symbolon_storage::user::User;

use super::support::Folder;

async fn grant_to(folder: &Folder, user: &User) -> Grant {
    let new = NewGrant {
        role: IssuerRole::As,
        organization: user.organization.clone(),
        user: Some(user.id.clone()),
        client: ClientId::parse("desk-agent").unwrap(),
        resource: "http://127.0.0.1:8443/mcp/tracker".to_owned(),
        scopes: ScopeSet::parse("issues:read").unwrap(),
        session: None,
        origin: Origin::IdJag,
    };
    let store = folder.store().await;
    let written = store
        .write(move |tx| Box::pin(async move { grant::upsert(tx, &new, SystemClock.now()).await }));
    let granted: Result<Option<Grant>, StorageError> = written.await;
    store.close().await;
    granted.unwrap().unwrap()
}

/// AS-77, AS-195.
#[tokio::test]
async fn a_person_who_is_cut_off_holds_no_grant_any_more() {
    let folder = Folder::deployed();
    let ada = folder.person("ada@acme.example").await;
    grant_to(&folder, &ada).await;
    folder
        .run(&["grant", "list"])
        .assert_says(&["ada@acme.example", "desk-agent", "live"]);

    let revoked = folder.run(&[
        "user",
        "revoke",
        "Ada@acme.example",
        "--reason",
        "left the company",
    ]);

    revoked.assert_done();
    revoked.assert_says(&["1 grants"]);
    folder.run(&["grant", "list"]).assert_says(&["No grants."]);
    folder
        .run(&["user", "list", "--organization", "acme"])
        .assert_says(&["disabled"]);
    folder
        .run(&["audit", "list", "--user", ada.id.as_str()])
        .assert_says(&["access.revoked", "user.disabled", "left the company"]);
}

#[tokio::test]
async fn somebody_who_is_enabled_may_sign_in_again() {
    let folder = Folder::deployed();
    let ada = folder.person("ada@acme.example").await;
    folder
        .run(&["user", "revoke", ada.id.as_str()])
        .assert_done();

    folder
        .run(&["user", "enable", "ada@acme.example"])
        .assert_done();

    folder
        .run(&["user", "list", "--organization", "acme"])
        .assert_says(&["active"]);
    folder
        .run(&["user", "enable", "ada@acme.example"])
        .assert_refused(&["is not disabled"]);
}

#[tokio::test]
async fn a_name_that_means_two_people_is_refused() {
    let folder = Folder::deployed();
    let first = folder.person("ada@acme.example").await;
    folder.person("ada@acme.example").await;

    let refused = folder.run(&["user", "revoke", "ada@acme.example"]);

    refused.assert_refused(&["more than one person", first.id.as_str()]);
}

#[tokio::test]
async fn a_revoked_grant_is_listed_with_all_only() {
    let folder = Folder::deployed();
    let ada = folder.person("ada@acme.example").await;
    let grant = grant_to(&folder, &ada).await;

    folder
        .run(&[
            "grant",
            "revoke",
            grant.id.as_str(),
            "--reason",
            "lost laptop",
        ])
        .assert_done();

    folder.run(&["grant", "list"]).assert_says(&["No grants."]);
    folder
        .run(&["grant", "list", "--all"])
        .assert_says(&[grant.id.as_str(), "revoked "]);
    folder
        .run(&["grant", "revoke", grant.id.as_str()])
        .assert_says(&["already"]);
    folder
        .run(&["grant", "revoke", "nothing"])
        .assert_refused(&["grant list"]);
}

#[tokio::test]
async fn a_rotated_key_is_published_before_it_signs() {
    use symbolon_protocol::jose::Algorithm;
    use symbolon_storage::audit::By;
    use symbolon_storage::signing_key::{self, KeyPurpose, KeyUse};

    let folder = Folder::deployed();
    folder
        .run(&["key", "rotate", "--issuer", "as"])
        .assert_refused(&["has no such keys"]);
    let store = folder.store().await;
    let usage = KeyUse {
        role: "as".to_owned(),
        purpose: KeyPurpose::Token,
        algorithm: Algorithm::Es256,
    };
    signing_key::ensure(&store, usage, By::system(), SystemClock.now())
        .await
        .unwrap();
    store.close().await;

    let rotated = folder.run(&["--json", "key", "rotate", "--issuer", "as"]);

    rotated.assert_done();
    folder
        .run(&["key", "list"])
        .assert_says(&["published ahead", "signing until"]);
}
