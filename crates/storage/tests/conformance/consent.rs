//! Consents.

use symbolon_protocol::issuer::IssuerRole;
use symbolon_storage::consent::{self, ConsentKey};
use symbolon_storage::user::User;

use crate::fixture::{NOW, TRACKER, after, client, person, read, scopes, write};
use crate::support::for_each_engine;

fn key(user: &User) -> ConsentKey {
    ConsentKey {
        organization: user.organization.clone(),
        user: user.id.clone(),
        role: IssuerRole::As,
        client: client("desk-agent"),
        resource: TRACKER.to_owned(),
    }
}

/// AS-40.
#[tokio::test]
async fn a_consent_is_remembered_per_client_and_resource() {
    for_each_engine(|store| async move {
        let key = key(&person(&store, "ada").await);
        write!(store, [key], |tx| consent::put(
            tx,
            &key,
            &scopes("a b"),
            NOW
        )
        .await);

        let found = read!(store, [key], |c| consent::find(c, &key).await).unwrap();
        assert_eq!((found.scopes, found.given_at), (scopes("a b"), NOW));
        for other in [
            ConsentKey {
                client: client("other"),
                ..key.clone()
            },
            ConsentKey {
                resource: "https://id.example/mcp/files".to_owned(),
                ..key.clone()
            },
            ConsentKey {
                role: "idp/acme".parse().unwrap(),
                ..key.clone()
            },
        ] {
            assert_eq!(
                read!(store, [other], |c| consent::find(c, &other).await),
                None
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_later_consent_takes_the_place_of_the_earlier_one() {
    for_each_engine(|store| async move {
        let key = key(&person(&store, "ada").await);
        write!(store, [key], |tx| consent::put(
            tx,
            &key,
            &scopes("a b"),
            NOW
        )
        .await);
        write!(store, [key], |tx| consent::put(
            tx,
            &key,
            &scopes("c"),
            after(1)
        )
        .await);

        let found = read!(store, [key], |c| consent::find(c, &key).await).unwrap();
        assert_eq!((found.scopes, found.given_at), (scopes("c"), after(1)));
    })
    .await;
}

#[tokio::test]
async fn a_withdrawn_consent_is_gone() {
    for_each_engine(|store| async move {
        let key = key(&person(&store, "ada").await);
        write!(store, [key], |tx| consent::put(tx, &key, &scopes("a"), NOW)
            .await);

        assert!(write!(store, [key], |tx| consent::withdraw(tx, &key).await));
        assert!(!write!(store, [key], |tx| consent::withdraw(tx, &key).await));
        assert_eq!(read!(store, [key], |c| consent::find(c, &key).await), None);
    })
    .await;
}
