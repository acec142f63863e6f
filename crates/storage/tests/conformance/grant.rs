//! Grants.

use symbolon_protocol::ids::{GrantId, SessionId};
use symbolon_protocol::time::Timestamp;
use symbolon_storage::grant::{self, Grant, GrantFilter, NewGrant, Origin};
use symbolon_storage::news::Topic;
use symbolon_storage::revocation::SubjectKind;
use symbolon_storage::{Page, Store};

use crate::fixture::{
    ACME, GLOBEX, NOW, TRACKER, after, all_news, client, family, found, granted, new_grant,
    organization, person, read, scopes, upserted, usable, write,
};
use crate::support::for_each_engine;

async fn revoke(store: &Store, id: &GrantId, now: Timestamp) -> bool {
    write!(store, [id], |tx| grant::revoke(tx, &id, now).await)
}

async fn list(store: &Store, filter: &GrantFilter, page: &Page<GrantId>) -> Vec<Grant> {
    read!(store, [filter, page], |c| grant::list(c, &filter, &page)
        .await)
}

/// A client's own grant at a resource.
fn service(resource: &str, client_id: &str, organization_id: &str) -> NewGrant {
    NewGrant {
        role: symbolon_protocol::issuer::IssuerRole::As,
        organization: organization(organization_id),
        user: None,
        client: client(client_id),
        resource: resource.to_owned(),
        scopes: scopes("a"),
        session: None,
        origin: Origin::IdJag,
    }
}

#[tokio::test]
async fn using_a_grant_again_sets_its_scopes_and_session() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let first = upserted(&store, &new_grant(&ada, "a b"), NOW)
            .await
            .unwrap();
        let session = Some(SessionId::generate());
        let again = NewGrant {
            session: session.clone(),
            ..new_grant(&ada, "b c")
        };
        let second = upserted(&store, &again, NOW).await.unwrap();

        assert_eq!((&second.id, &second.scopes), (&first.id, &scopes("b c")));
        assert_eq!(found(&store, &first.id).await, second);
        assert_eq!(second.session, session);
    })
    .await;
}

#[tokio::test]
async fn the_last_use_is_never_earlier_than_a_token_of_the_grant() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let millisecond = |n| NOW.plus(std::time::Duration::from_millis(n));
        for (now, used) in [(0, 0), (300, 1), (900, 1), (1000, 1), (1001, 2)] {
            let new = new_grant(&ada, "a");
            let grant = upserted(&store, &new, millisecond(now)).await.unwrap();
            assert_eq!(grant.last_used_at, after(used), "{now} ms");
            assert_eq!(found(&store, &grant.id).await, grant);
        }
    })
    .await;
}

#[tokio::test]
async fn another_client_resource_person_or_origin_is_another_grant() {
    for_each_engine(|store| async move {
        let (ada, bob) = (person(&store, "ada").await, person(&store, "bob").await);
        let base = new_grant(&ada, "a");
        let variants = [
            base.clone(),
            NewGrant {
                client: client("other"),
                ..base.clone()
            },
            NewGrant {
                resource: "https://id.example/mcp/files".to_owned(),
                ..base.clone()
            },
            NewGrant {
                role: "idp/acme".parse().unwrap(),
                ..base.clone()
            },
            NewGrant {
                origin: Origin::IdJag,
                ..base.clone()
            },
            NewGrant {
                user: None,
                ..base.clone()
            },
            new_grant(&bob, "a"),
        ];
        let mut ids = Vec::new();
        for new in &variants {
            ids.push(upserted(&store, new, NOW).await.unwrap().id);
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), variants.len());
    })
    .await;
}

#[tokio::test]
async fn a_person_of_another_organization_gets_no_grant() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let new = NewGrant {
            organization: organization(GLOBEX),
            ..new_grant(&ada, "a")
        };
        assert_eq!(upserted(&store, &new, NOW).await, None);
    })
    .await;
}

#[tokio::test]
async fn client_and_resource_may_be_as_long_as_they_like() {
    for_each_engine(|store| async move {
        let resource = format!("https://{}.example/", "r".repeat(2000));
        let new = service(&resource, &"c".repeat(2048), ACME);
        let first = upserted(&store, &new, NOW).await.unwrap();
        assert_eq!(upserted(&store, &new, after(5)).await.unwrap().id, first.id);
    })
    .await;
}

