//! Refresh tokens.

use symbolon_protocol::ids::ClientId;
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::secret::Secret;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::grant::{self, Grant};
use symbolon_storage::refresh_token::{self, RefreshFamily, Rotation};
use symbolon_storage::{StorageError, Store};

use crate::fixture::{
    DAY, NOW, after, all_news, client, family, found, granted, new_family, person, refresh_secret,
    usable, write,
};
use crate::support::for_each_engine;

async fn rotate_as(
    store: &Store,
    token: &Secret,
    role: &IssuerRole,
    client: &ClientId,
    now: Timestamp,
) -> Rotation {
    let token = refresh_secret().read(token).expect("one of our tokens");
    write!(store, [role, client], |tx| {
        refresh_token::rotate(tx, &token, &role, &client, now).await
    })
}

pub(crate) async fn rotate(store: &Store, token: &Secret, now: Timestamp) -> Rotation {
    rotate_as(store, token, &IssuerRole::As, &client("desk-agent"), now).await
}

/// Uses a token that is good.
pub(crate) async fn rotated(
    store: &Store,
    token: &Secret,
    now: Timestamp,
) -> (Secret, RefreshFamily, bool) {
    match rotate(store, token, now).await {
        Rotation::Rotated {
            successor,
            family,
            is_first,
        } => (successor, *family, is_first),
        other => panic!("not rotated: {other:?}"),
    }
}

async fn issued(store: &Store) -> (Grant, Secret) {
    let grant = granted(store, &person(store, "ada").await).await;
    let token = family(store, &grant).await.unwrap();
    (grant, token)
}

