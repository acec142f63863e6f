//! Who gets in, how freshly, and what ends it (requirements 1.2, 1.8, design §4 rules 12 and 14).

use symbolon_protocol::ids::OrganizationId;
use symbolon_storage::audit::By;
use symbolon_storage::group::{self, Groups};
use symbolon_storage::linked_identity::{self, TombstoneSecret};
use symbolon_storage::secret_key::{self, SecretPurpose};
use symbolon_storage::user::{self, Profile, User};
use symbolon_testkit::Token;

use crate::support;
use crate::visitor::Visitor;
use crate::world::{Away, World, consent, path, request, with};

fn initech() -> OrganizationId {
    OrganizationId::parse("initech").expect("an organization id")
}

async fn ada(world: &World) -> User {
    let found = world.product.users("initech", "ada@initech.example").await;
    let [ada] = found.as_slice() else {
        panic!("not one Ada: {found:?}")
    };
    ada.clone()
}

async fn groups(world: &World) -> Groups {
    let (id, now) = (ada(world).await.id, world.product.now());
    let read = world
        .product
        .running
        .store()
        .read(move |c| Box::pin(async move { group::facts(c, &id, now).await }));
    read.await.expect("the database answers").groups
}

#[tokio::test]
async fn a_person_comes_into_being_once() {
    let world = World::start().await;
    world.sign_in(&request()).await;
    let first = ada(&world).await;
    world.sign_in(&request()).await;
    assert_eq!(ada(&world).await.id, first.id);
    assert_eq!(first.organization, initech());
}

#[tokio::test]
async fn a_disabled_person_stays_out_with_every_session() {
    let world = World::start().await;
    let (mut visitor, _) = world.sign_in(&request()).await;
    let (id, now) = (ada(&world).await.id, world.product.now());
    let write = world.product.running.store().write(move |tx| {
        Box::pin(async move { user::disable(tx, &initech(), &id, &By::system(), now).await })
    });
    assert!(write.await.expect("the database answers"));

    let seen = visitor.get(&path(&request())).await;
    let location = seen.location().unwrap_or_default();
    assert!(
        location.starts_with(&world.liar.issuer),
        "the session is over: {location}"
    );
    let seen = world.sign_in_with(|token| token.sign()).await;
    seen.assert_told(&world.product, "access_denied");
}

#[tokio::test]
async fn a_person_who_was_removed_is_not_created_again() {
    let world = World::start().await;
    world.sign_in(&request()).await;
    let (id, now) = (ada(&world).await.id, world.product.now());
    let write = world.product.running.store().write(move |tx| {
        Box::pin(async move {
            let secrets = secret_key::ensure_all(tx, now).await?;
            let secret = TombstoneSecret::new(secrets.get(SecretPurpose::Tombstone).clone());
            user::delete(tx, &initech(), &id, &secret, &By::system(), now).await
        })
    });
    assert!(write.await.expect("the database answers"));

    let seen = world.sign_in_with(|token| token.sign()).await;
    seen.assert_told(&world.product, "access_denied");
    assert!(
        world
            .product
            .users("initech", "ada@initech.example")
            .await
            .is_empty()
    );
    let events = world.product.audit().await;
    let refused = events.iter().any(|recorded| {
        recorded.action == "sign_in.decided"
            && recorded
                .reason
                .as_deref()
                .is_some_and(|reason| reason.contains("removed"))
    });
    assert!(refused, "the administrator can read why");
}

/// Design §4 rule 13: what is not said is unknown, not empty and not what it was.
#[tokio::test]
async fn groups_that_are_no_longer_said_are_forgotten() {
    let world = World::start().await;
    let mut away = world.leave(&request()).await;
    let token = world
        .liar
        .id_token(&world.product, &away.nonce)
        .with("groups", vec!["tellers"]);
    world.come_back(&mut away, token.sign()).await;
    let Groups::Known(known) = groups(&world).await else {
        panic!("the groups were said")
    };
    let keys: Vec<_> = known
        .iter()
        .map(|key| (key.source.as_str(), key.external_id.as_str()))
        .collect();
    assert_eq!(keys, [("initech-oidc", "tellers")]);

    world.sign_in(&request()).await;
    assert_eq!(groups(&world).await, Groups::Unknown);
}

/// Somebody whom an administrator knows by address before she ever signed in.
async fn invite(world: &World) -> User {
    let now = world.product.now();
    let profile = Profile {
        email: Some("ada@initech.example".to_owned()),
        name: None,
    };
    let write = world.product.running.store().write(move |tx| {
        Box::pin(async move { user::insert(tx, &initech(), &profile, now).await })
    });
    write.await.expect("the database answers")
}

/// Signs somebody in; how many people have Ada's address afterwards.
async fn people_after(world: &World, change: impl FnOnce(Token) -> Token) -> Vec<User> {
    let mut away = world.leave(&request()).await;
    let token = change(world.liar.id_token(&world.product, &away.nonce));
    world.come_back(&mut away, token.sign()).await;
    world.product.users("initech", "ada@initech.example").await
}

