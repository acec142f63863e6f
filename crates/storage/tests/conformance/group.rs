//! What is known about groups.

use symbolon_protocol::ids::GroupKey;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::Store;
use symbolon_storage::group::{self, Facts, Groups, TokenReport};
use symbolon_storage::news::Topic;
use symbolon_storage::user::User;

use crate::fixture::{DAY, NOW, after, all_news, connection, person, read, write};
use crate::support::for_each_engine;

async fn report(store: &Store, user: &User, groups: &[&str], learned_at: Timestamp) {
    report_from(store, user, "acme-oidc", groups, learned_at).await;
}

async fn report_from(store: &Store, user: &User, source: &str, groups: &[&str], at: Timestamp) {
    let source = connection(source);
    let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
    write!(store, [user], |tx| {
        let report = TokenReport {
            organization: &user.organization,
            user: &user.id,
            source: &source,
            groups: &groups,
            learned_at: at,
        };
        group::replace_from_token(tx, &report, at).await
    });
}

async fn facts(store: &Store, user: &User, now: Timestamp) -> Facts {
    read!(store, [user], |c| group::facts(c, &user.id, now).await)
}

fn known(groups: &[(&str, &str)]) -> Groups {
    let key = |&(source, id): &(&str, &str)| GroupKey {
        source: source.to_owned(),
        external_id: id.to_owned(),
    };
    Groups::Known(groups.iter().map(key).collect())
}

#[tokio::test]
async fn without_a_report_the_groups_are_unknown() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let unknown = Facts {
            groups: Groups::Unknown,
            until: None,
        };
        assert_eq!(facts(&store, &ada, NOW).await, unknown);
    })
    .await;
}

#[tokio::test]
async fn an_empty_report_says_that_there_are_no_groups() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        report(&store, &ada, &[], NOW).await;
        let none = Facts {
            groups: known(&[]),
            until: Some(after(DAY)),
        };
        assert_eq!(facts(&store, &ada, NOW).await, none);
    })
    .await;
}

#[tokio::test]
async fn a_report_takes_the_place_of_the_one_before() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        report(&store, &ada, &["b", "a", "b"], NOW).await;
        report(&store, &ada, &["c"], after(5)).await;
        assert_eq!(
            facts(&store, &ada, after(5)).await.groups,
            known(&[("acme-oidc", "c")])
        );
    })
    .await;
}

#[tokio::test]
async fn an_older_report_does_not_replace_a_newer_one() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        report(&store, &ada, &["new"], after(5)).await;
        report(&store, &ada, &["old"], NOW).await;
        assert_eq!(
            facts(&store, &ada, after(5)).await.groups,
            known(&[("acme-oidc", "new")])
        );
    })
    .await;
}

#[tokio::test]
async fn a_report_of_a_token_is_forgotten_after_a_day() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        report(&store, &ada, &["a"], NOW).await;
        assert_eq!(
            facts(&store, &ada, after(DAY - 1)).await.groups,
            known(&[("acme-oidc", "a")])
        );
        assert_eq!(
            facts(&store, &ada, after(DAY)).await.groups,
            Groups::Unknown
        );
    })
    .await;
}

#[tokio::test]
async fn a_repeated_report_lasts_another_day() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        report(&store, &ada, &["a"], NOW).await;
        report(&store, &ada, &["a"], after(DAY / 2)).await;
        assert_eq!(
            facts(&store, &ada, after(DAY)).await.until,
            Some(after(DAY + DAY / 2))
        );
    })
    .await;
}

#[tokio::test]
async fn each_source_speaks_for_itself() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        report_from(&store, &ada, "acme-oidc", &["a"], NOW).await;
        report_from(&store, &ada, "branch", &["a"], after(60)).await;
        let both = known(&[("acme-oidc", "a"), ("branch", "a")]);
        assert_eq!(facts(&store, &ada, after(60)).await.groups, both);
        assert_eq!(
            facts(&store, &ada, after(DAY)).await.groups,
            known(&[("branch", "a")])
        );
    })
    .await;
}

#[tokio::test]
async fn a_source_that_cannot_say_leaves_the_groups_unknown() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        report(&store, &ada, &["a"], NOW).await;
        let source = connection("acme-oidc");
        write!(store, [ada], |tx| group::forget(tx, &ada.id, &source, NOW)
            .await);
        assert_eq!(facts(&store, &ada, NOW).await.groups, Groups::Unknown);
    })
    .await;
}

#[tokio::test]
async fn nodes_hear_of_changed_groups_and_only_of_those() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        report(&store, &ada, &["a"], NOW).await;
        report(&store, &ada, &["a"], after(1)).await;
        report(&store, &ada, &["a"], after(DAY / 2)).await;
        report(&store, &ada, &["b"], after(DAY / 2 + 1)).await;

        let news = all_news(&store).await;
        let told: Vec<_> = news
            .iter()
            .map(|news| (news.topic, news.subject.as_str()))
            .collect();
        assert_eq!(told, [(Topic::Facts, ada.id.as_str()); 2]);
    })
    .await;
}
