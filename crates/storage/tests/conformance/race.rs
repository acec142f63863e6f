//! Races through two stores on one database, as two nodes would run them (design §4 rule 4).
//!
//! A thousand rounds of a hundred redeemers, over codes, assertions and refresh tokens, on each
//! engine; then the races in which something is issued while it is taken away.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::random;
use symbolon_protocol::secret::Secret;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::audit::By;
use symbolon_storage::authorization_code::{self, Redeemed};
use symbolon_storage::grant::{self, Grant, GrantFilter, Origin};
use symbolon_storage::group::{self, TokenReport};
use symbolon_storage::linked_identity::{self, Provisioned};
use symbolon_storage::news::{self, News};
use symbolon_storage::refresh_token::{self, NewFamily, Rotation};
use symbolon_storage::single_use::{self, SingleUse};
use symbolon_storage::user::{self, User};
use symbolon_storage::{Page, Store};

use crate::fixture::{
    NOW, after, all_news, client, connection, family, found, granted, new_code, new_grant, person,
    profile, read, refresh_secret, session, subject, tombstone_secret, upserted, usable, write,
};
use crate::support::for_each_pair;

const REDEEMERS: usize = 100;

/// Starts a hundred redeemers at once, every other one at the other node, and waits for all.
async fn race<T, Run: Future<Output = T>>(
    nodes: &[Store; 2],
    run: impl Fn(Store) -> Run,
) -> Vec<T> {
    join_all((0..REDEEMERS).map(|number| run(nodes[number % 2].clone()))).await
}

/// AS-31, N-073; 340 rounds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_redeemers_of_a_code_one_wins() {
    for_each_pair(|first, second| async move {
        let nodes = [first, second];
        let grant = granted(&nodes[0], &person(&nodes[0], "ada").await).await;
        for _ in 0..340 {
            let (hash, code) = (random::bytes::<32>(), new_code(&grant));
            write!(nodes[0], [], |tx| authorization_code::insert(
                tx, &hash, &code
            )
            .await);
            let redeemed = race(&nodes, async |store| {
                write!(store, [], |tx| authorization_code::redeem(tx, &hash, NOW)
                    .await)
            })
            .await;
            let winners = redeemed
                .iter()
                .filter(|one| matches!(one, Redeemed::Once(_)));
            assert_eq!(winners.count(), 1);
            let again = Redeemed::AlreadyUsed {
                grant: grant.id.clone(),
            };
            assert_eq!(
                redeemed.iter().filter(|one| **one == again).count(),
                REDEEMERS - 1
            );
        }
    })
    .await;
}

/// AS-100, N-126, N-066; 340 rounds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_redeemers_of_an_assertion_one_wins() {
    for_each_pair(|first, second| async move {
        let nodes = [first, second];
        for _ in 0..340 {
            let jti = random::id();
            let claimed = race(&nodes, async |store| {
                write!(store, [jti], |tx| {
                    single_use::claim(tx, SingleUse::IdJag, "issuer", &jti, after(300)).await
                })
            })
            .await;
            assert_eq!(claimed.into_iter().filter(|won| *won).count(), 1);
        }
    })
    .await;
}

async fn rotate(store: Store, token: &Secret, now: Timestamp) -> Rotation {
    let token = refresh_secret().read(token).unwrap();
    write!(store, [], |tx| {
        refresh_token::rotate(tx, &token, &IssuerRole::As, &client("desk-agent"), now).await
    })
}

/// AS-70; 300 rounds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_users_of_a_refresh_token_one_rotates_and_all_get_the_same_successor() {
    for_each_pair(|first, second| async move {
        let nodes = [first, second];
        let grant = granted(&nodes[0], &person(&nodes[0], "ada").await).await;
        let mut token = family(&nodes[0], &grant).await.unwrap();
        for round in 1..=300 {
            let rotations = race(&nodes, async |store| rotate(store, &token, NOW).await).await;
            let mut first_ones = 0;
            let mut successors = Vec::new();
            for rotation in rotations {
                let Rotation::Rotated {
                    successor,
                    family,
                    is_first,
                } = rotation
                else {
                    panic!("not rotated: {rotation:?}");
                };
                assert_eq!(family.counter, round);
                first_ones += usize::from(is_first);
                successors.push(successor);
            }
            assert_eq!(first_ones, 1);
            token = successors.pop().unwrap();
            assert!(successors.iter().all(|successor| *successor == token));
        }
    })
    .await;
}

