//! What both engines promise: all or nothing, durable answers, errors that stay their own.

use futures_util::future::join_all;

use super::{Record, Row, args};
use crate::support::{Schema, for_each_engine, for_each_pair, open, sealer, sqlite_file};
use crate::{KeyEncryptionKey, OpenOptions, Sealer, StorageError, Store, Transaction};

struct Count(i64);

impl Record for Count {
    fn read(row: &Row) -> Result<Self, StorageError> {
        row.get("count").map(Self)
    }
}

async fn count(store: &Store) -> i64 {
    let Count(count) = store
        .read(|c| Box::pin(c.fetch_one("SELECT count(*) AS count FROM secret_key", args![])))
        .await
        .unwrap();
    count
}

async fn insert(tx: &mut Transaction, purpose: &str) -> Result<u64, StorageError> {
    tx.execute(
        "INSERT INTO secret_key (purpose, sealed, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (purpose) DO NOTHING",
        args![purpose, vec![1u8], 7],
    )
    .await
}

/// A panic that prints no backtrace.
fn fault() -> ! {
    std::panic::resume_unwind(Box::new("a fault of the job"))
}

#[tokio::test]
async fn what_a_transaction_wrote_is_there_afterwards() {
    for_each_engine(|store| async move {
        store.write(|tx| Box::pin(insert(tx, "a"))).await.unwrap();
        assert_eq!(count(&store).await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_error_of_the_job_undoes_its_writes() {
    for_each_engine(|store| async move {
        let error = store
            .write::<(), _, _>(|tx| {
                Box::pin(async move {
                    insert(tx, "a").await?;
                    Err(StorageError::Busy)
                })
            })
            .await
            .unwrap_err();
        assert!(matches!(error, StorageError::Busy));
        assert_eq!(count(&store).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_panic_undoes_its_job_and_the_store_lives_on() {
    for_each_engine(|store| async move {
        let error = store
            .write::<(), StorageError, _>(|tx| {
                Box::pin(async move {
                    insert(tx, "a").await?;
                    fault();
                })
            })
            .await
            .unwrap_err();
        assert!(matches!(error, StorageError::Panicked));
        store.write(|tx| Box::pin(insert(tx, "b"))).await.unwrap();
        assert_eq!(count(&store).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_job_that_swallows_a_failed_statement_is_not_committed() {
    for_each_engine(|store| async move {
        let error = store
            .write::<(), StorageError, _>(|tx| {
                Box::pin(async move {
                    insert(tx, "a").await?;
                    let twice = "INSERT INTO secret_key (purpose, sealed, created_at)
                                 VALUES ($1, $2, $3)";
                    let refused = tx.execute(twice, args!["a", vec![1u8], 7]).await;
                    assert!(matches!(refused, Err(StorageError::Constraint(_))));
                    Ok(())
                })
            })
            .await
            .unwrap_err();
        assert!(matches!(error, StorageError::Spoiled));
        assert_eq!(count(&store).await, 0);
    })
    .await;
}

#[tokio::test]
async fn many_jobs_at_once_fail_and_succeed_on_their_own() {
    for_each_engine(|store| async move {
        let jobs = (0..200).map(|number| {
            store.write(move |tx| {
                Box::pin(async move {
                    insert(tx, &format!("job {number}")).await?;
                    match number % 4 {
                        0 => Err(StorageError::Spoiled),
                        1 => fault(),
                        _ => Ok(number),
                    }
                })
            })
        });
        let mut kept = Vec::new();
        for (number, answer) in join_all(jobs).await.into_iter().enumerate() {
            match (number % 4, answer) {
                (0, Err(StorageError::Spoiled)) | (1, Err(StorageError::Panicked)) => {}
                (_, Ok(number)) => kept.push(number),
                (_, Err(error)) => panic!("job {number}: {error:?}"),
            }
        }
        assert_eq!(
            kept,
            (0..200).filter(|number| number % 4 > 1).collect::<Vec<_>>()
        );
        assert_eq!(count(&store).await, 100);
    })
    .await;
}

#[tokio::test]
async fn one_of_two_nodes_wins_a_row() {
    for_each_pair(|first, second| async move {
        let both = [first.clone(), second];
        let claims = (0..100).map(|number| {
            both[number % 2].write(|tx| Box::pin(async move { insert(tx, "one row").await }))
        });
        let inserted: u64 = join_all(claims).await.into_iter().map(Result::unwrap).sum();
        assert_eq!(inserted, 1);
        assert_eq!(count(&first).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_reader_cannot_write() {
    for_each_engine(|store| async move {
        let statement = "DELETE FROM secret_key WHERE purpose = $1 RETURNING created_at AS count";
        let error = store
            .read(|c| Box::pin(c.fetch_optional::<Count>(statement, args!["a"])))
            .await
            .map(|_| ())
            .unwrap_err();
        assert!(matches!(error, StorageError::Statement(_)), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_closed_store_refuses_writes() {
    for_each_engine(|store| async move {
        store.close().await;
        let error = store
            .write(|tx| Box::pin(insert(tx, "a")))
            .await
            .unwrap_err();
        assert!(matches!(error, StorageError::Closed));
    })
    .await;
}

#[tokio::test]
async fn what_was_written_survives_closing() {
    let (_directory, url) = sqlite_file();
    let store = open(&url).await;
    store.write(|tx| Box::pin(insert(tx, "a"))).await.unwrap();
    store.close().await;
    assert_eq!(count(&open(&url).await).await, 1);
}

#[tokio::test]
async fn a_missing_file_is_not_created_unasked() {
    let (_directory, url) = sqlite_file();
    let error = Store::open(&url, sealer(), OpenOptions::default())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, StorageError::Missing(_)));
}

#[tokio::test]
async fn an_empty_database_is_not_migrated_unasked() {
    let (_directory, url) = sqlite_file();
    let options = OpenOptions {
        create: true,
        migrate: false,
    };
    let error = Store::open(&url, sealer(), options).await.err().unwrap();
    assert!(
        matches!(error, StorageError::NotMigrated { found: 0, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_database_of_another_key_is_refused() {
    let (_directory, url) = sqlite_file();
    open(&url).await.close().await;
    let stranger = KeyEncryptionKey::from_base64(&"A".repeat(43)).unwrap();
    let options = OpenOptions::default();
    let error = Store::open(&url, Sealer::new(&stranger), options)
        .await
        .err()
        .unwrap();
    assert!(matches!(error, StorageError::WrongKey));
}

#[tokio::test]
async fn a_schema_one_ahead_is_served_and_two_ahead_is_refused() {
    let (_directory, url) = sqlite_file();
    let store = open(&url).await;
    let newer =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 SELECT max(version) + 1, 'newer', true, $1, 0 FROM _sqlx_migrations";
    store
        .write(move |tx| Box::pin(tx.execute(newer, args![vec![0u8]])))
        .await
        .unwrap();
    assert_eq!(count(&open(&url).await).await, 0);
    store
        .write(move |tx| Box::pin(tx.execute(newer, args![vec![0u8]])))
        .await
        .unwrap();
    let error = Store::open(&url, sealer(), OpenOptions::default())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, StorageError::TooNew { .. }));
}

#[tokio::test]
async fn a_commit_that_fails_is_an_error_for_everybody_in_its_group() {
    let store = open("sqlite::memory:").await;
    let (go, may_go) = tokio::sync::oneshot::channel::<()>();
    // While this one waits, the others queue up behind it: they become one group.
    let first = store.write::<_, StorageError, _>(|tx| {
        Box::pin(async move {
            let _ = may_go.await;
            insert(tx, "first").await
        })
    });
    let broken = store.write::<_, StorageError, _>(|tx| {
        Box::pin(async move {
            tx.control("PRAGMA defer_foreign_keys = ON")?;
            tx.execute(
                "INSERT INTO consent (key, organization, user_id, role, client_id, resource, scopes,
                                      given_at)
                 VALUES ($1, 'acme', 'nobody', 'as', 'c', 'r', '', 0)",
                args![vec![1u8]],
            )
            .await
        })
    });
    let last = store.write::<_, StorageError, _>(|tx| Box::pin(insert(tx, "last")));
    let (first, broken, last, ()) = tokio::join!(first, broken, last, async {
        let _ = go.send(());
    });
    for answer in [first, broken, last] {
        assert!(
            matches!(answer, Err(StorageError::NotCommitted(_))),
            "{answer:?}"
        );
    }
    assert_eq!(count(&store).await, 0);
    store
        .write(|tx| Box::pin(insert(tx, "afterwards")))
        .await
        .unwrap();
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn a_writer_with_too_many_waiting_refuses_more() {
    let store = open("sqlite::memory:").await;
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go, may_go) = tokio::sync::oneshot::channel::<()>();
    let blocking = tokio::spawn({
        let store = store.clone();
        async move {
            let blocking = store.write::<_, StorageError, _>(|tx| {
                Box::pin(async move {
                    let _ = begun.send(());
                    let _ = may_go.await;
                    insert(tx, "blocking").await
                })
            });
            blocking.await
        }
    });
    has_begun.await.unwrap();
    let jobs = (0..super::sqlite::QUEUE + 1).map(|number| {
        store.write::<_, StorageError, _>(move |tx| {
            Box::pin(async move { insert(tx, &number.to_string()).await })
        })
    });
    let (answers, ()) = tokio::join!(join_all(jobs), async {
        let _ = go.send(());
    });
    blocking.await.unwrap().unwrap();
    let refused = answers
        .iter()
        .filter(|answer| matches!(answer, Err(StorageError::Busy)));
    assert_eq!(refused.count(), 1);
    assert_eq!(count(&store).await, super::sqlite::QUEUE as i64 + 1);
}

struct Named(String);

impl Record for Named {
    fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        row.get("name").map(Self)
    }
}

async fn columns(store: &Store, sql: &'static str) -> Vec<String> {
    let rows: Vec<Named> = store
        .read::<_, StorageError, _>(move |c| Box::pin(c.fetch_all(sql, args![])))
        .await
        .unwrap();
    rows.into_iter().map(|Named(name)| name).collect()
}

#[tokio::test]
async fn both_engines_have_the_same_columns() {
    let Some(schema) = Schema::create().await else {
        return;
    };
    let sqlite = open("sqlite::memory:").await;
    let sqlite = columns(
        &sqlite,
        "SELECT t.name || '.' || c.name || CASE c.\"notnull\" WHEN 1 THEN ' NOT NULL' ELSE '' END
             AS name
         FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c
         WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '_sqlx%'
         ORDER BY 1",
    );
    let postgres = open(&schema.url).await;
    let columns = columns(
        &postgres,
        "SELECT table_name || '.' || column_name
             || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END AS name
         FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_sqlx%'
         ORDER BY (table_name || '.' || column_name
             || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END) COLLATE \"C\"",
    );
    assert_eq!(sqlite.await, columns.await);
    postgres.close().await;
    schema.remove().await;
}
