//! Everything an administrator defined, as types, in memory.
//!
//! A directory is built from definitions, never changed, and swapped whole. Lookups are by exact
//! key. What does not read, or refers to something that is not there, is left out and reported: a
//! thing that is not understood does not exist, so that nothing is allowed by it.

mod access_token_issuer;
mod assignment;
mod build;
mod client;
mod connection;
mod document;
mod mcp_server;
mod organization;
mod policy;
mod resource_authorization_server;
#[cfg(test)]
mod tests;
mod trusted_issuer;

use std::collections::HashMap;

use symbolon_protocol::ids::{ClientId, ConnectionId, OrganizationId, ServerId};
use symbolon_protocol::issuer::IssuerRole;

pub use access_token_issuer::AccessTokenIssuer;
pub use assignment::{Assignment, Target, Who};
pub use build::Problem;
pub use client::{Client, ClientAuthentication, ClientGrant};
pub use connection::{Connection, Provision};
pub use document::{KeySource, Offer, SubjectSource, TenantRule};
pub use mcp_server::{Display, McpServer, Upstream, UpstreamCredential};
pub use organization::Organization;
pub use policy::Policy;
pub use resource_authorization_server::{ResourceAuthorizationServer, SubjectForm};
pub use trusted_issuer::TrustedIssuer;

use crate::StorageError;
use crate::definition;

/// Everything an administrator defined. Built whole, never changed.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Version of the definitions it was built from.
    pub version: u64,
    organizations: HashMap<OrganizationId, Organization>,
    domains: HashMap<String, OrganizationId>,
    connections: HashMap<ConnectionId, Connection>,
    servers: HashMap<ServerId, McpServer>,
    resources: HashMap<String, ServerId>,
    clients: HashMap<IssuerRole, HashMap<ClientId, Client>>,
    trusted_issuers: HashMap<String, Vec<TrustedIssuer>>,
    access_token_issuers: HashMap<String, Vec<AccessTokenIssuer>>,
    resource_authorization_servers: HashMap<OrganizationId, Vec<ResourceAuthorizationServer>>,
    assignments: HashMap<OrganizationId, Vec<Assignment>>,
    policies: HashMap<OrganizationId, Vec<Policy>>,
    /// (issuer, tenant) → the organization it stands for, whatever kind of row says so.
    tenants: HashMap<(String, Option<TenantRule>), OrganizationId>,
}

impl Directory {
    /// Builds the directory of the definitions in the database, and lists what was left out.
    ///
    /// # Errors
    /// [`StorageError`]; never for what is wrong with a definition.
    pub async fn load(
        connection: &mut crate::Connection,
    ) -> Result<(Self, Vec<Problem>), StorageError> {
        let version = definition::version(connection).await?;
        let definitions = definition::list_all(connection).await?;
        Ok(Self::build(version, &definitions))
    }

    /// Every organization, in no order.
    pub fn organizations(&self) -> impl ExactSizeIterator<Item = &Organization> {
        self.organizations.values()
    }

    /// The organization of that id.
    pub fn organization(&self, id: &OrganizationId) -> Option<&Organization> {
        self.organizations.get(id)
    }

    /// The organization that a domain belongs to, upper or lower case.
    pub fn organization_by_domain(&self, domain: &str) -> Option<&Organization> {
        self.organizations
            .get(self.domains.get(&domain.to_ascii_lowercase())?)
    }

    /// Every connection, in no order.
    pub fn connections(&self) -> impl ExactSizeIterator<Item = &Connection> {
        self.connections.values()
    }

    /// The connection of that id.
    pub fn connection(&self, id: &ConnectionId) -> Option<&Connection> {
        self.connections.get(id)
    }

    /// How people of an organization may sign in, by id.
    pub fn connections_of(&self, organization: &OrganizationId) -> Vec<&Connection> {
        let mut connections: Vec<_> = self
            .connections
            .values()
            .filter(|c| c.organization == *organization)
            .collect();
        connections.sort_by(|a, b| a.id.cmp(&b.id));
        connections
    }

    /// Every MCP server, in no order.
    pub fn servers(&self) -> impl ExactSizeIterator<Item = &McpServer> {
        self.servers.values()
    }

    /// The MCP server of that id.
    pub fn server(&self, id: &ServerId) -> Option<&McpServer> {
        self.servers.get(id)
    }

    /// The MCP server whose resource identifier is exactly this.
    pub fn server_by_resource(&self, resource: &str) -> Option<&McpServer> {
        self.servers.get(self.resources.get(resource)?)
    }

    /// Every client, in no order.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.values().flat_map(HashMap::values)
    }

    /// The registration of a client at one of our authorization servers.
    pub fn client(&self, issuer: &IssuerRole, id: &ClientId) -> Option<&Client> {
        self.clients.get(issuer)?.get(id)
    }

    /// Whose ID-JAGs `/as` redeems: the rows of an issuer, one per tenant.
    pub fn trusted_issuers_for(&self, issuer: &str) -> &[TrustedIssuer] {
        self.trusted_issuers.get(issuer).map_or(&[], Vec::as_slice)
    }

    /// Whose access tokens a gatewayed server accepts: the rows of an issuer that name the server.
    pub fn access_token_issuers_for(
        &self,
        issuer: &str,
        server: &ServerId,
    ) -> Vec<&AccessTokenIssuer> {
        let rows = self
            .access_token_issuers
            .get(issuer)
            .map_or(&[][..], Vec::as_slice);
        rows.iter()
            .filter(|row| row.audiences.values().any(|named| named == server))
            .collect()
    }

    /// The foreign authorization servers an organization's `idp` issues ID-JAGs for.
    pub fn resource_authorization_servers(
        &self,
        organization: &OrganizationId,
    ) -> &[ResourceAuthorizationServer] {
        self.resource_authorization_servers
            .get(organization)
            .map_or(&[], Vec::as_slice)
    }

    /// The foreign authorization server of that issuer.
    pub fn resource_authorization_server(
        &self,
        organization: &OrganizationId,
        issuer: &str,
    ) -> Option<&ResourceAuthorizationServer> {
        let mut servers = self.resource_authorization_servers(organization).iter();
        servers.find(|server| server.issuer.as_str() == issuer)
    }

    /// The assignments of an organization.
    pub fn assignments(&self, organization: &OrganizationId) -> &[Assignment] {
        self.assignments
            .get(organization)
            .map_or(&[], Vec::as_slice)
    }

    /// The policies of an organization.
    pub fn policies(&self, organization: &OrganizationId) -> &[Policy] {
        self.policies.get(organization).map_or(&[], Vec::as_slice)
    }
}
