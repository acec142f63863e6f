//! People: finding, listing, disabling and deleting them.

use symbolon_protocol::ids::UserId;
use symbolon_storage::audit::By;
use symbolon_storage::authorization_code::{self, Redeemed};
use symbolon_storage::linked_identity::{self, Provisioned};
use symbolon_storage::news::Topic;
use symbolon_storage::revocation::SubjectKind;
use symbolon_storage::user::{self, Profile, User, UserState};
use symbolon_storage::{Page, Store};

use crate::fixture::{
    ACME, GLOBEX, NOW, after, all_news, family, found, granted, new_code, organization, person,
    profile, read, session, subject, tombstone_secret, upserted, usable, write,
};
use crate::support::for_each_engine;

pub(crate) async fn disable(store: &Store, user: &User) -> bool {
    write!(store, [user], |tx| {
        user::disable(tx, &user.organization, &user.id, &By::system(), NOW).await
    })
}

async fn find(store: &Store, user: &User) -> Option<User> {
    read!(store, [user], |c| user::find(
        c,
        &user.organization,
        &user.id
    )
    .await)
}

async fn emails(store: &Store, organization_id: &str, email: &'static str) -> Vec<UserId> {
    let organization = organization(organization_id);
    let found = read!(store, [], |c| user::find_by_email(c, &organization, email)
        .await);
    found.into_iter().map(|user| user.id).collect()
}

#[tokio::test]
async fn a_person_is_found_in_her_own_organization_only() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        assert_eq!(find(&store, &ada).await, Some(ada.clone()));

        let stranger = User {
            organization: organization(GLOBEX),
            ..ada.clone()
        };
        assert_eq!(find(&store, &stranger).await, None);
        let anywhere = read!(store, [ada], |c| user::find_anywhere(c, &ada.id).await);
        assert_eq!(anywhere, Some(ada));
    })
    .await;
}

#[tokio::test]
async fn an_address_is_compared_without_case_and_is_not_unique() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let second = write!(store, [], |tx| {
            let profile = Profile {
                email: Some("Ada@ACME.example".to_owned()),
                name: None,
            };
            user::insert(tx, &organization(ACME), &profile, after(1)).await
        });
        let both = [ada.id, second.id];
        assert_eq!(emails(&store, ACME, "ADA@acme.example").await, both);
        assert_eq!(emails(&store, GLOBEX, "ada@acme.example").await, []);
    })
    .await;
}

#[tokio::test]
async fn what_the_identity_provider_does_not_say_stays() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let renamed = Profile {
            email: None,
            name: Some("Ada L.".to_owned()),
        };
        for _ in 0..2 {
            write!(store, [ada, renamed], |tx| user::update(
                tx, &ada.id, &renamed, NOW
            )
            .await);
        }
        let now = find(&store, &ada).await.unwrap();
        assert_eq!(
            (now.email, now.name.as_deref()),
            (ada.email, Some("Ada L."))
        );
        // Nodes hear of the change, not of the repetition.
        assert_eq!(all_news(&store).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_text_too_long_for_an_address_is_none() {
    for_each_engine(|store| async move {
        let profile = Profile {
            email: Some("a".repeat(321)),
            name: Some("ä".repeat(300)),
        };
        let user = write!(store, [], |tx| {
            user::insert(tx, &organization(ACME), &profile, NOW).await
        });
        assert_eq!((user.email, user.name), (None, Some("ä".repeat(256))));
    })
    .await;
}

#[tokio::test]
async fn pages_show_everybody_once() {
    for_each_engine(|store| async move {
        for number in 0..7 {
            person(&store, &format!("person {number}")).await;
        }
        let organization = organization(ACME);
        let mut seen = Vec::new();
        let mut page = Page::first(3);
        loop {
            let users = read!(store, [organization, page], |c| user::list(
                c,
                &organization,
                &page
            )
            .await);
            let Some(last) = users.last() else { break };
            page = Page::after(last.id.clone(), 3);
            assert!(users.len() <= 3);
            seen.extend(users.into_iter().map(|user| user.name.unwrap()));
        }
        seen.sort();
        assert_eq!(
            seen,
            (0..7)
                .map(|number| format!("person {number}"))
                .collect::<Vec<_>>()
        );
    })
    .await;
}

/// AS-77, AS-195.
#[tokio::test]
async fn disabling_a_person_ends_everything() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let (_, cookie) = session(&store, &ada).await;
        let grant = granted(&store, &ada).await;
        let token = family(&store, &grant).await.unwrap();
        let code = new_code(&grant);
        write!(store, [], |tx| authorization_code::insert(
            tx, &[7; 32], &code
        )
        .await);

        assert!(disable(&store, &ada).await);

        assert_eq!(find(&store, &ada).await.unwrap().state, UserState::Disabled);
        let role = symbolon_protocol::issuer::IssuerRole::As;
        let running = read!(store, [], |c| {
            symbolon_storage::session::find(c, &role, &cookie, NOW).await
        });
        assert_eq!(running, None);
        assert!(!found(&store, &grant.id).await.is_live());
        assert_eq!(usable(&store, &token, NOW).await, None);
        let redeemed = write!(store, [], |tx| authorization_code::redeem(
            tx, &[7; 32], NOW
        )
        .await);
        assert_eq!(redeemed, Redeemed::Unknown);
        assert!(nodes_heard(&store, SubjectKind::Grant, grant.id.as_str()).await);
        assert!(nodes_heard(&store, SubjectKind::User, ada.id.as_str()).await);
    })
    .await;
}

async fn nodes_heard(store: &Store, kind: SubjectKind, subject: &str) -> bool {
    let news = all_news(store).await;
    news.iter()
        .any(|news| news.topic == Topic::Revoked(kind) && news.subject == subject)
}

#[tokio::test]
async fn a_disabled_person_is_disabled_once_and_gets_nothing() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        assert!(disable(&store, &ada).await);
        assert!(!disable(&store, &ada).await);
        let new = crate::fixture::new_grant(&ada, "issues:read");
        assert_eq!(upserted(&store, &new, NOW).await, None);
    })
    .await;
}

#[tokio::test]
async fn an_enabled_person_starts_afresh() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let before = granted(&store, &ada).await;
        disable(&store, &ada).await;
        assert!(write!(store, [ada], |tx| user::enable(
            tx,
            &ada.organization,
            &ada.id
        )
        .await));

        let afterwards = granted(&store, &ada).await;
        assert_ne!(afterwards.id, before.id);
        assert!(!found(&store, &before.id).await.is_live());
    })
    .await;
}

/// N-143, AS-129.
#[tokio::test]
async fn a_deleted_person_leaves_a_tombstone_and_nothing_else() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let grant = granted(&store, &ada).await;
        let (subject, secret) = (subject("ada"), tombstone_secret());
        assert!(write!(store, [ada, secret], |tx| {
            user::delete(tx, &ada.organization, &ada.id, &secret, &By::system(), NOW).await
        }));

        assert_eq!(find(&store, &ada).await, None);
        let id = grant.id;
        assert_eq!(
            read!(store, [], |c| symbolon_storage::grant::find(c, &id).await),
            None
        );
        assert!(nodes_heard(&store, SubjectKind::User, ada.id.as_str()).await);
        let again = write!(store, [], |tx| {
            linked_identity::provision(tx, &subject, &profile("ada"), &secret, NOW).await
        });
        assert_eq!(again, Provisioned::Buried);
        assert_eq!(emails(&store, ACME, "ada@acme.example").await, []);
    })
    .await;
}