/// AS-128: where an administrator wants it, a verified address links, once.
#[tokio::test]
async fn a_verified_address_links_to_the_person_who_has_it() {
    let world = World::start().await;
    let invited = invite(&world).await;
    let people = people_after(&world, |token| token).await;
    assert_eq!(
        people.iter().map(|user| &user.id).collect::<Vec<_>>(),
        [&invited.id]
    );
    let people = people_after(&world, |token| token.with("sub", "liar-eve")).await;
    assert_eq!(
        people.len(),
        2,
        "the address was given to somebody else, who is somebody else"
    );
}

/// AS-128.
#[tokio::test]
async fn an_address_that_nobody_verified_links_to_nobody() {
    let world = World::start().await;
    let invited = invite(&world).await;
    people_after(&world, |token| token.without("email_verified")).await;
    let read = world
        .product
        .running
        .store()
        .read(move |c| Box::pin(async move { linked_identity::list_of(c, &invited.id).await }));
    let links = read.await.expect("the database answers");
    assert!(links.is_empty(), "{links:?}");
}

/// An address that the provider disclaims is no address.
#[tokio::test]
async fn an_unverified_address_is_not_taken() {
    let world = World::start().await;
    let mut away = world.leave(&request()).await;
    let token = world
        .liar
        .id_token(&world.product, &away.nonce)
        .with("email_verified", false);
    let page = world.come_back(&mut away, token.sign()).await;
    assert_eq!(page.status, 200);
    assert!(
        world
            .product
            .users("initech", "ada@initech.example")
            .await
            .is_empty()
    );
}

/// AS-37: `prompt=login` leads to the provider although somebody is signed in, and ends there.
#[tokio::test]
async fn a_fresh_sign_in_is_asked_for_once() {
    let world = World::start().await;
    let (visitor, _) = world.sign_in(&request()).await;
    let mut away = world.leave_as(visitor, &with("prompt", "login")).await;
    let token = world.liar.id_token(&world.product, &away.nonce).sign();
    let page = world.come_back(&mut away, token).await;
    let granted = consent(&mut away.visitor, &page, "allow").await;
    assert!(granted.told("code").is_some(), "{:?}", granted.location());
}

/// AS-37, RFC 9470: an old sign-in is not taken for a fresh one, whatever the provider answers.
#[tokio::test]
async fn an_old_sign_in_does_not_satisfy_max_age() {
    let world = World::start().await;
    let (visitor, _) = world.sign_in(&request()).await;
    world.product.advance(600);
    let mut away = world.leave_as(visitor, &with("max_age", "300")).await;
    let long_ago = world.product.now().unix_seconds() - 600;
    let token = world.liar.id_token(&world.product, &away.nonce);
    let seen = world
        .come_back(&mut away, token.with("auth_time", long_ago).sign())
        .await;
    seen.assert_told(&world.product, "access_denied");

    let mut away = world.leave_as(away.visitor, &with("max_age", "300")).await;
    let token = world.liar.id_token(&world.product, &away.nonce).sign();
    assert_eq!(world.come_back(&mut away, token).await.status, 200);
}

/// Comes back with a sign-in that is not strong enough: whom policy sends away once more.
async fn sent_to_step_up(world: &World) -> Away {
    let mut away = world.leave(&with("scope", "ledger:write")).await;
    let token = world.liar.id_token(&world.product, &away.nonce).sign();
    let seen = world.come_back(&mut away, token).await;
    assert_eq!(seen.told("acr_values").as_deref(), Some("second_factor"));
    let [state, nonce] = ["state", "nonce"].map(|name| seen.told(name).expect("it is sent"));
    Away {
        visitor: away.visitor,
        state,
        nonce,
    }
}

#[tokio::test]
async fn a_person_who_steps_up_may_go_on() {
    let world = World::start().await;
    let mut away = sent_to_step_up(&world).await;
    let token = world
        .liar
        .id_token(&world.product, &away.nonce)
        .with("acr", "second_factor");
    let page = world.come_back(&mut away, token.sign()).await;
    assert!(
        page.body().contains("<code>ledger:write</code>"),
        "{}",
        page.body()
    );
    let granted = consent(&mut away.visitor, &page, "allow").await;
    assert!(granted.told("code").is_some());
}

#[tokio::test]
async fn a_person_who_does_not_step_up_is_refused_and_not_asked_for_ever() {
    let world = World::start().await;
    let mut away = sent_to_step_up(&world).await;
    let token = world.liar.id_token(&world.product, &away.nonce).sign();
    let seen = world.come_back(&mut away, token).await;
    seen.assert_told(&world.product, "access_denied");
    let silent = support::set(with("scope", "ledger:write"), "prompt", "none");
    away.visitor
        .get(&path(&silent))
        .await
        .assert_told(&world.product, "login_required");
}

