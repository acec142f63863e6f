//! An organization to ask about, and questions to ask.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Map, Value};
use symbolon_policy::{
    Action, AssignmentInput, AssignmentTarget, ClientInput, Context, Decision, DenyReason, Engine,
    Explanation, ForeignResourceInput, Groups, OfferInput, OrganizationInput, PolicyInput,
    PolicyProblem, PolicyText, Principal, Request, Resource, ServerInput, Target, Who,
};
use symbolon_protocol::ids::{
    ClientId, ConnectionId, GroupKey, OrganizationId, PolicyId, ServerId, UserId,
};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;

pub(crate) const VENDOR: &str = "https://auth.vendor.example";
pub(crate) const FILES: &str = "https://mcp.vendor.example/mcp";

pub(crate) fn organization(id: &str) -> OrganizationId {
    OrganizationId::parse(id).unwrap()
}

fn client(id: &str) -> ClientId {
    ClientId::parse(id).unwrap()
}

fn server_id(id: &str) -> ServerId {
    ServerId::parse(id).unwrap()
}

pub(crate) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Definitions: organization `acme` with a server `tracker`, clients and a foreign resource.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) input: PolicyInput,
}

impl World {
    pub(crate) fn acme() -> Self {
        let acme = || organization("acme");
        let mut world = Self {
            input: PolicyInput {
                version: 7,
                ..PolicyInput::default()
            },
        };
        world.organization("acme", &["acme-oidc"]);
        world.server("tracker", Some("acme"), OfferInput::All);
        world.client(IssuerRole::As, "desk-agent", None, OfferInput::All);
        world.client(
            IssuerRole::Idp(acme()),
            "desk-agent",
            Some("acme"),
            OfferInput::All,
        );
        world.client(IssuerRole::As, "other-agent", None, OfferInput::All);
        world.client(
            IssuerRole::As,
            "nightly-sync",
            Some("acme"),
            OfferInput::All,
        );
        world.input.foreign_resources.push(ForeignResourceInput {
            organization: acme(),
            issuer: VENDOR.to_owned(),
            resource: FILES.to_owned(),
            scopes: texts(&["files:read", "files:write"]),
        });
        world
    }

    pub(crate) fn organization(&mut self, id: &str, connections: &[&str]) {
        self.input.organizations.push(OrganizationInput {
            id: organization(id),
            connections: connections
                .iter()
                .map(|id| ConnectionId::parse(id).unwrap())
                .collect(),
        });
    }

    pub(crate) fn server(&mut self, id: &str, owner: Option<&str>, offered_to: OfferInput) {
        self.input.servers.push(ServerInput {
            id: server_id(id),
            owner: owner.map(organization),
            offered_to,
            resource: format!("https://id.example/mcp/{id}"),
            scopes: texts(&["issues:read", "issues:write", "issues:admin"]),
            implies: BTreeMap::from([("issues:write".to_owned(), texts(&["issues:read"]))]),
            tools: BTreeMap::from([
                ("list_issues".to_owned(), texts(&["issues:read"])),
                ("close_issue".to_owned(), texts(&["issues:write"])),
                ("ping".to_owned(), Vec::new()),
            ]),
        });
    }

    pub(crate) fn client(
        &mut self,
        issuer: IssuerRole,
        id: &str,
        owner: Option<&str>,
        offered_to: OfferInput,
    ) {
        let owner = owner.map(organization);
        self.input.clients.push(ClientInput {
            issuer,
            id: client(id),
            owner,
            offered_to,
        });
    }

    /// `engineering` may read the tracker, unless changed.
    pub(crate) fn assign(mut self, change: impl FnOnce(&mut AssignmentInput)) -> Self {
        let mut assignment = AssignmentInput {
            id: format!("a{}", self.input.assignments.len() + 1),
            organization: organization("acme"),
            who: Who::Groups(texts(&["engineering"])),
            target: AssignmentTarget::Server(server_id("tracker")),
            scopes: texts(&["issues:read"]),
            tools: None,
            clients: None,
            until: None,
        };
        change(&mut assignment);
        self.input.assignments.push(assignment);
        self
    }

    pub(crate) fn policy(self, id: &str, cedar: &str) -> Self {
        self.policy_of("acme", id, cedar)
    }

    pub(crate) fn policy_of(mut self, owner: &str, id: &str, cedar: &str) -> Self {
        self.input.policies.push(PolicyText {
            organization: organization(owner),
            id: PolicyId::parse(id).unwrap(),
            cedar: cedar.to_owned(),
            version: 1,
        });
        self
    }

    pub(crate) fn engine(self) -> Engine {
        Engine::build(self.input).unwrap_or_else(|problems| panic!("{problems:#?}"))
    }

    pub(crate) fn problems(self) -> Vec<PolicyProblem> {
        Engine::build(self.input).err().unwrap_or_default()
    }
}

pub(crate) fn on_server(id: &str) -> AssignmentTarget {
    AssignmentTarget::Server(server_id(id))
}

pub(crate) fn clients(ids: &[&str]) -> Vec<ClientId> {
    ids.iter().map(|id| client(id)).collect()
}