/// AS-70, AS-72.
#[tokio::test]
async fn each_use_gives_a_successor_and_brings_back_what_it_is_bound_to() {
    for_each_engine(|store| async move {
        let (grant, first) = issued(&store).await;
        let (second, family, is_first) = rotated(&store, &first, after(60)).await;
        assert!(is_first);
        assert_eq!((family.bound, family.counter), (new_family(&grant), 1));
        assert_ne!(second, first);

        let (third, family, _) = rotated(&store, &second, after(120)).await;
        assert_eq!(family.counter, 2);
        assert!(usable(&store, &third, after(121)).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn within_the_overlap_the_same_client_gets_the_same_successor() {
    for_each_engine(|store| async move {
        let (_, first) = issued(&store).await;
        let (second, _, _) = rotated(&store, &first, after(60)).await;
        let (again, family, is_first) = rotated(&store, &first, after(70)).await;
        assert_eq!(again, second);
        assert_eq!((family.counter, is_first), (1, false));
        assert!(usable(&store, &first, after(70)).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_behind_does_not_make_a_replay() {
    for_each_engine(|store| async move {
        let (_, first) = issued(&store).await;
        let (second, _, _) = rotated(&store, &first, after(60)).await;
        let (again, _, _) = rotated(&store, &first, after(58)).await;
        assert_eq!(again, second);
    })
    .await;
}

/// AS-71, N-079.
#[tokio::test]
async fn a_token_that_is_used_again_later_ends_family_and_grant() {
    for_each_engine(|store| async move {
        let (grant, first) = issued(&store).await;
        let (second, _, _) = rotated(&store, &first, after(60)).await;
        let Rotation::Replayed { family } = rotate(&store, &first, after(71)).await else {
            panic!("the replay went unnoticed");
        };
        assert_eq!(family.bound.grant, grant.id);
        assert!(!found(&store, &grant.id).await.is_live());
        assert_eq!(usable(&store, &second, after(71)).await, None);
        assert_eq!(rotate(&store, &second, after(71)).await, Rotation::Unknown);
        assert_eq!(rotate(&store, &first, after(71)).await, Rotation::Unknown);
        assert_eq!(all_news(&store).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_token_two_uses_old_is_a_replay_even_within_the_overlap() {
    for_each_engine(|store| async move {
        let (_, first) = issued(&store).await;
        let (second, _, _) = rotated(&store, &first, after(60)).await;
        rotated(&store, &second, after(61)).await;
        assert!(matches!(
            rotate(&store, &first, after(62)).await,
            Rotation::Replayed { .. }
        ));
    })
    .await;
}

/// N-078, AS-72.
#[tokio::test]
async fn a_token_of_another_client_changes_nothing() {
    for_each_engine(|store| async move {
        let (_, first) = issued(&store).await;
        let other = client("other");
        let role = IssuerRole::As;
        assert_eq!(
            rotate_as(&store, &first, &role, &other, NOW).await,
            Rotation::NotYours
        );
        let (second, _, _) = rotated(&store, &first, after(60)).await;
        // Not even an old one.
        assert_eq!(
            rotate_as(&store, &first, &role, &other, after(90)).await,
            Rotation::NotYours
        );
        assert!(usable(&store, &second, after(90)).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_token_is_unknown_at_another_authorization_server() {
    for_each_engine(|store| async move {
        let (_, first) = issued(&store).await;
        let idp: IssuerRole = "idp/acme".parse().unwrap();
        let rotation = rotate_as(&store, &first, &idp, &client("desk-agent"), NOW).await;
        assert_eq!(rotation, Rotation::Unknown);
        assert!(usable(&store, &first, NOW).await.is_some());
    })
    .await;
}

/// AS-77.
#[tokio::test]
async fn a_family_ends_when_it_is_idle_for_a_week() {
    for_each_engine(|store| async move {
        let (_, first) = issued(&store).await;
        let (second, _, _) = rotated(&store, &first, after(7 * DAY - 1)).await;
        assert_eq!(
            rotate(&store, &second, after(14 * DAY - 1)).await,
            Rotation::Unknown
        );
        assert_eq!(usable(&store, &second, after(14 * DAY - 1)).await, None);
    })
    .await;
}

/// AS-77.
#[tokio::test]
async fn a_family_ends_after_a_month_however_it_is_used() {
    for_each_engine(|store| async move {
        let (_, mut token) = issued(&store).await;
        for use_number in 1..=4 {
            (token, _, _) = rotated(&store, &token, after(use_number * 6 * DAY)).await;
        }
        let (last, family, _) = rotated(&store, &token, after(30 * DAY - 1)).await;
        assert_eq!(
            (family.expires_at, family.idle_expires_at),
            (after(30 * DAY), after(30 * DAY))
        );
        assert_eq!(
            rotate(&store, &last, after(30 * DAY)).await,
            Rotation::Unknown
        );
    })
    .await;
}

#[tokio::test]
async fn a_token_of_a_revoked_grant_is_unknown_and_not_a_replay() {
    for_each_engine(|store| async move {
        let (grant, first) = issued(&store).await;
        write!(store, [], |tx| grant::revoke(tx, &grant.id, NOW).await);
        assert_eq!(rotate(&store, &first, NOW).await, Rotation::Unknown);
    })
    .await;
}

/// Design §4 rule 19: a backup was restored, and the token is from the time after it.
#[tokio::test]
async fn a_token_from_the_future_of_its_family_is_unknown() {
    for_each_engine(|store| async move {
        let (_, first) = issued(&store).await;
        let (second, _, _) = rotated(&store, &first, NOW).await;
        let third = rotated_in_vain(&store, &second).await;
        assert_eq!(rotate(&store, &third, NOW).await, Rotation::Unknown);
        assert_eq!(rotated(&store, &second, NOW).await.0, third);
    })
    .await;
}

/// Uses a token in a transaction that is lost afterwards; answers the successor all the same.
async fn rotated_in_vain(store: &Store, token: &Secret) -> Secret {
    let token = refresh_secret().read(token).unwrap();
    let (tell, told) = tokio::sync::oneshot::channel();
    let lost: Result<(), _> = store
        .write(move |tx| {
            Box::pin(async move {
                let (role, client) = (IssuerRole::As, client("desk-agent"));
                let _ = tell.send(refresh_token::rotate(tx, &token, &role, &client, NOW).await);
                Err(StorageError::Busy)
            })
        })
        .await;
    assert!(lost.is_err());
    match told.await.unwrap().unwrap() {
        Rotation::Rotated { successor, .. } => successor,
        other => panic!("not rotated: {other:?}"),
    }
}
