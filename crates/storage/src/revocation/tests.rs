//! Revocation on both engines: the rows, the news, the index, and the races between nodes.

use std::sync::Arc;
use std::time::Duration;

use symbolon_protocol::ids::{ClientId, GrantId, OrganizationId, SessionId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::time::Timestamp;

use super::*;
use crate::Store;
use crate::engine::{Record, Row, args};
use crate::follow::{Changes, Follower};
use crate::support::{for_each_engine, for_each_pair};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn user() -> UserId {
    UserId::parse("ada").unwrap()
}

fn grant(number: u8) -> GrantId {
    GrantId::parse(&format!("grant-{number}")).unwrap()
}

fn session() -> SessionId {
    SessionId::parse("session-1").unwrap()
}

fn client() -> ClientId {
    ClientId::parse("desk-agent").unwrap()
}

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

/// A token of ada, issued at a time.
fn is_refused(index: &RevocationIndex, issued_at: Timestamp) -> bool {
    index.is_revoked(&TokenFacts {
        grant: Some(&grant(1)),
        user: Some(&user()),
        client: Some((&IssuerRole::As, &client())),
        session: Some(&session()),
        organization: Some(&acme()),
        issued_at,
    })
}

async fn insert_grant(tx: &mut Transaction, number: u8) -> Result<(), StorageError> {
    crate::user::hold(tx, &acme(), &user()).await?;
    tx.execute(
        "INSERT INTO grants (id, key, role, organization, user_id, client_id, resource, origin,
                             scopes, session_id, created_at, last_used_at)
         VALUES ($1, $2, 'as', 'acme', 'ada', 'desk-agent', 'https://a.example', 'sign_in', 'a',
                 'session-1', $3, $3)",
        args![&grant(number), vec![number], NOW],
    )
    .await?;
    tx.execute(
        "INSERT INTO refresh_family
             (id, grant_id, role, organization, client_id, user_id, session_id, scopes, amr,
              counter, created_at, rotated_at, expires_at, idle_expires_at)
         VALUES ($1, $1, 'as', 'acme', 'desk-agent', 'ada', 'session-1', 'a', '', 0, $2, $2, $2, $2)",
        args![&grant(number), NOW],
    )
    .await?;
    Ok(())
}

/// Ada with one session and two grants, each with a refresh token.
async fn populate(store: &Store) {
    store
        .write::<_, StorageError, _>(|tx| {
            Box::pin(async move {
                tx.execute(
                    "INSERT INTO users (id, organization, state, created_at)
                     VALUES ('ada', 'acme', 'active', $1)",
                    args![NOW],
                )
                .await?;
                tx.execute(
                    "INSERT INTO session (id, token_hash, role, organization, user_id, connection,
                                          amr, created_at, expires_at)
                     VALUES ('session-1', $1, 'as', 'acme', 'ada', 'acme-oidc', '', $2, $2)",
                    args![vec![1u8], NOW],
                )
                .await?;
                insert_grant(tx, 1).await?;
                insert_grant(tx, 2).await
            })
        })
        .await
        .unwrap();
}

async fn revoke_now(store: &Store, subject: Subject) -> Revoked {
    store
        .write(move |tx| {
            Box::pin(async move { revoke(tx, &subject, "a test", &By::system(), NOW).await })
        })
        .await
        .unwrap_or_else(|error: StorageError| panic!("{error:?}"))
}

struct Living {
    grants: i64,
    families: i64,
    sessions: i64,
}

impl Record for Living {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            grants: row.get("grants")?,
            families: row.get("families")?,
            sessions: row.get("sessions")?,
        })
    }
}

async fn living(store: &Store) -> (i64, i64, i64) {
    let sql = "SELECT (SELECT count(*) FROM grants WHERE revoked_at IS NULL) AS grants,
                   (SELECT count(*) FROM refresh_family WHERE revoked_at IS NULL) AS families,
                   (SELECT count(*) FROM session WHERE ended_at IS NULL) AS sessions";
    let living: Living = store
        .read(move |c| Box::pin(async move { c.fetch_one(sql, args![]).await }))
        .await
        .unwrap_or_else(|error: StorageError| panic!("{error:?}"));
    (living.grants, living.families, living.sessions)
}