/// AS-71, N-079; 20 rounds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_replays_of_a_refresh_token_one_revokes() {
    for_each_pair(|first, second| async move {
        let nodes = [first, second];
        let ada = person(&nodes[0], "ada").await;
        for round in 1..=20 {
            let grant = granted(&nodes[0], &ada).await;
            let token = family(&nodes[0], &grant).await.unwrap();
            rotate(nodes[0].clone(), &token, NOW).await;
            let rotations =
                race(&nodes, async |store| rotate(store, &token, after(11)).await).await;
            let replays = rotations
                .iter()
                .filter(|one| matches!(one, Rotation::Replayed { .. }));
            assert_eq!(replays.count(), 1);
            let unknown = rotations.iter().filter(|one| **one == Rotation::Unknown);
            assert_eq!(unknown.count(), REDEEMERS - 1);
            assert!(!found(&nodes[0], &grant.id).await.is_live());
            assert_eq!(all_news(&nodes[0]).await.len(), round);
        }
    })
    .await;
}

/// AS-129: two sign-ins at once make one person.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_first_sign_ins_at_once_one_creates_the_person() {
    for_each_pair(|first, second| async move {
        let nodes = [first, second];
        for round in 0..10 {
            let provisioned = race(&nodes, async |store| {
                let (subject, profile) = (subject(&round.to_string()), profile("ada"));
                write!(store, [], |tx| {
                    linked_identity::provision(tx, &subject, &profile, &tombstone_secret(), NOW)
                        .await
                })
            })
            .await;
            let mut created = 0;
            let mut ids: Vec<_> = provisioned
                .into_iter()
                .map(|one| match one {
                    Provisioned::Created(user) => (created += 1, user.id).1,
                    Provisioned::Existing(user) => user.id,
                    Provisioned::Buried => panic!("nobody was deleted"),
                })
                .collect();
            ids.dedup();
            assert_eq!((created, ids.len()), (1, 1));
        }
    })
    .await;
}

async fn grant_or_nothing(store: Store, user: &User, resource: usize) -> Option<Grant> {
    let mut new = new_grant(user, "a");
    new.resource = format!("https://{resource}.example/");
    upserted(&store, &new, NOW).await
}

/// AS-77: whoever is disabled while grants are made has none afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_grant_outlives_the_disabling_of_its_person() {
    for_each_pair(|first, second| async move {
        let nodes = [first, second];
        for round in 0..20 {
            let ada = person(&nodes[0], &round.to_string()).await;
            let grants = join_all(
                (0..20).map(|number| grant_or_nothing(nodes[number % 2].clone(), &ada, number)),
            );
            let (_, disabled) = tokio::join!(grants, crate::user::disable(&nodes[1], &ada));
            assert!(disabled);
            assert_eq!(live_grants(&nodes[0], &ada).await, []);
        }
    })
    .await;
}

/// AS-77: what comes out of a session while it is ended does not outlive it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_refresh_token_outlives_its_session() {
    for_each_pair(|first, second| async move {
        let nodes = [first, second];
        let ada = person(&nodes[0], "ada").await;
        for _ in 0..20 {
            let (session, _) = session(&nodes[0], &ada).await;
            let mut new = new_grant(&ada, "a");
            new.session = Some(session.id.clone());
            let grant = upserted(&nodes[0], &new, NOW).await.unwrap();
            let families = join_all((0..20).map(|number| family(&nodes[number % 2], &grant)));
            let end = async {
                write!(nodes[1], [], |tx| {
                    symbolon_storage::session::end(tx, &session.id, &By::system(), NOW).await
                })
            };
            let (tokens, ended) = tokio::join!(families, end);
            assert!(ended);
            for token in tokens.iter().flatten() {
                assert_eq!(usable(&nodes[0], token, NOW).await, None);
            }
        }
    })
    .await;
}

/// Redeems a code for a refresh token, as the token endpoint does in one transaction.
async fn redeem_for_refresh_token(store: &Store, hash: [u8; 32]) -> Option<Secret> {
    write!(store, [], |tx| {
        let Redeemed::Once(code) = authorization_code::redeem(tx, &hash, NOW).await? else {
            return Ok(None);
        };
        let new = NewFamily {
            grant: code.grant,
            role: code.role,
            organization: code.organization,
            client: code.client,
            user: code.user,
            session: code.session,
            resource: code.resource,
            scopes: code.scopes,
            facts: code.facts,
        };
        refresh_token::insert(tx, &refresh_secret(), &new, NOW).await
    })
}

/// Learns groups and makes a grant, as redeeming an ID-JAG does in one transaction.
async fn redeem_id_jag(store: &Store, user: &User, resource: usize) -> Option<Grant> {
    write!(store, [user], |tx| {
        let report = TokenReport {
            organization: &user.organization,
            user: &user.id,
            source: &connection("acme-oidc"),
            groups: &[resource.to_string()],
            learned_at: NOW,
        };
        group::replace_from_token(tx, &report, NOW).await?;
        let mut new = new_grant(&user, "a");
        new.resource = format!("https://{resource}.example/");
        new.origin = Origin::IdJag;
        grant::upsert(tx, &new, NOW).await
    })
}