pub(crate) fn group(source: &str, external_id: &str) -> GroupKey {
    GroupKey {
        source: source.to_owned(),
        external_id: external_id.to_owned(),
    }
}

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum On<'a> {
    Scope(&'a str),
    ScopeOf(&'a str, &'a str),
    Foreign(&'a str),
    Tool(&'a str),
    Server(&'a str),
}

/// A question, by default of Ada from `engineering` through `desk-agent`.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) organization: OrganizationId,
    pub(crate) service: Option<ClientId>,
    pub(crate) user: UserId,
    pub(crate) email: Option<String>,
    pub(crate) groups: Option<Vec<GroupKey>>,
    pub(crate) client: Option<(IssuerRole, ClientId)>,
    pub(crate) client_authentication: Option<String>,
    pub(crate) scopes: ScopeSet,
    pub(crate) acr: Option<String>,
    pub(crate) amr: Vec<String>,
    pub(crate) signed_in_ago: Option<Duration>,
    pub(crate) source_address: Option<IpAddr>,
    pub(crate) sender_constraint: Option<String>,
    pub(crate) arguments: Option<Map<String, Value>>,
    pub(crate) now: Timestamp,
}

impl Ask {
    pub(crate) fn ada() -> Self {
        Self {
            organization: organization("acme"),
            service: None,
            user: UserId::parse("u-ada").unwrap(),
            email: Some("ada@acme.example".to_owned()),
            groups: Some(vec![group("acme-oidc", "engineering")]),
            client: Some((IssuerRole::As, client("desk-agent"))),
            client_authentication: Some("client_secret_basic".to_owned()),
            scopes: ScopeSet::parse("issues:read").unwrap(),
            acr: None,
            amr: Vec::new(),
            signed_in_ago: Some(Duration::from_secs(1000)),
            source_address: None,
            sender_constraint: None,
            arguments: Some(Map::new()),
            now: Timestamp::parse("2026-11-20T19:00:00Z").unwrap(),
        }
    }

    /// A person of no group.
    pub(crate) fn bob() -> Self {
        Self {
            user: UserId::parse("u-bob").unwrap(),
            email: Some("bob@acme.example".to_owned()),
            groups: Some(Vec::new()),
            ..Self::ada()
        }
    }

    pub(crate) fn service(id: &str) -> Self {
        let id = client(id);
        let through = Some((IssuerRole::As, id.clone()));
        Self {
            service: Some(id),
            client: through,
            signed_in_ago: None,
            ..Self::bob()
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn scopes(self, scopes: &str) -> Self {
        self.with(|ask| ask.scopes = ScopeSet::parse(scopes).unwrap())
    }

    pub(crate) fn through(self, issuer: IssuerRole, id: &str) -> Self {
        self.with(|ask| ask.client = Some((issuer, client(id))))
    }

    pub(crate) fn at(self, now: &str) -> Self {
        self.with(|ask| ask.now = Timestamp::parse(now).unwrap())
    }

    pub(crate) fn request<R>(
        &self,
        action: Action,
        on: On<'_>,
        ask: impl FnOnce(&Request<'_>) -> R,
    ) -> R {
        let server = server_id(match on {
            On::ScopeOf(server, _) | On::Server(server) => server,
            On::Scope(_) | On::Foreign(_) | On::Tool(_) => "tracker",
        });
        let groups = self.groups.as_deref();
        let principal = match &self.service {
            Some(id) => Principal::Client { id },
            None => Principal::User {
                id: &self.user,
                email: self.email.as_deref(),
                groups: groups.map_or(Groups::Unknown, Groups::Known),
            },
        };
        let resource = match on {
            On::Scope(scope) | On::ScopeOf(_, scope) => Resource::Scope {
                target: Target::Server(&server),
                scope,
            },
            On::Foreign(scope) => {
                let target = Target::Foreign {
                    issuer: VENDOR,
                    resource: FILES,
                };
                Resource::Scope { target, scope }
            }
            On::Tool(name) => Resource::Tool {
                server: &server,
                name,
            },
            On::Server(_) => Resource::Server {
                server: &server,
                name: "file:///notes",
            },
        };
        let context = Context {
            client: self.client.as_ref().map(|(issuer, id)| (issuer, id)),
            client_authentication: self.client_authentication.as_deref(),
            scopes: &self.scopes,
            acr: self.acr.as_deref(),
            amr: &self.amr,
            auth_time: self.signed_in_ago.map(|ago| self.now.minus(ago)),
            source_address: self.source_address,
            sender_constraint: self.sender_constraint.as_deref(),
            arguments: self.arguments.as_ref(),
        };
        let (organization, now) = (&self.organization, self.now);
        ask(&Request {
            organization,
            principal,
            action,
            resource,
            context,
            now,
        })
    }

    pub(crate) fn decide(&self, engine: &Engine, action: Action, on: On<'_>) -> Decision {
        self.request(action, on, |request| engine.decide(request))
    }

    pub(crate) fn may(&self, engine: &Engine, action: Action, on: On<'_>) -> bool {
        self.decide(engine, action, on).is_allow()
    }

    pub(crate) fn explain(&self, engine: &Engine, action: Action, on: On<'_>) -> Explanation {
        self.request(action, on, |request| engine.explain(request))
    }

    /// Why it is denied; panics if it is not.
    pub(crate) fn denied(&self, engine: &Engine, action: Action, on: On<'_>) -> DenyReason {
        match self.decide(engine, action, on) {
            Decision::Deny { reason, .. } => reason,
            other => panic!("not denied: {other:?}"),
        }
    }
}
