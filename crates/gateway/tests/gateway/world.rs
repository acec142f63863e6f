//! A deployment with one organization, its people and two servers, and a gateway in front.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use symbolon_gateway::{Gateway, GatewayKeys, GatewayParts, Limits, routes};
use symbolon_net::{Clock, HttpClient, IssuerKeys, NetConfig, TestClock};
use symbolon_policy::{
    AssignmentInput, AssignmentTarget, ClientInput, Engine, OfferInput, OrganizationInput,
    PolicyInput, PolicyText, ServerInput, Who,
};
use symbolon_protocol::access_token::{self, AccessTokenClaims};
use symbolon_protocol::ids::{ClientId, ConnectionId, GrantId, OrganizationId, PolicyId, UserId};
use symbolon_protocol::issuer::{Issuer, IssuerRole};
use symbolon_protocol::jose::Algorithm;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::secret::{Secret, SecretBytes};
use symbolon_protocol::time::Timestamp;
use symbolon_storage::audit::{self, By, Journal};
use symbolon_storage::definition::{self, Change, Draft, Kind, Secrets};
use symbolon_storage::follow::Follower;
use symbolon_storage::group::{self, TokenReport};
use symbolon_storage::revocation::{self, Subject};
use symbolon_storage::signing_key::{self, KeyPurpose, KeyUse};
use symbolon_storage::user::{self, Profile};
use symbolon_storage::{
    Directory, KeyEncryptionKey, OpenOptions, RevocationIndex, Sealer, StorageError, Store,
};
use tower::ServiceExt;
use url::Url;

use crate::answer::Answer;
use crate::upstream::Upstream;

pub(crate) const PUBLIC_URL: &str = "https://id.acme.example";
pub(crate) const ISSUER: &str = "https://id.acme.example/as";
pub(crate) const TRACKER: &str = "https://id.acme.example/mcp/tracker";
pub(crate) const METADATA: &str =
    "https://id.acme.example/.well-known/oauth-protected-resource/mcp/tracker";
/// 2026-11-20T19:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_201_200);

/// What a test may ask for before the world is made.
pub(crate) struct Builder {
    limits: Limits,
    journal: usize,
    public_url: &'static str,
    tracker: Value,
    credential: Option<&'static str>,
    foreign_keys: Option<Value>,
    policies: Vec<&'static str>,
}

pub(crate) struct World {
    pub(crate) upstream: Upstream,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) store: Store,
    pub(crate) ada: UserId,
    pub(crate) gateway: Gateway,
    pub(crate) follower: Follower,
    router: Router,
    journal: Journal,
}

pub(crate) fn world() -> Builder {
    Builder {
        limits: Limits::default(),
        journal: 100,
        public_url: PUBLIC_URL,
        tracker: json!({}),
        credential: None,
        foreign_keys: None,
        policies: Vec::new(),
    }
}

impl Builder {
    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// A journal that holds so few events that it is full at once.
    pub(crate) fn tiny_journal(mut self) -> Self {
        self.journal = 1;
        self
    }

    pub(crate) fn public_url(mut self, url: &'static str) -> Self {
        self.public_url = url;
        self
    }

    /// Adds members to the definition of the server.
    pub(crate) fn tracker(mut self, members: Value) -> Self {
        self.tracker = members;
        self
    }

    pub(crate) fn credential(mut self, secret: &'static str) -> Self {
        self.credential = Some(secret);
        self
    }

    /// Names `https://login.acme.example`, with these keys, as an access token issuer.
    pub(crate) fn foreign_issuer(mut self, jwks: Value) -> Self {
        self.foreign_keys = Some(jwks);
        self
    }

    /// Adds free Cedar of the organization.
    pub(crate) fn policy(mut self, cedar: &'static str) -> Self {
        self.policies.push(cedar);
        self
    }