#[tokio::test]
async fn each_subject_ends_what_hangs_on_it() {
    let cases = [
        (Subject::Grant(grant(1)), (1, 1, 1)),
        (Subject::User(user()), (0, 0, 0)),
        (Subject::Client(IssuerRole::As, client()), (0, 0, 1)),
        (
            Subject::Client(IssuerRole::Idp(acme()), client()),
            (2, 2, 1),
        ),
        (Subject::Session(session()), (2, 0, 0)),
        (Subject::Organization(acme()), (0, 0, 0)),
    ];
    for (subject, left) in cases {
        for_each_engine(|store| {
            let subject = subject.clone();
            async move {
                populate(&store).await;
                revoke_now(&store, subject.clone()).await;
                assert_eq!(living(&store).await, left, "{subject:?}");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_revocation_reaches_the_other_node_with_its_next_read() {
    let subjects = [
        Subject::Grant(grant(1)),
        Subject::User(user()),
        Subject::Client(IssuerRole::As, client()),
        Subject::Session(session()),
        Subject::Organization(acme()),
    ];
    for subject in subjects {
        for_each_pair(|first, second| {
            let subject = subject.clone();
            async move {
                populate(&first).await;
                let index = Arc::new(RevocationIndex::default());
                let mut follower = Follower::start(second, index.clone(), NOW).await.unwrap();
                assert!(!is_refused(&index, NOW));

                revoke_now(&first, subject.clone()).await;
                let changes = follower.poll(NOW).await.unwrap();

                assert!(changes.revocations);
                assert!(is_refused(&index, NOW), "{subject:?}");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_node_that_starts_later_knows_what_was_revoked_before() {
    for_each_engine(|store| async move {
        populate(&store).await;
        revoke_now(&store, Subject::User(user())).await;
        let index = Arc::new(RevocationIndex::default());
        Follower::start(store.clone(), index.clone(), NOW)
            .await
            .unwrap();
        assert!(is_refused(&index, NOW));

        let much_later = NOW.plus(Duration::from_secs(2 * 60 * 60));
        let index = Arc::new(RevocationIndex::default());
        Follower::start(store, index.clone(), much_later)
            .await
            .unwrap();
        assert!(!is_refused(&index, NOW), "the token has expired long ago");
    })
    .await;
}

#[tokio::test]
async fn what_a_user_is_granted_after_a_revocation_is_not_touched() {
    for_each_engine(|store| async move {
        populate(&store).await;
        let revoked = revoke_now(&store, Subject::User(user())).await;
        assert_eq!((revoked.grants, revoked.sessions), (2, 1));
        let index = Arc::new(RevocationIndex::default());
        Follower::start(store, index.clone(), NOW).await.unwrap();
        let later = TokenFacts {
            grant: Some(&grant(3)),
            user: Some(&user()),
            client: None,
            session: None,
            organization: None,
            issued_at: NOW.plus(Duration::from_secs(1)),
        };
        assert!(!index.is_revoked(&later));
        assert!(index.is_revoked(&TokenFacts {
            issued_at: NOW,
            ..later
        }));
    })
    .await;
}

#[tokio::test]
async fn a_token_of_a_faster_request_does_not_outlive_the_revocation() {
    for_each_engine(|store| async move {
        populate(&store).await;
        let later = NOW.plus(Duration::from_millis(3));
        let used = "UPDATE grants SET last_used_at = $1";
        store
            .write::<_, StorageError, _>(move |tx| Box::pin(tx.execute(used, args![later])))
            .await
            .unwrap();
        assert_eq!(revoke_now(&store, Subject::User(user())).await.at, later);
    })
    .await;
}

#[tokio::test]
async fn a_grant_that_is_being_written_does_not_escape() {
    for subject in [Subject::User(user()), Subject::Organization(acme())] {
        for_each_pair(|first, second| grant_while_revoking(first, second, subject.clone())).await;
    }
}

async fn grant_while_revoking(first: Store, second: Store, subject: Subject) {
    populate(&first).await;
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go, may_go) = tokio::sync::oneshot::channel::<()>();
    let granting = tokio::spawn(async move {
        first
            .write::<_, StorageError, _>(move |tx| {
                Box::pin(async move {
                    insert_grant(tx, 3).await?;
                    let _ = begun.send(());
                    let _ = may_go.await;
                    Ok(())
                })
            })
            .await
    });
    has_begun.await.unwrap();
    let revoking = revoke_now(&second, subject);
    let (revoked, ()) = tokio::join!(revoking, async {
        tokio::task::yield_now().await;
        let _ = go.send(());
    });
    granting.await.unwrap().unwrap();
    assert_eq!(revoked.grants, 3);
    assert_eq!(living(&second).await, (0, 0, 0));
}

#[tokio::test]
async fn every_grant_of_an_organization_is_named_in_the_news() {
    for_each_engine(|store| async move {
        populate(&store).await;
        store
            .write::<_, StorageError, _>(|tx| {
                Box::pin(async move {
                    for number in 3..=150 {
                        insert_grant(tx, number).await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
        let index = Arc::new(RevocationIndex::default());
        let mut follower = Follower::start(store.clone(), index.clone(), NOW)
            .await
            .unwrap();
        let revoked = revoke_now(&store, Subject::Organization(acme())).await;
        assert_eq!(revoked.grants, 150);
        follower.poll(NOW).await.unwrap();
        let later = NOW.plus(Duration::from_secs(60));
        for number in 1..=150 {
            let token = TokenFacts {
                grant: Some(&grant(number)),
                user: None,
                client: None,
                session: None,
                organization: None,
                issued_at: later,
            };
            assert!(index.is_revoked(&token), "grant {number}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_index_without_a_recent_read_is_not_fresh() {
    for_each_engine(|store| async move {
        let index = Arc::new(RevocationIndex::default());
        assert!(!index.is_fresh(NOW));
        let mut follower = Follower::start(store.clone(), index.clone(), NOW)
            .await
            .unwrap();
        assert!(index.is_fresh(NOW.plus(Duration::from_secs(1))));
        let later = NOW.plus(Duration::from_millis(1001));
        assert!(!index.is_fresh(later));
        assert_eq!(follower.poll(later).await.unwrap(), Changes::default());
        assert!(index.is_fresh(later));
        store.close().await;
        let last = later.plus(Duration::from_secs(2));
        follower.poll(last).await.unwrap_err();
        assert!(!index.is_fresh(last), "a read that failed does not count");
    })
    .await;
}

#[tokio::test]
async fn an_entry_is_forgotten_when_its_last_token_has_expired() {
    for_each_engine(|store| async move {
        populate(&store).await;
        revoke_now(&store, Subject::Grant(grant(1))).await;
        let index = Arc::new(RevocationIndex::default());
        let mut follower = Follower::start(store, index.clone(), NOW).await.unwrap();
        follower
            .poll(NOW.plus(Duration::from_secs(65 * 60)))
            .await
            .unwrap();
        assert!(is_refused(&index, NOW));
        follower
            .poll(NOW.plus(Duration::from_secs(65 * 60 + 1)))
            .await
            .unwrap();
        assert!(!is_refused(&index, NOW));
    })
    .await;
}

#[tokio::test]
async fn open_streams_are_told() {
    for_each_engine(|store| async move {
        populate(&store).await;
        let index = Arc::new(RevocationIndex::default());
        let mut follower = Follower::start(store.clone(), index.clone(), NOW)
            .await
            .unwrap();
        let mut changes = index.subscribe();
        follower.poll(NOW).await.unwrap();
        assert!(!changes.has_changed().unwrap());
        revoke_now(&store, Subject::Grant(grant(1))).await;
        follower.poll(NOW).await.unwrap();
        changes.changed().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_revocation_is_audited_in_its_organization() {
    for_each_engine(|store| async move {
        populate(&store).await;
        revoke_now(&store, Subject::Grant(grant(1))).await;
        let filter = audit::Filter {
            scope: audit::Scope::Organization(acme()),
            action: Some("access.revoked".to_owned()),
            ..audit::Filter::default()
        };
        let page = store
            .read(|c| Box::pin(async move { audit::list(c, &filter, None, 9).await }))
            .await
            .unwrap();
        let details: serde_json::Value = serde_json::from_str(&page.events[0].details).unwrap();
        assert_eq!(
            details,
            serde_json::json!({
                "grant": "grant-1", "grants": 1, "kind": "grant", "reason": "a test", "sessions": 0
            })
        );
    })
    .await;
}
