//! What an administrator defined: as documents for the directory, and the same for the engine.

use serde_json::{Value, json};
use symbolon_policy::{
    AssignmentInput, AssignmentTarget, ClientInput, Engine, OfferInput, OrganizationInput,
    PolicyInput, PolicyText, ServerInput, Who,
};
use symbolon_protocol::ids::{ClientId, ConnectionId, PolicyId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::secret::Secret;
use symbolon_storage::definition::{Kind, Secrets};

use crate::builder::Builder;
use crate::upstream::Upstream;
use crate::world::{PUBLIC_URL, TRACKER, organization};

impl Builder {
    pub(crate) fn definitions(&self, upstream: &Upstream) -> Vec<(Kind, Value, Secrets)> {
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

    pub(crate) fn engine(&self) -> Engine {
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