#[tokio::test]
async fn a_grant_is_revoked_once_with_its_refresh_tokens() {
    for_each_engine(|store| async move {
        let grant = granted(&store, &person(&store, "ada").await).await;
        let token = family(&store, &grant).await.unwrap();

        assert!(revoke(&store, &grant.id, after(1)).await);
        assert!(!revoke(&store, &grant.id, after(2)).await);

        assert_eq!(found(&store, &grant.id).await.revoked_at, Some(after(1)));
        assert_eq!(usable(&store, &token, after(1)).await, None);
        assert_eq!(family(&store, &grant).await, None);
        let news = all_news(&store).await;
        assert_eq!(news.len(), 1);
        assert_eq!(news[0].topic, Topic::Revoked(SubjectKind::Grant));
        assert_eq!(news[0].subject, grant.id.as_str());
    })
    .await;
}

#[tokio::test]
async fn what_follows_a_revoked_grant_is_another_one() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let first = granted(&store, &ada).await;
        revoke(&store, &first.id, NOW).await;
        assert_ne!(granted(&store, &ada).await.id, first.id);
    })
    .await;
}

#[tokio::test]
async fn a_refresh_is_a_use_of_the_grant() {
    for_each_engine(|store| async move {
        let grant = granted(&store, &person(&store, "ada").await).await;
        let token = family(&store, &grant).await.unwrap();
        crate::refresh_token::rotated(&store, &token, after(3600)).await;
        assert_eq!(found(&store, &grant.id).await.last_used_at, after(3600));
    })
    .await;
}

#[tokio::test]
async fn pages_show_every_grant_once_the_newest_first() {
    for_each_engine(|store| async move {
        for number in 0..7 {
            // Two at a time: their order is by id.
            let new = service(&format!("https://{number}.example/"), "sync", ACME);
            upserted(&store, &new, after(number / 2)).await.unwrap();
        }
        let filter = GrantFilter {
            organization: Some(organization(ACME)),
            ..Default::default()
        };
        let mut seen = Vec::new();
        let mut page = Page::first(2);
        loop {
            let grants = list(&store, &filter, &page).await;
            let Some(last) = grants.last() else { break };
            page = Page::after(last.id.clone(), 2);
            seen.extend(grants);
        }
        assert_eq!(seen, list(&store, &filter, &Page::first(100)).await);
        assert_eq!(seen.len(), 7);
        assert!(seen.is_sorted_by(|a, b| a.created_at >= b.created_at));
    })
    .await;
}

#[tokio::test]
async fn a_list_is_restricted_by_its_filter() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let hers = granted(&store, &ada).await;
        let sync = upserted(&store, &service(TRACKER, "sync", ACME), NOW)
            .await
            .unwrap();
        let foreign = upserted(&store, &service(TRACKER, "sync", GLOBEX), NOW)
            .await
            .unwrap();
        revoke(&store, &sync.id, NOW).await;
        let acme = GrantFilter {
            organization: Some(organization(ACME)),
            ..Default::default()
        };
        let cases = [
            (GrantFilter::default(), vec![&hers, &sync, &foreign]),
            (acme.clone(), vec![&hers, &sync]),
            (
                GrantFilter {
                    live_only: true,
                    ..acme.clone()
                },
                vec![&hers],
            ),
            (
                GrantFilter {
                    user: Some(ada.id.clone()),
                    ..acme.clone()
                },
                vec![&hers],
            ),
            (
                GrantFilter {
                    client: Some(client("sync")),
                    ..acme
                },
                vec![&sync],
            ),
            (
                GrantFilter {
                    organization: Some(organization(GLOBEX)),
                    user: Some(ada.id.clone()),
                    ..Default::default()
                },
                vec![],
            ),
        ];
        for (filter, expected) in cases {
            let mut ids: Vec<_> = expected.iter().map(|grant| grant.id.clone()).collect();
            ids.sort();
            let listed = list(&store, &filter, &Page::first(100)).await;
            let mut listed: Vec<_> = listed.into_iter().map(|grant| grant.id).collect();
            listed.sort();
            assert_eq!(listed, ids, "{filter:?}");
        }
    })
    .await;
}
