//! Changing definitions on both engines.

use serde_json::{Value, json};
use symbolon_protocol::secret::Secret;
use symbolon_protocol::time::Timestamp;

use super::*;
use crate::audit::{self, Actor, By};
use crate::directory::Directory;
use crate::follow::Follower;
use crate::seal::SealError;
use crate::support::{for_each_engine, for_each_pair};
use crate::{StorageError, Store};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn by() -> By {
    By {
        actor: Actor::Operator("ada".to_owned()),
        request_id: "r1".to_owned(),
    }
}

fn draft(kind: Kind, document: Value) -> Draft {
    Draft::new(kind, document, Secrets::new()).unwrap()
}

fn organization(id: &str) -> Draft {
    draft(Kind::Organization, json!({"id": id, "name": id}))
}

fn connection(id: &str, secret: &str) -> Draft {
    let mut draft = draft(
        Kind::Connection,
        json!({"id": id, "organization": "acme", "protocol": "oidc", "client_id": "symbolon",
               "issuer": format!("https://{id}.example")}),
    );
    draft
        .secrets
        .insert("client_secret".to_owned(), Secret::new(secret));
    draft
}

async fn apply_all(store: &Store, wanted: Vec<Draft>, prune: Prune) -> Result<Applied, ApplyError> {
    store
        .write(move |tx| {
            Box::pin(async move {
                let existing = list_all(tx).await?;
                apply(tx, difference(&existing, wanted, prune), &by(), NOW).await
            })
        })
        .await
}

async fn all(store: &Store) -> Vec<Definition> {
    store.read(|c| Box::pin(list_all(c))).await.unwrap()
}

#[tokio::test]
async fn what_was_applied_is_read_back_with_its_secrets() {
    for_each_engine(|store| async move {
        let wanted = vec![organization("acme"), connection("acme-oidc", "s3cret")];
        let applied = apply_all(&store, wanted, Prune::Nothing).await.unwrap();
        assert_eq!((applied.version, applied.put.len()), (1, 2));
        let stored = all(&store).await;
        assert_eq!(stored[1].secrets["client_secret"], Secret::new("s3cret"));
        assert_eq!(
            (stored[1].version, stored[1].author.as_str()),
            (1, "operator/ada")
        );
        let (directory, problems) = store
            .read::<_, StorageError, _>(|c| Box::pin(Directory::load(c)))
            .await
            .unwrap();
        assert_eq!((directory.version, problems), (1, vec![]));
        assert_eq!(directory.connections().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn applying_twice_changes_nothing() {
    for_each_engine(|store| async move {
        let wanted = || vec![organization("acme"), connection("acme-oidc", "s3cret")];
        apply_all(&store, wanted(), Prune::Gone).await.unwrap();
        let again = apply_all(&store, wanted(), Prune::Gone).await.unwrap();
        assert_eq!(
            again,
            Applied {
                version: 1,
                put: vec![],
                removed: vec![]
            }
        );
        let other = vec![organization("acme"), connection("acme-oidc", "other")];
        let changed = apply_all(&store, other, Prune::Gone).await.unwrap();
        assert_eq!(
            (changed.version, changed.put.len()),
            (2, 1),
            "a new secret is a change"
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_gone_is_removed_only_when_asked() {
    for_each_engine(|store| async move {
        let both = vec![organization("acme"), organization("beta")];
        apply_all(&store, both, Prune::Nothing).await.unwrap();
        let one = || vec![organization("acme")];
        let kept = apply_all(&store, one(), Prune::Nothing).await.unwrap();
        assert!(kept.removed.is_empty());
        let pruned = apply_all(&store, one(), Prune::Gone).await.unwrap();
        assert_eq!(pruned.removed, [organization("beta").key]);
        let key = organization("beta").key;
        let versions = store
            .read(|c| Box::pin(async move { history(c, &key).await }))
            .await
            .unwrap();
        let documents: Vec<bool> = versions.iter().map(|v| v.document.is_some()).collect();
        assert_eq!(
            documents,
            [false, true],
            "the newest version says that it is gone"
        );
    })
    .await;
}

#[tokio::test]
async fn definitions_that_do_not_fit_together_are_refused_as_a_whole() {
    for_each_engine(|store| async move {
        let dangling = draft(
            Kind::Policy,
            json!({"id": "p", "organization": "gone", "cedar": "permit (principal, action, resource);"}),
        );
        let wanted = vec![organization("acme"), dangling];
        let error = apply_all(&store, wanted, Prune::Nothing).await.unwrap_err();
        assert_eq!(error.to_string(), "policy \"p\" of gone: organization gone does not exist");
        assert!(all(&store).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_change_is_audited_and_told_to_other_nodes() {
    for_each_pair(|first, second| async move {
        let mut follower = Follower::start(second.clone(), Default::default(), NOW)
            .await
            .unwrap();
        let wanted = vec![organization("acme"), connection("acme-oidc", "s3cret")];
        apply_all(&first, wanted, Prune::Nothing).await.unwrap();
        assert!(follower.poll(NOW).await.unwrap().definitions);
        assert!(!follower.poll(NOW).await.unwrap().definitions, "told once");
        let page = second
            .read(|c| Box::pin(async move { audit::list(c, &Default::default(), None, 9).await }))
            .await
            .unwrap();
        let said = page
            .events
            .iter()
            .map(|e| (e.action.as_str(), e.organization.as_str()));
        assert_eq!(
            said.collect::<Vec<_>>(),
            [("definition.put", "acme"), ("definition.put", "")]
        );
        assert!(
            page.events
                .iter()
                .all(|event| event.actor == "operator/ada")
        );
        assert!(
            page.events
                .iter()
                .all(|event| !event.details.contains("s3cret"))
        );
    })
    .await;
}

#[tokio::test]
async fn concurrent_changes_are_all_kept_and_numbered() {
    for_each_pair(|first, second| async move {
        let mut follower = Follower::start(first.clone(), Default::default(), NOW)
            .await
            .unwrap();
        let stores = [first.clone(), second];
        let changes = (0..20).map(|number| {
            let store = stores[number % 2].clone();
            let change = Change::Put(organization(&format!("o{number}")));
            async move {
                let apply = store.write(move |tx| {
                    Box::pin(async move { apply(tx, vec![change], &by(), NOW).await })
                });
                apply
                    .await
                    .unwrap_or_else(|error| panic!("{error:?}"))
                    .version
            }
        });
        let mut versions = futures_util::future::join_all(changes).await;
        versions.sort_unstable();
        assert_eq!(versions, (1..=20).collect::<Vec<_>>());
        assert_eq!(all(&first).await.len(), 20);
        assert!(follower.poll(NOW).await.unwrap().definitions);
    })
    .await;
}

#[tokio::test]
async fn a_secret_copied_to_another_definition_does_not_open() {
    for_each_engine(|store| async move {
        let wanted = vec![
            organization("acme"),
            connection("one", "a"),
            connection("two", "b"),
        ];
        apply_all(&store, wanted, Prune::Nothing).await.unwrap();
        let swap = "UPDATE definition SET sealed =
                        (SELECT sealed FROM definition WHERE kind = 'connection' AND id = 'two')
                    WHERE kind = 'connection' AND id = 'one'";
        store
            .write::<_, StorageError, _>(move |tx| Box::pin(tx.execute(swap, Vec::new())))
            .await
            .unwrap();
        let error = store.read(|c| Box::pin(list_all(c))).await.unwrap_err();
        assert!(
            matches!(error, StorageError::Seal(SealError::NotAuthentic)),
            "{error:?}"
        );
    })
    .await;
}