#[tokio::test]
async fn a_session_counts_at_its_own_authorization_server_only() {
    let world = World::start().await;
    let (mut visitor, _) = world.sign_in(&request()).await;
    let session = visitor.cookies["symbolon-session.as"].clone();
    for name in ["symbolon-session.idp.initech", "symbolon-session.idp.acme"] {
        visitor.cookies.insert(name.to_owned(), session.clone());
    }
    let seen = visitor.get("/idp/initech/logout").await;
    assert!(
        seen.body().contains("You are signed out"),
        "nobody is signed in there"
    );
    let seen = visitor.get("/as/logout").await;
    assert!(seen.body().contains("Sign out?"));
}

#[tokio::test]
async fn signing_out_ends_the_session_and_needs_our_own_form() {
    let world = World::start().await;
    let (mut visitor, _) = world.sign_in(&request()).await;
    let stolen = visitor.clone();
    visitor
        .post("/as/logout", &[])
        .await
        .assert_page(403, "access_denied");
    let page = visitor.get("/as/logout").await;
    let csrf = page.hidden("csrf");
    let form = [("csrf", csrf.as_str())];
    visitor
        .post_from("cross-site", "/as/logout", &form)
        .await
        .assert_page(403, "access_denied");

    let done = visitor.post("/as/logout", &form).await;
    assert!(
        done.body().contains("You are signed out"),
        "{}",
        done.body()
    );
    assert!(visitor.cookies.keys().all(|name| !name.contains("session")));
    let mut stolen = stolen;
    let seen = stolen.get(&path(&request())).await;
    assert!(
        seen.location()
            .unwrap_or_default()
            .starts_with(&world.liar.issuer)
    );
}

/// AS-36: the organization comes from configuration; an address that nobody owns leads nowhere.
#[tokio::test]
async fn the_sign_in_page_leads_to_known_organizations_only() {
    let world = World::start().await;
    let mut visitor = Visitor::new(&world.product);
    let page = visitor
        .get(&path(&support::unset(request(), "login_hint")))
        .await;
    assert!(
        page.body().contains("Work email or company domain"),
        "{}",
        page.body()
    );
    let (csrf, hidden) = (page.hidden("csrf"), page.hidden("request"));
    let form = |email| {
        [
            ("csrf", csrf.as_str()),
            ("request", hidden.as_str()),
            ("email", email),
        ]
    };

    // Acme exists, but this client is not for its people.
    for email in [
        "ada@nowhere.example",
        "ada@acme.example",
        "",
        "@",
        "umbrella.example",
    ] {
        let seen = visitor.post("/as/sign-in", &form(email)).await;
        assert_eq!(seen.status, 422, "{email}: {:?}", seen.location());
        seen.assert_guarded();
    }
    let mut other = Visitor::new(&world.product);
    let foreign = other
        .post("/as/sign-in", &form("ada@initech.example"))
        .await;
    foreign.assert_page(403, "access_denied");
    for email in ["Ada@Initech.Example", "initech.example", "initech"] {
        let seen = visitor.post("/as/sign-in", &form(email)).await;
        assert_eq!(seen.status, 303, "{email}");
        assert!(
            seen.location()
                .unwrap_or_default()
                .starts_with(&world.liar.issuer)
        );
    }
}

/// The choice is remembered after a sign-in, and offered again on request.
#[tokio::test]
async fn the_organization_is_remembered() {
    let world = World::start().await;
    let (mut visitor, _) = world.sign_in(&request()).await;
    visitor.cookies.retain(|name, _| !name.contains("session"));
    let plain = support::unset(request(), "login_hint");
    let seen = visitor.get(&path(&plain)).await;
    assert!(
        seen.location()
            .unwrap_or_default()
            .starts_with(&world.liar.issuer)
    );
    let choose = support::set(plain, "prompt", "select_account");
    assert!(
        visitor
            .get(&path(&choose))
            .await
            .body()
            .contains("Work email")
    );
}

/// Design §4 rule 4: two nodes that get one answer at once make one session.
#[tokio::test]
async fn one_sign_in_is_finished_on_one_node_only() {
    let world = World::start().await;
    let node = world.product.another_node().await;
    let away = world.leave(&request()).await;
    let token = world.liar.id_token(&world.product, &away.nonce).sign();
    let callback = world.callback(&[("code", "a-code"), ("state", &away.state)]);
    let mut there = away.visitor.clone();
    there.move_to(&format!("http://{}", node.address()));
    let mut here = away.visitor;

    world.liar.answer(token.clone());
    assert_eq!(here.get(&callback).await.status, 303);
    world.liar.answer(token);
    there
        .get(&callback)
        .await
        .assert_page(400, "invalid_request");
    node.stop().await;
}
