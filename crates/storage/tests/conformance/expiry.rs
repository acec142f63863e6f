//! Sweeping up.

use symbolon_storage::authorization_code::{self, Redeemed};
use symbolon_storage::single_use::{self, SingleUse};
use symbolon_storage::{Store, expiry, grant};

use crate::fixture::{
    DAY, HOUR, NOW, after, family, granted, new_code, new_grant, person, read, session, upserted,
    usable, write,
};
use crate::support::for_each_engine;

async fn claim(store: &Store, value: String, seconds: u64) -> bool {
    write!(store, [], |tx| {
        single_use::claim(tx, SingleUse::IdJag, "issuer", &value, after(seconds)).await
    })
}

#[tokio::test]
async fn what_has_expired_is_removed_in_batches_and_the_rest_stays() {
    for_each_engine(|store| async move {
        write!(store, [], |tx| {
            for number in 0..1201 {
                let value = number.to_string();
                single_use::claim(tx, SingleUse::IdJag, "issuer", &value, after(60)).await?;
            }
            Ok::<_, symbolon_storage::StorageError>(())
        });
        claim(&store, "later".to_owned(), 61).await;

        assert_eq!(expiry::sweep(&store, after(59)).await.unwrap(), 0);
        assert_eq!(expiry::sweep(&store, after(60)).await.unwrap(), 1201);
        assert!(!claim(&store, "later".to_owned(), 61).await);
    })
    .await;
}

/// AS-31: a code is remembered for a day, so that a late second use still revokes.
#[tokio::test]
async fn a_code_is_remembered_for_a_day() {
    for_each_engine(|store| async move {
        let grant = granted(&store, &person(&store, "ada").await).await;
        let code = new_code(&grant);
        write!(store, [], |tx| authorization_code::insert(
            tx, &[7; 32], &code
        )
        .await);
        let redeem = async |now| {
            write!(store, [], |tx| authorization_code::redeem(
                tx, &[7; 32], now
            )
            .await)
        };
        assert!(matches!(redeem(NOW).await, Redeemed::Once(_)));

        expiry::sweep(&store, after(DAY)).await.unwrap();
        assert!(matches!(
            redeem(after(DAY)).await,
            Redeemed::AlreadyUsed { .. }
        ));
        expiry::sweep(&store, after(DAY + 60)).await.unwrap();
        assert_eq!(redeem(after(DAY + 60)).await, Redeemed::Unknown);
    })
    .await;
}

#[tokio::test]
async fn a_session_stays_as_long_as_its_refresh_tokens() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let (session, _) = session(&store, &ada).await;
        let mut new = new_grant(&ada, "a");
        new.session = Some(session.id.clone());
        let grant = upserted(&store, &new, NOW).await.unwrap();
        let token = family(&store, &grant).await.unwrap();

        // The session has expired, its family has not.
        assert_eq!(expiry::sweep(&store, after(8 * HOUR)).await.unwrap(), 0);
        assert!(usable(&store, &token, after(8 * HOUR)).await.is_some());
        // Family first, then the session.
        assert_eq!(expiry::sweep(&store, after(7 * DAY)).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_grant_stays_ninety_days_for_reviews() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let revoked = granted(&store, &ada).await.id;
        write!(store, [revoked], |tx| grant::revoke(tx, &revoked, NOW)
            .await);
        let live = granted(&store, &ada).await.id;

        expiry::sweep(&store, after(90 * DAY - 1)).await.unwrap();
        assert!(read!(store, [revoked], |c| grant::find(c, &revoked).await).is_some());
        expiry::sweep(&store, after(90 * DAY)).await.unwrap();
        assert!(read!(store, [revoked], |c| grant::find(c, &revoked).await).is_none());
        assert!(read!(store, [live], |c| grant::find(c, &live).await).is_some());
    })
    .await;
}