    pub(crate) async fn start(self) -> World {
        let upstream = Upstream::start().await;
        let clock = TestClock::at(NOW);
        let store = store().await;
        let directory = define(&store, self.definitions(&upstream)).await;
        let ada = person(&store, "ada@acme.example", &["engineering"]).await;
        let revocations = Arc::new(RevocationIndex::default());
        let follower = Follower::start(store.clone(), revocations.clone(), NOW)
            .await
            .unwrap();
        let net = NetConfig {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            ..NetConfig::default()
        };
        let http = HttpClient::new(net).unwrap();
        let journal = Journal::start(store.clone(), self.journal);
        let gateway = Gateway::new(GatewayParts {
            public_url: Url::parse(self.public_url).unwrap(),
            issuer: Issuer::parse(ISSUER).unwrap(),
            store: store.clone(),
            directory: Arc::new(ArcSwap::from_pointee(directory)),
            engine: Arc::new(ArcSwap::from_pointee(self.engine())),
            keys: Arc::new(ArcSwap::from_pointee(keys(&store).await)),
            revocations,
            journal: journal.clone(),
            issuer_keys: Arc::new(IssuerKeys::new(http.clone(), clock.clone())),
            http,
            clock: clock.clone(),
            session_secret: SecretBytes::new([7; 32]),
            limits: self.limits,
        });
        let gateway = gateway.unwrap();
        let router = routes(gateway.clone());
        World {
            upstream,
            clock,
            store,
            ada,
            gateway,
            follower,
            router,
            journal,
        }
    }

    fn definitions(&self, upstream: &Upstream) -> Vec<(Kind, Value, Secrets)> {
        let mut tracker = json!({
            "id": "tracker", "organization": "acme", "resource": TRACKER,
            "upstream": upstream.url(), "name": "Tracker",
            "scopes": ["issues:read", "issues:write", "issues:admin"],
            "implies": {"issues:write": ["issues:read"]},
            "tools": {"list_issues": ["issues:read"], "close_issue": ["issues:write"]},
        });
        merge(&mut tracker, &self.tracker);
        let secrets = self
            .credential
            .map(|secret| ("upstream_credential", secret));
        let mut definitions = vec![
            (
                Kind::Organization,
                json!({"id": "acme", "name": "Acme"}),
                None,
            ),
            (
                Kind::Organization,
                json!({"id": "beta", "name": "Beta"}),
                None,
            ),
            (
                Kind::Connection,
                json!({"id": "acme-oidc", "organization": "acme", "protocol": "oidc",
                    "issuer": "https://login.acme.example", "client_id": "symbolon",
                    "subject_claim": "oid"}),
                Some(("client_secret", "a secret")),
            ),
            (Kind::McpServer, tracker, secrets),
            (
                Kind::McpServer,
                json!({"id": "wiki", "offered_to": ["beta"], "upstream": upstream.url(),
                    "resource": "https://id.acme.example/mcp/wiki", "scopes": ["pages:read"]}),
                None,
            ),
            (
                Kind::McpServer,
                json!({"id": "own-checks", "organization": "acme", "scopes": ["a"],
                    "resource": "https://mcp.acme.example/mcp"}),
                None,
            ),
            (
                Kind::Client,
                json!({"id": "desk", "offered_to": "all", "authentication": "none",
                    "grants": ["authorization_code"],
                    "redirect_uris": ["http://127.0.0.1/callback"]}),
                None,
            ),
        ];
        if let Some(keys) = &self.foreign_keys {
            let row = json!({"organization": "acme", "issuer": "https://login.acme.example",
                "jwks": keys, "audiences": {"api://tracker": "tracker"}, "scope_claim": "scp",
                "subject": {"connection": "acme-oidc"}});
            definitions.push((Kind::AccessTokenIssuer, row, None));
        }
        let secrets = |secret: Option<(&str, &str)>| {
            secret
                .into_iter()
                .map(|(name, s)| (name.to_owned(), Secret::new(s)))
                .collect()
        };
        definitions
            .into_iter()
            .map(|(kind, document, s)| (kind, document, secrets(s)))
            .collect()
    }

