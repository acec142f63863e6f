//! The audit trail on both engines: nothing is lost, and every change is found.

use std::sync::Arc;

use symbolon_protocol::ids::{KeyId, OrganizationId};
use symbolon_protocol::jose::{Algorithm, JwkSet, SigningKey};
use symbolon_protocol::time::Timestamp;

use super::*;
use crate::engine::args;
use crate::support::{for_each_engine, for_each_pair};
use crate::{StorageError, Store};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const DEPLOYMENT: &str = "a-deployment";

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

fn key() -> Arc<SigningKey> {
    let pkcs8 = SigningKey::generate(Algorithm::Es256).unwrap();
    Arc::new(SigningKey::from_pkcs8(Algorithm::Es256, KeyId::generate(), &pkcs8).unwrap())
}

fn event(number: i64) -> AuditEvent {
    AuditEvent::new(Action::REVOKED, &By::system(), NOW)
        .of(&acme())
        .with("number", number)
}

async fn append_events(store: &Store, count: i64) {
    store
        .write::<_, StorageError, _>(move |tx| {
            Box::pin(async move {
                for number in 1..=count {
                    append(tx, &event(number)).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn sealed(store: &Store, count: i64) -> Arc<SigningKey> {
    let key = key();
    append_events(store, count).await;
    assert_eq!(
        sealer::seal(store, DEPLOYMENT, &key, NOW).await.unwrap(),
        count as u64
    );
    key
}

async fn report(store: &Store, key: &SigningKey) -> Report {
    let keys = JwkSet::from_keys([key.jwk()]);
    store
        .read(|c| Box::pin(async move { verify(c, DEPLOYMENT, "acme", &keys, None).await }))
        .await
        .unwrap()
}

async fn run(store: &Store, sql: &'static str) {
    let changed = store
        .write(move |tx| Box::pin(tx.execute(sql, args![])))
        .await;
    let changed: u64 = changed.unwrap_or_else(|error: StorageError| panic!("{error:?}"));
    assert!(changed > 0);
}

/// Seals ten events, lets somebody change the database, and answers what verifying finds.
async fn faults_after(store: &Store, changes: &[&'static str]) -> Vec<Fault> {
    let key = sealed(store, 10).await;
    for sql in changes {
        run(store, sql).await;
    }
    report(store, &key).await.faults
}

#[tokio::test]
async fn a_sealed_chain_verifies() {
    for_each_engine(|store| async move {
        let key = sealed(&store, 100).await;
        append_events(&store, 3).await;
        let report = report(&store, &key).await;
        assert_eq!(
            report,
            Report {
                events: 100,
                checkpoints: 1,
                waiting: 3,
                faults: vec![]
            }
        );
    })
    .await;
}

#[tokio::test]
async fn a_chain_goes_on_where_it_ended() {
    for_each_engine(|store| async move {
        let key = sealed(&store, 2).await;
        append_events(&store, 1500).await;
        let later = NOW.plus(std::time::Duration::from_secs(90));
        assert_eq!(
            sealer::seal(&store, DEPLOYMENT, &key, later).await.unwrap(),
            1500
        );
        assert_eq!(
            sealer::seal(&store, DEPLOYMENT, &key, later).await.unwrap(),
            0
        );
        let report = report(&store, &key).await;
        assert_eq!((report.events, report.checkpoints), (1502, 2));
        assert_eq!(report.faults, []);
    })
    .await;
}

#[tokio::test]
async fn two_sealers_make_one_chain() {
    for_each_pair(|first, second| async move {
        let key = key();
        for _ in 0..20 {
            append_events(&first, 5).await;
            let (a, b) = tokio::join!(
                sealer::seal(&first, DEPLOYMENT, &key, NOW),
                sealer::seal(&second, DEPLOYMENT, &key, NOW)
            );
            assert_eq!(a.unwrap() + b.unwrap(), 5);
        }
        let report = report(&second, &key).await;
        assert_eq!((report.events, report.faults), (100, vec![]));
    })
    .await;
}

#[tokio::test]
async fn an_event_that_commits_late_is_not_skipped() {
    for_each_pair(|first, second| async move {
        let key = key();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (go, may_go) = tokio::sync::oneshot::channel::<()>();
        let late = tokio::spawn(async move {
            first
                .write::<_, StorageError, _>(move |tx| {
                    Box::pin(async move {
                        append(tx, &event(1)).await?;
                        let _ = begun.send(());
                        let _ = may_go.await;
                        Ok(())
                    })
                })
                .await
        });
        has_begun.await.unwrap();
        // On PostgreSQL others commit meanwhile; on SQLite they wait, which is in order as well.
        let early = async {
            append_events(&second, 1).await;
            sealer::seal(&second, DEPLOYMENT, &key, NOW).await.unwrap();
        };
        let ((), _) = tokio::join!(early, async {
            tokio::task::yield_now().await;
            let _ = go.send(());
        });
        late.await.unwrap().unwrap();
        sealer::seal(&second, DEPLOYMENT, &key, NOW).await.unwrap();
        let report = report(&second, &key).await;
        assert_eq!(
            (report.events, report.waiting, report.faults),
            (2, 0, vec![])
        );
    })
    .await;
}

#[tokio::test]
async fn an_edited_event_is_found() {
    for_each_engine(|store| async move {
        let edit = "UPDATE audit_event SET actor = 'user/bob' WHERE position = 4";
        assert_eq!(faults_after(&store, &[edit]).await, [Fault::Changed(4)]);
    })
    .await;
}

#[tokio::test]
async fn a_removed_event_is_found() {
    for_each_engine(|store| async move {
        let remove = "DELETE FROM audit_event WHERE position IN (4, 5)";
        assert_eq!(
            faults_after(&store, &[remove]).await,
            [Fault::Missing(4..=5)]
        );
    })
    .await;
}

#[tokio::test]
async fn removing_an_event_and_closing_the_gap_is_found() {
    for_each_engine(|store| async move {
        let faults = faults_after(
            &store,
            &[
                "DELETE FROM audit_event WHERE position = 10",
                "UPDATE audit_event SET position = 10 WHERE position = 9",
            ],
        )
        .await;
        assert_eq!(faults[0], Fault::Missing(9..=9));
    })
    .await;
}

#[tokio::test]
async fn removing_the_end_is_found() {
    for_each_engine(|store| async move {
        let faults = faults_after(
            &store,
            &[
                "DELETE FROM audit_event WHERE position > 8",
                "UPDATE audit_chain SET position = 8",
            ],
        )
        .await;
        assert_eq!(faults, [Fault::Truncated(10)]);
    })
    .await;
}

#[tokio::test]
async fn events_that_changed_places_are_found() {
    for_each_engine(|store| async move {
        let faults = faults_after(
            &store,
            &[
                "UPDATE audit_event SET position = 99 WHERE position = 4",
                "UPDATE audit_event SET position = 4 WHERE position = 5",
                "UPDATE audit_event SET position = 5 WHERE position = 99",
            ],
        )
        .await;
        assert_eq!(faults, [4, 5, 6].map(Fault::Changed));
    })
    .await;
}

#[tokio::test]
async fn an_inserted_event_is_found() {
    for_each_engine(|store| async move {
        let faults = faults_after(
            &store,
            &["INSERT INTO audit_event
                   (organization, at, actor, action, outcome, request_id, details, position, hash)
               SELECT organization, at, 'user/eve', action, outcome, request_id, details, 11, hash
               FROM audit_event WHERE position = 10"],
        )
        .await;
        assert_eq!(faults, [Fault::Changed(11), Fault::Unsigned(11)]);
    })
    .await;
}

#[tokio::test]
async fn a_broken_checkpoint_is_found() {
    for_each_engine(|store| async move {
        let forged = "UPDATE audit_checkpoint SET statement = replace(statement, '.', '.e')";
        assert_eq!(
            faults_after(&store, &[forged]).await,
            [Fault::Checkpoint(10)]
        );
    })
    .await;
}

#[tokio::test]
async fn a_chain_that_was_computed_anew_is_found() {
    for_each_engine(|store| async move {
        let key = sealed(&store, 10).await;
        run(
            &store,
            "UPDATE audit_event SET actor = 'user/eve' WHERE position = 4",
        )
        .await;
        run(
            &store,
            "UPDATE audit_event SET position = NULL, hash = NULL",
        )
        .await;
        run(&store, "DELETE FROM audit_chain").await;
        run(&store, "DELETE FROM audit_checkpoint").await;
        let forger = self::key();
        sealer::seal(&store, DEPLOYMENT, &forger, NOW)
            .await
            .unwrap();
        assert_eq!(report(&store, &key).await.faults, [Fault::Checkpoint(10)]);
    })
    .await;
}

#[tokio::test]
async fn removing_the_checkpoints_is_found() {
    for_each_engine(|store| async move {
        let faults = faults_after(&store, &["DELETE FROM audit_checkpoint"]).await;
        assert_eq!(faults, [Fault::Unsigned(10)]);
    })
    .await;
}

#[tokio::test]
async fn a_range_can_be_verified_alone() {
    for_each_engine(|store| async move {
        let key = sealed(&store, 10).await;
        run(
            &store,
            "UPDATE audit_event SET actor = 'user/eve' WHERE position = 2",
        )
        .await;
        let keys = JwkSet::from_keys([key.jwk()]);
        let verify_range = |range| {
            let keys = keys.clone();
            store.read(|c| {
                Box::pin(async move { verify(c, DEPLOYMENT, "acme", &keys, Some(range)).await })
            })
        };
        assert_eq!(
            verify_range(1..=5).await.unwrap().faults,
            [Fault::Changed(2)]
        );
        let later = verify_range(5..=10).await.unwrap();
        assert_eq!((later.events, later.faults), (6, vec![]));
    })
    .await;
}

#[tokio::test]
async fn the_journal_writes_what_it_took() {
    for_each_engine(|store| async move {
        let journal = Journal::start(store.clone(), CAPACITY);
        for number in 0..100 {
            journal.push(event(number)).unwrap();
        }
        journal.flush().await.unwrap();
        let key = key();
        assert_eq!(
            sealer::seal(&store, DEPLOYMENT, &key, NOW).await.unwrap(),
            100
        );
    })
    .await;
}

#[tokio::test]
async fn a_full_journal_refuses() {
    for_each_engine(|store| async move {
        let journal = Journal::start(store, 2);
        // Nothing is awaited: the writing task cannot take anything.
        let pushed: Vec<_> = (0..3).map(|number| journal.push(event(number))).collect();
        assert_eq!(pushed, [Ok(()), Ok(()), Err(JournalFull)]);
    })
    .await;
}

#[tokio::test]
async fn events_are_listed_in_pages_the_newest_first() {
    for_each_engine(|store| async move {
        append_events(&store, 5).await;
        let filter = Filter {
            scope: Scope::Organization(acme()),
            ..Filter::default()
        };
        let page = |after| {
            let filter = filter.clone();
            store.read(move |c| Box::pin(async move { list(c, &filter, after, 2).await }))
        };
        let details = |page: &Page| -> Vec<String> {
            page.events
                .iter()
                .map(|event| event.details.clone())
                .collect()
        };
        let first = page(None).await.unwrap();
        assert_eq!(details(&first), [r#"{"number":5}"#, r#"{"number":4}"#]);
        let second = page(first.next).await.unwrap();
        let third = page(second.next).await.unwrap();
        assert_eq!(
            (details(&third), third.next),
            (vec![r#"{"number":1}"#.to_owned()], None)
        );
    })
    .await;
}

#[tokio::test]
async fn a_filter_finds_what_it_names_and_nothing_else() {
    for_each_engine(|store| async move {
        append_events(&store, 12).await;
        let count = |filter: Filter| {
            let store = store.clone();
            async move {
                let page =
                    store.read(|c| Box::pin(async move { list(c, &filter, None, 100).await }));
                page.await.unwrap().events.len()
            }
        };
        let mentions = |text: &str| Filter {
            mentions: Some(text.into()),
            ..Filter::default()
        };
        assert_eq!(count(Filter::default()).await, 12);
        assert_eq!(count(mentions("\"number\":1}")).await, 1);
        assert_eq!(count(mentions("%")).await, 0);
        assert_eq!(
            count(Filter {
                scope: Scope::Deployment,
                ..Filter::default()
            })
            .await,
            0
        );
        assert_eq!(
            count(Filter {
                before: Some(NOW),
                ..Filter::default()
            })
            .await,
            0
        );
        assert_eq!(
            count(Filter {
                from: Some(NOW),
                ..Filter::default()
            })
            .await,
            12
        );
        let denied = Filter {
            outcome: Some("denied".into()),
            ..Filter::default()
        };
        assert_eq!(count(denied).await, 0);
    })
    .await;
}

#[tokio::test]
async fn failures_of_strangers_make_one_event_a_minute() {
    for_each_engine(|store| async move {
        let failures = StrangerFailures::default();
        let source = |last: u8| std::net::IpAddr::from([192, 0, 2, last]);
        for _ in 0..1000 {
            failures.note(None, "invalid_client", source(1), NOW);
        }
        for last in 0..=255 {
            failures.note(Some(&acme()), "invalid_grant", source(last), NOW);
        }
        assert_eq!(
            failures.record(&store, NOW).await.unwrap(),
            0,
            "the minute is not over"
        );
        let later = NOW.plus(std::time::Duration::from_secs(60));
        let written = failures.record(&store, later).await.unwrap();
        assert_eq!(written, 201, "200 told apart, and one for the others");
        assert_eq!(failures.record(&store, later).await.unwrap(), 0);
        let filter = Filter {
            mentions: Some("\"count\":1000".into()),
            ..Filter::default()
        };
        let page = store.read(|c| Box::pin(async move { list(c, &filter, None, 9).await }));
        assert_eq!(
            page.await.unwrap().events[0].reason.as_deref(),
            Some("invalid_client")
        );
    })
    .await;
}
