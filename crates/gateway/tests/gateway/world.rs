//! A running gateway, and what tests do to it and ask of it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use symbolon_gateway::{Gateway, GatewayKeys};
use symbolon_net::{Clock, TestClock};
use symbolon_protocol::access_token::{self, AccessTokenClaims};
use symbolon_protocol::ids::{ClientId, ConnectionId, GrantId, OrganizationId, UserId};
use symbolon_protocol::issuer::Issuer;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::audit::{self, By, Journal};
use symbolon_storage::follow::Follower;
use symbolon_storage::group::{self, TokenReport};
use symbolon_storage::revocation::{self, Subject};
use symbolon_storage::signing_key::{self, KeyPurpose};
use symbolon_storage::user::{self, Profile};
use symbolon_storage::{StorageError, Store};
use tower::ServiceExt;

use crate::answer::Answer;
use crate::request::modern;
use crate::upstream::Upstream;

pub(crate) const PUBLIC_URL: &str = "https://id.acme.example";
pub(crate) const ISSUER: &str = "https://id.acme.example/as";
pub(crate) const TRACKER: &str = "https://id.acme.example/mcp/tracker";
pub(crate) const METADATA: &str =
    "https://id.acme.example/.well-known/oauth-protected-resource/mcp/tracker";
/// 2026-11-20T19:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_201_200);

pub(crate) struct World {
    pub(crate) upstream: Upstream,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) store: Store,
    pub(crate) ada: UserId,
    pub(crate) gateway: Gateway,
    pub(crate) follower: Follower,
    pub(crate) keys: Arc<ArcSwap<GatewayKeys>>,
    pub(crate) router: Router,
    pub(crate) journal: Journal,
}

pub(crate) fn organization(id: &str) -> OrganizationId {
    OrganizationId::parse(id).unwrap()
}

pub(crate) async fn stored_keys(store: &Store) -> Vec<signing_key::StoredKey> {
    store
        .read::<_, StorageError, _>(|c| Box::pin(async move { signing_key::list(c).await }))
        .await
        .unwrap()
}

/// Adds a person of `acme`.
pub(crate) async fn person(store: &Store, email: &str, groups: &[&str]) -> UserId {
    let profile = Profile {
        email: Some(email.to_owned()),
        name: None,
    };
    let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
    store
        .write::<_, StorageError, _>(move |tx| {
            Box::pin(async move {
                let acme = organization("acme");
                let user = user::insert(tx, &acme, &profile, NOW).await?;
                let report = TokenReport {
                    organization: &acme,
                    user: &user.id,
                    source: &ConnectionId::parse("acme-oidc").unwrap(),
                    groups: &groups,
                    learned_at: NOW,
                };
                group::replace_from_token(tx, &report, NOW).await?;
                Ok(user.id)
            })
        })
        .await
        .unwrap()
}

impl World {
    /// Sends a request straight into the router.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Sends a request and leaves the body of the answer unread.
    pub(crate) async fn open(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Posts a modern message with its headers and this token.
    pub(crate) async fn post(&self, token: &str, message: &Value) -> Answer {
        self.send(modern(token, message)).await
    }

    /// A token of Ada for the tracker, with these scopes.
    pub(crate) async fn token(&self, scopes: &str) -> String {
        self.token_with(scopes, |_| {}).await
    }

    pub(crate) async fn token_with(
        &self,
        scopes: &str,
        change: impl FnOnce(&mut AccessTokenClaims),
    ) -> String {
        let mut claims = AccessTokenClaims {
            iss: Issuer::parse(ISSUER).unwrap(),
            sub: self.ada.to_string(),
            aud: TRACKER.to_owned(),
            client_id: ClientId::parse("desk").unwrap(),
            jti: "at-1".to_owned(),
            iat: NOW,
            exp: NOW.plus(Duration::from_secs(900)),
            scope: ScopeSet::parse(scopes).unwrap(),
            auth_time: Some(NOW.minus(Duration::from_secs(600))),
            acr: None,
            amr: vec![],
            cnf: None,
            act: None,
            sid: None,
            grant_id: GrantId::parse("grant-1").unwrap(),
            org: organization("acme"),
        };
        change(&mut claims);
        self.sign(access_token::TYP, &serde_json::to_value(&claims).unwrap())
            .await
    }

    /// Signs anything with the key of our access tokens.
    pub(crate) async fn sign(&self, typ: &str, claims: &Value) -> String {
        let keys = stored_keys(&self.store).await;
        let key = keys
            .iter()
            .find(|key| key.usage.purpose == KeyPurpose::Token)
            .unwrap();
        key.key.sign(typ, claims).unwrap()
    }

    /// Revokes and lets the gateway hear of it.
    pub(crate) async fn revoke(&mut self, subject: Subject) {
        let now = self.clock.now();
        let revoked = self.store.write::<_, StorageError, _>(move |tx| {
            Box::pin(
                async move { revocation::revoke(tx, &subject, "a test", &By::system(), now).await },
            )
        });
        revoked.await.unwrap();
        self.follow().await;
    }

    /// Reads the news, as the process does five times a second.
    pub(crate) async fn follow(&mut self) {
        for user in self.follower.poll(self.clock.now()).await.unwrap().facts {
            self.gateway.forget_facts(&user);
        }
    }

    /// Lets time pass, with the news read meanwhile.
    pub(crate) async fn wait(&mut self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.follow().await;
    }

    /// The audit events of calls, the oldest first, as `(outcome, reason, details)`.
    pub(crate) async fn calls(&self) -> Vec<(String, Option<String>, Value)> {
        let events = self.events("mcp.call").await.into_iter();
        let read = |event: audit::Recorded| {
            let details = serde_json::from_str(&event.details).unwrap();
            (event.outcome, event.reason, details)
        };
        events.map(read).collect()
    }

    /// The request ids of calls, the oldest first.
    pub(crate) async fn request_ids(&self) -> Vec<String> {
        self.events("mcp.call")
            .await
            .into_iter()
            .map(|event| event.request_id)
            .collect()
    }

    /// What was recorded of strangers.
    pub(crate) async fn strangers(&self) -> Vec<Value> {
        let events = self.events("strangers.failed").await.into_iter();
        events
            .map(|event| serde_json::from_str(&event.details).unwrap())
            .collect()
    }

    async fn events(&self, action: &str) -> Vec<audit::Recorded> {
        self.journal.flush().await.unwrap();
        let filter = audit::Filter {
            action: Some(action.to_owned()),
            scope: audit::Scope::Everything,
            ..audit::Filter::default()
        };
        let page = self.store.read::<_, StorageError, _>(|c| {
            Box::pin(async move { audit::list(c, &filter, None, 100).await })
        });
        page.await.unwrap().events.into_iter().rev().collect()
    }

    /// The key set that our authorization server publishes.
    pub(crate) async fn jwks(&self) -> Value {
        json!({"keys": signing_key::public_jwks(&stored_keys(&self.store).await, "as")})
    }
}
