//! Owner and offer, checked in code before any Cedar runs (design §4 rule 10).
//!
//! What an organization owns is for that organization alone; what the deployment owns is for those
//! it is offered to. No policy text can change that.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use symbolon_protocol::ids::{ClientId, OrganizationId, ServerId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::scope::ScopeSet;

use crate::decision::DenyReason;
use crate::input::{ClientInput, OfferInput, PolicyInput, ServerInput};
use crate::request::{Principal, Request};

/// Everything that can be offered.
#[derive(Debug, Default)]
pub(crate) struct Offers {
    servers: HashMap<ServerId, Server>,
    clients: HashMap<IssuerRole, HashMap<ClientId, Ownership>>,
    foreign: HashMap<OrganizationId, Vec<ForeignResource>>,
}

#[derive(Debug)]
struct Ownership {
    owner: Option<OrganizationId>,
    offered_to: OfferInput,
}

impl Ownership {
    fn is_for(&self, organization: &OrganizationId) -> bool {
        match (&self.owner, &self.offered_to) {
            (Some(owner), _) => owner == organization,
            (None, OfferInput::All) => true,
            (None, OfferInput::Only(organizations)) => organizations.contains(organization),
        }
    }
}

/// An MCP server with its scopes worked out.
#[derive(Debug)]
pub(crate) struct Server {
    ownership: Ownership,
    pub(crate) resource: String,
    /// Each scope with itself and all it implies, directly or not.
    scopes: BTreeMap<String, BTreeSet<String>>,
    tools: BTreeMap<String, Vec<String>>,
}

/// A resource behind a foreign authorization server.
#[derive(Debug)]
pub(crate) struct ForeignResource {
    pub(crate) issuer: String,
    pub(crate) resource: String,
    pub(crate) scopes: Vec<String>,
}

impl Server {
    fn new(input: &ServerInput) -> Self {
        let scopes = input
            .scopes
            .iter()
            .map(|scope| (scope.clone(), closure(input, scope)));
        Self {
            ownership: Ownership {
                owner: input.owner.clone(),
                offered_to: input.offered_to.clone(),
            },
            resource: input.resource.clone(),
            scopes: scopes.collect(),
            tools: input.tools.clone(),
        }
    }

    pub(crate) fn owner(&self) -> Option<&OrganizationId> {
        self.ownership.owner.as_ref()
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.contains_key(scope)
    }

    /// The scope and everything it implies.
    pub(crate) fn implied<'a>(&'a self, scope: &str) -> impl Iterator<Item = &'a str> {
        self.scopes
            .get(scope)
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// The scopes a tool needs; one that is not listed needs every scope.
    pub(crate) fn needed(&self, tool: &str) -> Vec<&str> {
        match self.tools.get(tool) {
            Some(scopes) => scopes.iter().map(String::as_str).collect(),
            None => self.scopes.keys().map(String::as_str).collect(),
        }
    }

    /// Whether the scopes, with all they imply, cover what the tool needs.
    pub(crate) fn is_sufficient(&self, scopes: &ScopeSet, tool: &str) -> bool {
        self.needed(tool).into_iter().all(|needed| {
            scopes.contains(needed)
                || scopes
                    .iter()
                    .any(|scope| self.implied(scope).any(|implied| implied == needed))
        })
    }
}

fn closure(server: &ServerInput, scope: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::from([scope.to_owned()]);
    let mut open = vec![scope];
    while let Some(scope) = open.pop() {
        for implied in server.implies.get(scope).into_iter().flatten() {
            if found.insert(implied.clone()) {
                open.push(implied);
            }
        }
    }
    found
}

impl Offers {
    pub(crate) fn new(input: &PolicyInput) -> Self {
        let mut offers = Self::default();
        for server in &input.servers {
            offers
                .servers
                .insert(server.id.clone(), Server::new(server));
        }
        for ClientInput {
            issuer,
            id,
            owner,
            offered_to,
        } in &input.clients
        {
            let ownership = Ownership {
                owner: owner.clone(),
                offered_to: offered_to.clone(),
            };
            let registrations = offers.clients.entry(issuer.clone()).or_default();
            registrations.insert(id.clone(), ownership);
        }
        for foreign in &input.foreign_resources {
            let own = offers
                .foreign
                .entry(foreign.organization.clone())
                .or_default();
            own.push(ForeignResource {
                issuer: foreign.issuer.clone(),
                resource: foreign.resource.clone(),
                scopes: foreign.scopes.clone(),
            });
        }
        offers
    }

    /// The server, if it is for this organization.
    pub(crate) fn server(&self, organization: &OrganizationId, id: &ServerId) -> Option<&Server> {
        self.servers
            .get(id)
            .filter(|server| server.ownership.is_for(organization))
    }

    /// The organization's foreign resources with that identifier, one per issuer.
    pub(crate) fn foreign<'a>(
        &'a self,
        organization: &OrganizationId,
        resource: &'a str,
    ) -> impl Iterator<Item = &'a ForeignResource> {
        let own = self
            .foreign
            .get(organization)
            .map(Vec::as_slice)
            .unwrap_or_default();
        own.iter()
            .filter(move |foreign| foreign.resource == resource)
    }

    /// Whether the organization has a resource authorization server of that issuer.
    pub(crate) fn has_issuer(&self, organization: &OrganizationId, issuer: &str) -> bool {
        let own = self
            .foreign
            .get(organization)
            .map(Vec::as_slice)
            .unwrap_or_default();
        own.iter().any(|foreign| foreign.issuer == issuer)
    }

    /// The owner of a client, if it is registered there and for this organization.
    ///
    /// A registration at one organization's `idp` is for nobody of another organization.
    pub(crate) fn client(
        &self,
        organization: &OrganizationId,
        issuer: &IssuerRole,
        id: &ClientId,
    ) -> Option<Option<&OrganizationId>> {
        if matches!(issuer, IssuerRole::Idp(other) if other != organization) {
            return None;
        }
        let ownership = self.clients.get(issuer)?.get(id)?;
        ownership
            .is_for(organization)
            .then_some(ownership.owner.as_ref())
    }

    /// Checks that the clients of a request are for its organization.
    ///
    /// # Errors
    /// [`DenyReason::ClientNotOffered`], whether or not the client exists.
    pub(crate) fn admit_clients(&self, request: &Request<'_>) -> Result<(), DenyReason> {
        let service = match request.principal {
            Principal::Client { id } => Some((&IssuerRole::As, id)),
            Principal::User { .. } => None,
        };
        for (issuer, id) in service.into_iter().chain(request.context.client) {
            if self.client(request.organization, issuer, id).is_none() {
                return Err(DenyReason::ClientNotOffered {
                    client: id.to_string(),
                    issuer: issuer.to_string(),
                    organization: request.organization.clone(),
                });
            }
        }
        Ok(())
    }
}
