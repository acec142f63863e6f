//! People, clients and times for the tests, and two macros that call the store.

use std::time::Duration;

use symbolon_protocol::ids::{ClientId, ConnectionId, GrantId, OrganizationId, SessionId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::pkce::CodeVerifier;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::secret::{Secret, SecretBytes};
use symbolon_protocol::time::Timestamp;
use symbolon_storage::authorization_code::AuthorizationCode;
use symbolon_storage::grant::{self, Grant, NewGrant, Origin};
use symbolon_storage::linked_identity::{self, ExternalSubject, Provisioned, TombstoneSecret};
use symbolon_storage::news::{self, News};
use symbolon_storage::refresh_token::{self, NewFamily, RefreshFamily, RefreshSecret};
use symbolon_storage::session::{self, Session};
use symbolon_storage::user::{Profile, User};
use symbolon_storage::{AuthenticationFacts, Store};

/// Runs a transaction; the named values are cloned into it.
macro_rules! write {
    ($store:expr, [$($name:ident),*], |$tx:ident| $body:expr) => {{
        $(let $name = $name.clone();)*
        $store.write(move |$tx| Box::pin(async move { $body })).await.unwrap()
    }};
}

/// Reads; the named values are cloned into it.
macro_rules! read {
    ($store:expr, [$($name:ident),*], |$connection:ident| $body:expr) => {{
        $(let $name = $name.clone();)*
        $store.read(move |$connection| Box::pin(async move { $body })).await.unwrap()
    }};
}
pub(crate) use {read, write};

pub(crate) const ACME: &str = "acme";
pub(crate) const GLOBEX: &str = "globex";
pub(crate) const TRACKER: &str = "https://id.example/mcp/tracker";

/// 2026-11-20T09:00:00Z, the moment at which tests begin.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_165_200);

pub(crate) fn after(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

pub(crate) const MINUTE: u64 = 60;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

pub(crate) fn organization(id: &str) -> OrganizationId {
    OrganizationId::parse(id).unwrap()
}

pub(crate) fn connection(id: &str) -> ConnectionId {
    ConnectionId::parse(id).unwrap()
}

pub(crate) fn client(id: &str) -> ClientId {
    ClientId::parse(id).unwrap()
}

pub(crate) fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

pub(crate) fn tombstone_secret() -> TombstoneSecret {
    TombstoneSecret::new(SecretBytes::new([1; 32]))
}

pub(crate) fn refresh_secret() -> RefreshSecret {
    RefreshSecret::new(SecretBytes::new([2; 32]))
}

/// A person of Acme at its connection.
pub(crate) fn subject(name: &str) -> ExternalSubject {
    ExternalSubject {
        organization: organization(ACME),
        connection: connection("acme-oidc"),
        tenant: None,
        subject: name.to_owned(),
    }
}

pub(crate) fn profile(name: &str) -> Profile {
    Profile {
        email: Some(format!("{name}@acme.example")),
        name: Some(name.to_owned()),
    }
}

/// Signs somebody of Acme in for the first time.
pub(crate) async fn person(store: &Store, name: &str) -> User {
    let (subject, profile, secret) = (subject(name), profile(name), tombstone_secret());
    let provisioned = write!(store, [], |tx| {
        linked_identity::provision(tx, &subject, &profile, &secret, NOW).await
    });
    match provisioned {
        Provisioned::Created(user) => user,
        other => panic!("{name} is not new: {other:?}"),
    }
}

pub(crate) fn facts() -> AuthenticationFacts {
    AuthenticationFacts {
        auth_time: Some(NOW),
        acr: Some("urn:example:strong".to_owned()),
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
    }
}

pub(crate) fn new_grant(user: &User, text: &str) -> NewGrant {
    NewGrant {
        role: IssuerRole::As,
        organization: user.organization.clone(),
        user: Some(user.id.clone()),
        client: client("desk-agent"),
        resource: TRACKER.to_owned(),
        scopes: scopes(text),
        session: None,
        origin: Origin::AuthorizationCode,
    }
}

pub(crate) async fn granted(store: &Store, user: &User) -> Grant {
    upserted(store, &new_grant(user, "issues:read"), NOW)
        .await
        .unwrap()
}

pub(crate) async fn upserted(store: &Store, new: &NewGrant, now: Timestamp) -> Option<Grant> {
    write!(store, [new], |tx| grant::upsert(tx, &new, now).await)
}

pub(crate) async fn found(store: &Store, id: &GrantId) -> Grant {
    read!(store, [id], |c| grant::find(c, &id).await).expect("the grant")
}

pub(crate) fn new_session(user: &User) -> Session {
    Session {
        id: SessionId::generate(),
        role: IssuerRole::As,
        organization: user.organization.clone(),
        user: user.id.clone(),
        connection: connection("acme-oidc"),
        upstream_sid: Some("upstream".to_owned()),
        facts: facts(),
        created_at: NOW,
        expires_at: after(8 * HOUR),
    }
}

/// Begins a session for somebody; answers it with the token the browser holds.
pub(crate) async fn session(store: &Store, user: &User) -> (Session, Secret) {
    let (session, token) = (new_session(user), symbolon_protocol::random::token());
    assert!(write!(store, [session, token], |tx| session::insert(
        tx, &session, &token
    )
    .await));
    (session, token)
}

pub(crate) fn new_code(grant: &Grant) -> AuthorizationCode {
    AuthorizationCode {
        role: IssuerRole::As,
        organization: grant.organization.clone(),
        client: grant.client.clone(),
        redirect_uri: "http://127.0.0.1:4711/callback".to_owned(),
        challenge: CodeVerifier::generate().challenge(),
        resource: Some(grant.resource.clone()),
        scopes: grant.scopes.clone(),
        nonce: Some("nonce".to_owned()),
        user: user_of(grant),
        session: grant.session.clone(),
        grant: grant.id.clone(),
        facts: facts(),
        expires_at: after(MINUTE),
    }
}

pub(crate) fn new_family(grant: &Grant) -> NewFamily {
    NewFamily {
        grant: grant.id.clone(),
        role: grant.role.clone(),
        organization: grant.organization.clone(),
        client: grant.client.clone(),
        user: user_of(grant),
        session: grant.session.clone(),
        resource: Some(grant.resource.clone()),
        scopes: grant.scopes.clone(),
        facts: facts(),
    }
}

fn user_of(grant: &Grant) -> UserId {
    grant.user.clone().expect("a person's grant")
}

/// Begins a family for a grant; answers its first token.
pub(crate) async fn family(store: &Store, grant: &Grant) -> Option<Secret> {
    let (secret, new) = (refresh_secret(), new_family(grant));
    write!(store, [], |tx| refresh_token::insert(
        tx, &secret, &new, NOW
    )
    .await)
}

/// The family of a token that is still good.
pub(crate) async fn usable(store: &Store, token: &Secret, now: Timestamp) -> Option<RefreshFamily> {
    let token = refresh_secret().read(token).expect("one of our tokens");
    read!(store, [token], |c| refresh_token::find(
        c,
        &token,
        &IssuerRole::As,
        now
    )
    .await)
}

/// Everything that nodes were told so far.
pub(crate) async fn all_news(store: &Store) -> Vec<News> {
    read!(store, [], |c| news::read_after(c, 0).await)
}
