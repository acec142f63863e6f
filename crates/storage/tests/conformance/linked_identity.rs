//! Who somebody is at an identity provider.

use symbolon_storage::Store;
use symbolon_storage::linked_identity::{self, ExternalSubject, Linked, Provisioned};
use symbolon_storage::user::{self, User};

use crate::fixture::{
    ACME, GLOBEX, NOW, connection, organization, person, profile, read, subject, tombstone_secret,
    write,
};
use crate::support::for_each_engine;

async fn find(store: &Store, subject: &ExternalSubject) -> Option<User> {
    read!(store, [subject], |c| linked_identity::find(c, &subject)
        .await)
}

async fn provision(store: &Store, subject: &ExternalSubject) -> Provisioned {
    write!(store, [subject], |tx| {
        linked_identity::provision(tx, &subject, &profile("ada"), &tombstone_secret(), NOW).await
    })
}

async fn link(store: &Store, subject: &ExternalSubject, user: &User) -> Linked {
    write!(store, [subject, user], |tx| {
        linked_identity::link(tx, &subject, &user.id, &tombstone_secret(), NOW).await
    })
}

#[tokio::test]
async fn a_subject_is_provisioned_once() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        assert_eq!(find(&store, &subject("ada")).await, Some(ada.clone()));
        assert_eq!(
            provision(&store, &subject("ada")).await,
            Provisioned::Existing(ada)
        );
    })
    .await;
}

/// AS-120.
#[tokio::test]
async fn the_same_subject_elsewhere_is_somebody_else() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        for other in [
            ExternalSubject {
                connection: connection("branch"),
                ..subject("ada")
            },
            ExternalSubject {
                tenant: Some("tenant".to_owned()),
                ..subject("ada")
            },
            ExternalSubject {
                organization: organization(GLOBEX),
                ..subject("ada")
            },
            subject("Ada"),
        ] {
            assert_eq!(find(&store, &other).await, None, "{other:?}");
            let Provisioned::Created(user) = provision(&store, &other).await else {
                panic!("{other:?} exists");
            };
            assert_ne!(user.id, ada.id);
            assert_eq!(user.organization, other.organization);
        }
    })
    .await;
}

/// N-143.
#[tokio::test]
async fn a_disabled_person_is_found_and_not_created_again() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        crate::user::disable(&store, &ada).await;

        let Provisioned::Existing(found) = provision(&store, &subject("ada")).await else {
            panic!("ada was created again");
        };
        assert_eq!(found.id, ada.id);
        assert!(!found.is_active());
    })
    .await;
}

#[tokio::test]
async fn linking_gives_a_person_another_subject() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        assert_eq!(link(&store, &subject("ada2"), &ada).await, Linked::Linked);
        assert_eq!(link(&store, &subject("ada2"), &ada).await, Linked::Linked);
        assert_eq!(find(&store, &subject("ada2")).await, Some(ada.clone()));

        let subjects = read!(store, [ada], |c| linked_identity::list_of(c, &ada.id).await);
        assert_eq!(subjects.len(), 2);
        assert!(subjects.contains(&subject("ada")) && subjects.contains(&subject("ada2")));
    })
    .await;
}

/// AS-128.
#[tokio::test]
async fn linking_never_takes_a_subject_from_somebody() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let bob = person(&store, "bob").await;
        assert_eq!(link(&store, &subject("ada"), &bob).await, Linked::Taken);
        assert_eq!(find(&store, &subject("ada")).await, Some(ada));
    })
    .await;
}

#[tokio::test]
async fn only_active_people_of_the_organization_are_linked() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let elsewhere = ExternalSubject {
            organization: organization(GLOBEX),
            ..subject("a")
        };
        assert_eq!(link(&store, &elsewhere, &ada).await, Linked::NoUser);
        crate::user::disable(&store, &ada).await;
        assert_eq!(link(&store, &subject("a"), &ada).await, Linked::NoUser);
        assert_eq!(find(&store, &subject("a")).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_buried_subject_comes_back_only_when_an_administrator_says_so() {
    for_each_engine(|store| async move {
        let (buried, secret) = (subject("gone"), tombstone_secret());
        write!(store, [buried, secret], |tx| {
            linked_identity::insert_tombstone(tx, &buried, &secret, NOW).await
        });
        let bob = person(&store, "bob").await;
        assert_eq!(provision(&store, &buried).await, Provisioned::Buried);
        assert_eq!(link(&store, &buried, &bob).await, Linked::Buried);
        assert_eq!(find(&store, &buried).await, None);
        let organization = organization(ACME);
        let everybody = read!(store, [], |c| {
            user::list(c, &organization, &symbolon_storage::Page::first(10)).await
        });
        assert_eq!(everybody, [bob]);

        assert!(write!(store, [buried], |tx| {
            linked_identity::clear_tombstone(tx, &buried, &tombstone_secret()).await
        }));
        assert!(matches!(
            provision(&store, &buried).await,
            Provisioned::Created(_)
        ));
    })
    .await;
}
