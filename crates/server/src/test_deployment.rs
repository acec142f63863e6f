//! A deployment for tests of the pages: a real router and an in-memory database, driven without a
//! socket. People are signed in by writing their session, since no identity provider is there.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use symbolon_net::{Clock, HttpClient, IssuerKeys, NetConfig, TestClock};
use symbolon_policy as policy;
use symbolon_protocol::ids::{ConnectionId, SessionId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::random;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::audit::By;
use symbolon_storage::definition::{self, ApplyError, Change, Draft, Kind, Owner, Secrets};
use symbolon_storage::directory::{Directory, Offer, Target, Who};
use symbolon_storage::session::{self, Session};
use symbolon_storage::user::{self, Profile};
use symbolon_storage::{
    AuthenticationFacts, KeyEncryptionKey, OpenOptions, RevocationIndex, Sealer, StorageError,
    Store, secret_key,
};
use tower::ServiceExt;

use crate::{AppState, Parts};

pub(crate) const PUBLIC_URL: &str = "https://id.example";
pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_201_200);

/// Acme with one server, and a client with one redirect URI of each kind.
pub(crate) fn acme() -> Vec<(Kind, Value)> {
    vec![
        (
            Kind::Organization,
            json!({ "id": "acme", "name": "Acme Inc.", "domains": ["acme.example"] }),
        ),
        (
            Kind::Connection,
            json!({ "id": "acme-oidc", "organization": "acme", "protocol": "oidc",
                "issuer": "https://login.acme.example", "client_id": "symbolon" }),
        ),
        (
            Kind::McpServer,
            json!({ "id": "tracker", "organization": "acme", "name": "Tracker",
                "resource": "https://id.example/mcp/tracker",
                "scopes": ["issues:read", "issues:write"],
                "tools": { "list_issues": ["issues:read"] } }),
        ),
        (
            Kind::Client,
            client(
                "desk-agent",
                &["https://desk.example/cb", "http://127.0.0.1/cb"],
            ),
        ),
        (
            Kind::Assignment,
            json!({ "id": "everyone-reads", "organization": "acme", "everyone": true,
                "mcp_server": "tracker", "scopes": ["issues:read"] }),
        ),
    ]
}

/// A public client of Acme at the `as`.
pub(crate) fn client(id: &str, redirect_uris: &[&str]) -> Value {
    json!({ "issuer": "as", "id": id, "organization": "acme", "name": "Desk Agent",
        "authentication": "none", "grants": ["authorization_code", "refresh_token"],
        "redirect_uris": redirect_uris })
}

/// A running deployment.
pub(crate) struct Deployment {
    pub(crate) state: AppState,
    pub(crate) clock: Arc<TestClock>,
    router: Router,
}

impl Deployment {
    pub(crate) async fn new(definitions: Vec<(Kind, Value)>) -> Self {
        let clock = TestClock::at(NOW);
        let store = store(definitions).await;
        let loaded: Result<_, StorageError> = store.read(|c| Box::pin(Directory::load(c))).await;
        let (directory, problems) = loaded.unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        let engine = policy::Engine::build(policy_input(&directory)).unwrap();
        let http = HttpClient::new(NetConfig::default()).unwrap();
        let secrets = store
            .write(|tx| Box::pin(secret_key::ensure_all(tx, NOW)))
            .await
            .unwrap();
        let state = AppState::new(Parts {
            public_url: PUBLIC_URL.to_owned(),
            serves_as: true,
            serves_idp: true,
            directory: Arc::new(ArcSwap::from_pointee(directory)),
            engine: Arc::new(ArcSwap::from_pointee(engine)),
            keys: Arc::default(),
            secrets: Arc::new(secrets),
            revocations: Arc::new(RevocationIndex::default()),
            issuer_keys: Arc::new(IssuerKeys::new(http.clone(), clock.clone())),
            http,
            store,
            clock: clock.clone() as Arc<dyn Clock>,
        });
        Self {
            router: crate::routes(state.clone()),
            state,
            clock,
        }
    }