    fn engine(&self) -> Engine {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let server = |id: &str, owner: Option<&str>, scopes: &[&str]| ServerInput {
            id: id.parse().unwrap(),
            owner: owner.map(organization),
            offered_to: OfferInput::Only(vec![organization("beta")]),
            resource: format!("{PUBLIC_URL}/mcp/{id}"),
            scopes: texts(scopes),
            implies: Default::default(),
            tools: Default::default(),
        };
        let mut tracker = server(
            "tracker",
            Some("acme"),
            &["issues:read", "issues:write", "issues:admin"],
        );
        tracker
            .implies
            .insert("issues:write".into(), texts(&["issues:read"]));
        tracker
            .tools
            .insert("list_issues".into(), texts(&["issues:read"]));
        tracker
            .tools
            .insert("close_issue".into(), texts(&["issues:write"]));
        let connections = vec![ConnectionId::parse("acme-oidc").unwrap()];
        let policies = self
            .policies
            .iter()
            .enumerate()
            .map(|(number, cedar)| PolicyText {
                organization: organization("acme"),
                id: PolicyId::parse(&format!("free-{number}")).unwrap(),
                cedar: (*cedar).to_owned(),
                version: 1,
            });
        let input = PolicyInput {
            organizations: vec![
                OrganizationInput {
                    id: organization("acme"),
                    connections,
                },
                OrganizationInput {
                    id: organization("beta"),
                    connections: vec![],
                },
            ],
            servers: vec![tracker, server("wiki", None, &["pages:read"])],
            clients: vec![ClientInput {
                issuer: IssuerRole::As,
                id: ClientId::parse("desk").unwrap(),
                owner: None,
                offered_to: OfferInput::All,
            }],
            foreign_resources: vec![],
            assignments: vec![AssignmentInput {
                id: "engineers".to_owned(),
                organization: organization("acme"),
                who: Who::Groups(texts(&["engineering"])),
                target: AssignmentTarget::Server("tracker".parse().unwrap()),
                scopes: texts(&["issues:read", "issues:write"]),
                tools: None,
                clients: None,
                until: None,
            }],
            policies: policies.collect(),
            version: 1,
        };
        Engine::build(input).unwrap_or_else(|problems| panic!("{problems:?}"))
    }
}

fn merge(into: &mut Value, members: &Value) {
    for (name, value) in members.as_object().unwrap() {
        into[name] = value.clone();
    }
}

pub(crate) fn organization(id: &str) -> OrganizationId {
    OrganizationId::parse(id).unwrap()
}

async fn store() -> Store {
    let sealer = Sealer::new(&KeyEncryptionKey::generate());
    let options = OpenOptions {
        migrate: true,
        create: true,
    };
    Store::open("sqlite::memory:", sealer, options)
        .await
        .unwrap()
}

async fn define(store: &Store, definitions: Vec<(Kind, Value, Secrets)>) -> Directory {
    let drafts = definitions
        .into_iter()
        .map(|(kind, document, secrets)| Change::Put(Draft::new(kind, document, secrets).unwrap()));
    let changes: Vec<Change> = drafts.collect();
    let applied = store.write(move |tx| {
        Box::pin(async move { definition::apply(tx, changes, &By::system(), NOW).await })
    });
    applied.await.unwrap();
    let (directory, problems) = store
        .read::<_, StorageError, _>(|c| Box::pin(async move { Directory::load(c).await }))
        .await
        .unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    directory
}

async fn keys(store: &Store) -> GatewayKeys {
    for purpose in [KeyPurpose::Token, KeyPurpose::IdentityHeader] {
        let usage = KeyUse {
            role: "as".to_owned(),
            purpose,
            algorithm: Algorithm::Es256,
        };
        signing_key::ensure(store, usage, By::system(), NOW)
            .await
            .unwrap();
    }
    GatewayKeys::new(1, stored_keys(store).await)
}

async fn stored_keys(store: &Store) -> Vec<signing_key::StoredKey> {
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

/// A modern message: request 7 with its metadata.
pub(crate) fn message(method: &str, params: Value) -> Value {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
}

/// `tools/call` of a tool without arguments.
pub(crate) fn call(tool: &str) -> Value {
    message("tools/call", json!({"name": tool, "arguments": {}}))
}

/// A modern request whose headers say what its body says.
pub(crate) fn modern(token: &str, message: &Value) -> Request<Body> {
    let method = message["method"].as_str().unwrap_or_default();
    let mut request = Request::post("/mcp/tracker")
        .header("host", "id.acme.example")
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    let params = &message["params"];
    if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
        request = request.header("mcp-name", name);
    }
    request.body(Body::from(message.to_string())).unwrap()
}

/// A legacy request.
pub(crate) fn legacy(token: &str, session: Option<&str>, message: &Value) -> Request<Body> {
    let mut request = Request::post("/mcp/tracker")
        .header("host", "id.acme.example")
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json");
    if message["method"] != "initialize" {
        request = request.header("mcp-protocol-version", "2025-11-25");
    }
    if let Some(session) = session {
        request = request.header("mcp-session-id", session);
    }
    request.body(Body::from(message.to_string())).unwrap()
}