/// AS-77: nothing that is issued while everything ends outlives it, and nobody gets into a deadlock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issuing_and_ending_at_once_leaves_nothing_and_blocks_nobody() {
    for_each_pair(|first, second| async move {
        let nodes = [first, second];
        for round in 0..20u8 {
            let ada = person(&nodes[0], &round.to_string()).await;
            let (session, _) = session(&nodes[0], &ada).await;
            let mut new = new_grant(&ada, "a");
            new.session = Some(session.id.clone());
            let grant = upserted(&nodes[0], &new, NOW).await.unwrap();
            for number in 0..10 {
                let code = new_code(&grant);
                write!(nodes[0], [], |tx| {
                    authorization_code::insert(tx, &[round * 10 + number; 32], &code).await
                });
            }
            let codes = join_all((0..10).map(|number| {
                let hash = [round * 10 + number; 32];
                redeem_for_refresh_token(&nodes[usize::from(number) % 2], hash)
            }));
            let id_jags = (0..10).map(|number| redeem_id_jag(&nodes[number % 2], &ada, number));
            let end = async {
                write!(nodes[1], [], |tx| {
                    symbolon_storage::session::end(tx, &session.id, &By::system(), NOW).await
                })
            };
            let disable = crate::user::disable(&nodes[0], &ada);
            let (tokens, _, _, _) = tokio::join!(codes, join_all(id_jags), end, disable);
            for token in tokens.iter().flatten() {
                assert_eq!(usable(&nodes[0], token, NOW).await, None);
            }
            assert_eq!(live_grants(&nodes[0], &ada).await, []);
        }
    })
    .await;
}

async fn live_grants(store: &Store, user: &User) -> Vec<Grant> {
    let filter = GrantFilter {
        user: Some(user.id.clone()),
        live_only: true,
        ..GrantFilter::default()
    };
    read!(store, [], |c| grant::list(c, &filter, &Page::first(50))
        .await)
}

/// Design §4 rule 14: whoever is deleted while signing in does not come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_comes_back_by_signing_in_while_being_deleted() {
    for_each_pair(|first, second| async move {
        let nodes = [first, second];
        for round in 0..20 {
            let name = round.to_string();
            let ada = person(&nodes[0], &name).await;
            let sign_ins = join_all((0..20).map(|number| {
                let (subject, profile) = (subject(&name), profile(&name));
                let node = nodes[number % 2].clone();
                async move {
                    write!(node, [], |tx| {
                        let secret = tombstone_secret();
                        linked_identity::provision(tx, &subject, &profile, &secret, NOW).await
                    })
                }
            }));
            let delete = async {
                write!(nodes[1], [], |tx| {
                    let secret = tombstone_secret();
                    let by = By::system();
                    user::delete(tx, &ada.organization, &ada.id, &secret, &by, NOW).await
                })
            };
            let (_, deleted) = tokio::join!(sign_ins, delete);
            assert!(deleted);
            let subject = subject(&name);
            let left = read!(nodes[0], [], |c| linked_identity::find(c, &subject).await);
            assert_eq!(left, None);
        }
    })
    .await;
}

/// Disables somebody in a transaction that takes its time afterwards.
async fn disable_slowly(store: &Store, user: &User, pauses: usize) {
    write!(store, [user], |tx| {
        let by = By::system();
        let disabled = user::disable(tx, &user.organization, &user.id, &by, NOW).await;
        for _ in 0..pauses {
            tokio::task::yield_now().await;
        }
        disabled
    });
}

/// Design §4 rule 16: whoever asks for what follows its last news never skips a late commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_news_misses_nothing() {
    for_each_pair(|first, second| async move {
        let nodes = [first, second];
        let mut people = Vec::new();
        for number in 0..60 {
            people.push(person(&nodes[0], &number.to_string()).await);
        }
        let has_ended = AtomicBool::new(false);
        let writers = async {
            let disabling = people.iter().enumerate();
            let disabling = disabling.map(|(n, user)| disable_slowly(&nodes[n % 2], user, n % 7));
            join_all(disabling).await;
            has_ended.store(true, Ordering::SeqCst);
        };
        let reader = async {
            let mut seen: Vec<News> = Vec::new();
            loop {
                let is_last = has_ended.load(Ordering::SeqCst);
                let last = seen.last().map_or(0, |news| news.seq);
                seen.extend(read!(nodes[1], [], |c| news::read_after(c, last).await));
                if is_last {
                    return seen;
                }
            }
        };
        let ((), seen) = tokio::join!(writers, reader);
        let mut told: Vec<String> = seen.into_iter().map(|news| news.subject).collect();
        let mut disabled: Vec<String> = people.iter().map(|user| user.id.to_string()).collect();
        told.sort_unstable();
        disabled.sort_unstable();
        assert_eq!(told, disabled);
    })
    .await;
}
