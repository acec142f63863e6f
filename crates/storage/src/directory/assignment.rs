//! An assignment: which people or clients may reach what, with which scopes and tools.

use serde::Deserialize;
use symbolon_protocol::ids::{ClientId, OrganizationId, ServerId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;

use super::{Directory, document};
use crate::definition::Definition;

/// An administrator's rule; compiled to Cedar elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Assignment {
    /// Its name in the organization.
    pub id: String,
    /// Whose people it is about.
    pub organization: OrganizationId,
    /// Who may.
    pub who: Who,
    /// What they may reach.
    pub target: Target,
    /// With which scopes.
    pub scopes: Vec<String>,
    /// With which tools; `None`: whatever the scopes allow.
    pub tools: Option<Vec<String>>,
    /// Through which clients; `None`: any that is offered to the organization.
    pub clients: Option<Vec<ClientId>>,
    /// Until when; `None`: no end.
    pub until: Option<Timestamp>,
}

/// Who an assignment is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Who {
    /// Everybody of the organization.
    Everyone,
    /// Members of any of these groups.
    Groups(Vec<String>),
    /// These people, by email address or user id.
    Users(Vec<String>),
    /// These clients, acting for themselves.
    Services(Vec<ClientId>),
}

/// What an assignment is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// An MCP server of ours.
    Server(ServerId),
    /// A resource of a resource authorization server.
    Resource(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "id")]
    _id: Option<String>,
    #[serde(rename = "organization")]
    _organization: OrganizationId,
    groups: Option<Vec<String>>,
    users: Option<Vec<String>>,
    everyone: Option<bool>,
    services: Option<Vec<ClientId>>,
    mcp_server: Option<ServerId>,
    resource: Option<String>,
    scopes: Vec<String>,
    tools: Option<Vec<String>>,
    clients: Option<Vec<ClientId>>,
    until: Option<Timestamp>,
}

impl Assignment {
    pub(super) fn read(definition: &Definition) -> Result<Self, String> {
        let document: Document = document::read(definition)?;
        document::check_scopes(&document.scopes)?;
        let who = match (
            document.groups,
            document.users,
            document.everyone,
            document.services,
        ) {
            (Some(groups), None, None, None) => Who::Groups(groups),
            (None, Some(users), None, None) => Who::Users(users),
            (None, None, Some(true), None) => Who::Everyone,
            (None, None, None, Some(services)) => Who::Services(services),
            _ => return Err("set one of groups, users, everyone = true, services".to_owned()),
        };
        let target = match (document.mcp_server, document.resource) {
            (Some(server), None) => Target::Server(server),
            (None, Some(resource)) => Target::Resource(resource),
            _ => return Err("set mcp_server or resource".to_owned()),
        };
        Ok(Self {
            id: definition.key.id.clone(),
            organization: document::organization_of(definition)?,
            who,
            target,
            scopes: document.scopes,
            tools: document.tools,
            clients: document.clients,
            until: document.until,
        })
    }
}

impl Directory {
    pub(super) fn add_assignment(&mut self, assignment: Assignment) -> Result<(), String> {
        let organization = &assignment.organization;
        self.check_organization(organization)?;
        let known = self.scopes_of(&assignment.target, organization)?;
        if let Some(scope) = assignment
            .scopes
            .iter()
            .find(|scope| !known.contains(scope))
        {
            return Err(format!(
                "scope {scope:?} is not a scope of what is assigned"
            ));
        }
        if let Who::Services(services) = &assignment.who {
            for client in services {
                self.check_client(&IssuerRole::As, client, organization)?;
            }
        }
        for client in assignment.clients.iter().flatten() {
            self.check_client(&IssuerRole::As, client, organization)
                .or_else(|error| {
                    let idp = IssuerRole::Idp(organization.clone());
                    self.check_client(&idp, client, organization)
                        .map_err(|_| error)
                })?;
        }
        self.assignments
            .entry(organization.clone())
            .or_default()
            .push(assignment);
        Ok(())
    }

    fn scopes_of(
        &self,
        target: &Target,
        organization: &OrganizationId,
    ) -> Result<ScopeSet, String> {
        match target {
            Target::Server(id) => Ok(self.check_server(id, organization)?.scopes.clone()),
            Target::Resource(resource) => {
                let servers = self.resource_authorization_servers(organization);
                let scopes = servers
                    .iter()
                    .find_map(|server| server.resources.get(resource));
                let scopes = scopes.ok_or_else(|| {
                    format!("no resource authorization server of {organization} has {resource:?}")
                })?;
                ScopeSet::from_scopes(scopes).map_err(|error| error.to_string())
            }
        }
    }
}
