//! Browser sessions.

use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::random;
use symbolon_protocol::secret::Secret;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::Store;
use symbolon_storage::audit::By;
use symbolon_storage::authorization_code::{self, Redeemed};
use symbolon_storage::grant::Grant;
use symbolon_storage::news::Topic;
use symbolon_storage::revocation::SubjectKind;
use symbolon_storage::session::{self, Session};

use crate::fixture::{
    HOUR, NOW, after, all_news, family, new_code, new_grant, new_session, person, read, upserted,
    usable, write,
};
use crate::support::for_each_engine;

async fn find(store: &Store, token: &Secret, now: Timestamp) -> Option<Session> {
    read!(store, [token], |c| session::find(
        c,
        &IssuerRole::As,
        &token,
        now
    )
    .await)
}

async fn end(store: &Store, session: &Session) -> bool {
    write!(store, [session], |tx| session::end(
        tx,
        &session.id,
        &By::system(),
        NOW
    )
    .await)
}

/// A grant that was made from a session.
async fn granted_in(store: &Store, session: &Session) -> Grant {
    let id = session.user.clone();
    let organization = session.organization.clone();
    let user = read!(store, [], |c| symbolon_storage::user::find(
        c,
        &organization,
        &id
    )
    .await);
    let mut new = new_grant(&user.unwrap(), "issues:read");
    new.session = Some(session.id.clone());
    upserted(store, &new, NOW).await.unwrap()
}

#[tokio::test]
async fn a_session_is_found_by_its_token_until_it_expires() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let (session, token) = crate::fixture::session(&store, &ada).await;

        assert_eq!(
            find(&store, &token, after(8 * HOUR - 1)).await,
            Some(session)
        );
        assert_eq!(find(&store, &token, after(8 * HOUR)).await, None);
        assert_eq!(find(&store, &random::token(), NOW).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_session_is_worth_nothing_at_another_authorization_server() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let (_, token) = crate::fixture::session(&store, &ada).await;
        let idp: IssuerRole = "idp/acme".parse().unwrap();

        let found = read!(store, [token], |c| session::find(c, &idp, &token, NOW)
            .await);
        assert_eq!(found, None);
    })
    .await;
}

#[tokio::test]
async fn an_ended_session_is_gone_and_nodes_hear_of_it() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let (session, token) = crate::fixture::session(&store, &ada).await;

        assert!(end(&store, &session).await);
        assert!(!end(&store, &session).await);
        assert_eq!(find(&store, &token, NOW).await, None);
        let news = all_news(&store).await;
        assert_eq!(news[0].topic, Topic::Revoked(SubjectKind::Session));
        assert_eq!(news[0].subject, session.id.as_str());
    })
    .await;
}

/// AS-77.
#[tokio::test]
async fn the_codes_and_refresh_tokens_of_a_session_end_with_it() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        let (session, _) = crate::fixture::session(&store, &ada).await;
        let grant = granted_in(&store, &session).await;
        let token = family(&store, &grant).await.unwrap();
        let code = new_code(&grant);
        write!(store, [], |tx| authorization_code::insert(
            tx, &[7; 32], &code
        )
        .await);

        end(&store, &session).await;

        assert_eq!(usable(&store, &token, NOW).await, None);
        let redeemed = write!(store, [], |tx| authorization_code::redeem(
            tx, &[7; 32], NOW
        )
        .await);
        assert_eq!(redeemed, Redeemed::Unknown);
        assert_eq!(family(&store, &grant).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_disabled_person_gets_no_session() {
    for_each_engine(|store| async move {
        let ada = person(&store, "ada").await;
        crate::user::disable(&store, &ada).await;

        let (session, token) = (new_session(&ada), random::token());
        assert!(!write!(store, [], |tx| session::insert(
            tx, &session, &token
        )
        .await));
    })
    .await;
}