    /// Signs somebody of Acme in; the `Cookie` header of her browser.
    pub(crate) async fn sign_in(&self, role: &IssuerRole, email: &str) -> String {
        let token = random::token();
        let cookie = format!("__Host-symbolon-session.as={}", token.expose());
        let (role, now) = (role.clone(), self.clock.now());
        let organization = symbolon_protocol::ids::OrganizationId::parse("acme").unwrap();
        let profile = Profile {
            email: Some(email.to_owned()),
            name: None,
        };
        let write = self.state.store.write(move |tx| {
            Box::pin(async move {
                let user = user::insert(tx, &organization, &profile, now).await?;
                let session = Session {
                    id: SessionId::generate(),
                    role,
                    organization,
                    user: user.id,
                    connection: ConnectionId::parse("acme-oidc").unwrap(),
                    upstream_sid: None,
                    facts: AuthenticationFacts {
                        auth_time: Some(now),
                        ..Default::default()
                    },
                    created_at: now,
                    expires_at: now.plus(std::time::Duration::from_secs(3600)),
                };
                assert!(session::insert(tx, &session, &token).await?);
                Ok::<_, StorageError>(())
            })
        });
        write.await.unwrap();
        cookie
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Answer {
        let request = Request::builder().uri(path).header(header::COOKIE, cookie);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)], cookie: &str) -> Answer {
        let body = serde_urlencoded::to_string(form).unwrap();
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::COOKIE, cookie)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        Answer::read(response).await
    }
}

/// What a browser got.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Where it redirects to.
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers[header::LOCATION].to_str().unwrap()
    }

    /// A parameter of where it redirects to.
    pub(crate) fn told(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.location()).unwrap();
        url.query_pairs()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The value of a hidden field of the first form that has it.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let rest = self
            .body
            .split_once(&start)
            .unwrap_or_else(|| panic!("{}", self.body))
            .1;
        rest.split('"').next().unwrap().to_owned()
    }
}

async fn store(definitions: Vec<(Kind, Value)>) -> Store {
    let sealer = Sealer::new(&KeyEncryptionKey::generate());
    let options = OpenOptions {
        migrate: true,
        create: true,
    };
    let store = Store::open("sqlite::memory:", sealer, options)
        .await
        .unwrap();
    let put = |(kind, document): (Kind, Value)| {
        Change::Put(Draft::new(kind, document, Secrets::default()).unwrap())
    };
    let changes = definitions.into_iter().map(put).collect();
    let apply = store.write(move |tx| {
        Box::pin(async move {
            definition::apply(tx, changes, &By::system(), NOW).await?;
            Ok::<_, ApplyError>(())
        })
    });
    apply.await.unwrap();
    store
}

fn policy_input(directory: &Directory) -> policy::PolicyInput {
    let owner = |owner: &Owner| owner.organization().cloned();
    let offer = |offer: &Offer| match offer {
        Offer::All => policy::OfferInput::All,
        Offer::Nobody => policy::OfferInput::Only(Vec::new()),
        Offer::Only(named) => policy::OfferInput::Only(named.iter().cloned().collect()),
    };
    let mut input = policy::PolicyInput::default();
    for server in directory.servers() {
        input.servers.push(policy::ServerInput {
            id: server.id.clone(),
            owner: owner(&server.owner),
            offered_to: offer(&server.offered_to),
            resource: server.resource.clone(),
            scopes: server.scopes.iter().map(str::to_owned).collect(),
            implies: server.implies.clone(),
            tools: Default::default(),
        });
    }
    for client in directory.clients() {
        input.clients.push(policy::ClientInput {
            issuer: client.issuer.clone(),
            id: client.id.clone(),
            owner: owner(&client.owner),
            offered_to: offer(&client.offered_to),
        });
    }
    for organization in directory.organizations() {
        let id = organization.id.clone();
        let connections = directory
            .connections_of(&id)
            .into_iter()
            .map(|c| c.id.clone());
        let connections = connections.collect();
        input.organizations.push(policy::OrganizationInput {
            id: id.clone(),
            connections,
        });
        for assignment in directory.assignments(&id) {
            input.assignments.push(policy::AssignmentInput {
                id: assignment.id.clone(),
                organization: id.clone(),
                who: match &assignment.who {
                    Who::Everyone => policy::Who::Everyone,
                    Who::Users(users) => policy::Who::Users(users.clone()),
                    Who::Groups(groups) => policy::Who::Groups(groups.clone()),
                    Who::Services(services) => policy::Who::Services(services.clone()),
                },
                target: match &assignment.target {
                    Target::Server(server) => policy::AssignmentTarget::Server(server.clone()),
                    Target::Resource(resource) => {
                        policy::AssignmentTarget::Resource(resource.clone())
                    }
                },
                scopes: assignment.scopes.clone(),
                tools: assignment.tools.clone(),
                clients: assignment.clients.clone(),
                until: assignment.until,
            });
        }
    }
    input
}
