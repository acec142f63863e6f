//! Building a directory: every definition is read, checked against those before it, and added.

use std::collections::hash_map::Entry;
use std::fmt;

use symbolon_protocol::ids::{ClientId, OrganizationId, ServerId};
use symbolon_protocol::issuer::IssuerRole;

use super::document::{SubjectSource, TenantRule};
use super::{
    AccessTokenIssuer, Assignment, Client, Connection, Directory, McpServer, Organization, Policy,
    ResourceAuthorizationServer, TrustedIssuer,
};
use crate::definition::{Definition, Key, Kind};

/// What is wrong with a definition; it was left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The definition.
    pub key: Key,
    /// What is wrong, and what to change.
    pub problem: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.key, self.problem)
    }
}

impl Directory {
    /// Builds a directory, and lists every definition that was left out with what is wrong with it.
    ///
    /// The order of the definitions does not matter.
    pub fn build(version: i64, definitions: &[Definition]) -> (Self, Vec<Problem>) {
        let mut directory = Self {
            version: version.unsigned_abs(),
            ..Self::default()
        };
        let mut sorted: Vec<&Definition> = definitions.iter().collect();
        // Kinds are ordered so that what is referred to comes first.
        sorted.sort_by(|a, b| a.key.cmp(&b.key));
        let problems = sorted.into_iter().filter_map(|definition| {
            let problem = directory.add(definition).err()?;
            if definition.key.kind == Kind::Policy {
                directory.add_unreadable_policy(definition);
            }
            Some(Problem {
                key: definition.key.clone(),
                problem,
            })
        });
        let problems = problems.collect();
        (directory, problems)
    }

    fn add(&mut self, definition: &Definition) -> Result<(), String> {
        if let Some(owner) = definition.key.owner.organization() {
            self.check_organization(owner)?;
        }
        match definition.key.kind {
            Kind::Organization => self.add_organization(Organization::read(definition)?),
            Kind::Connection => self.add_connection(Connection::read(definition)?),
            Kind::McpServer => self.add_server(McpServer::read(definition)?),
            Kind::Client => self.add_client(Client::read(definition)?),
            Kind::ResourceAuthorizationServer => self
                .add_resource_authorization_server(ResourceAuthorizationServer::read(definition)?),
            Kind::TrustedIssuer => self.add_trusted_issuer(TrustedIssuer::read(definition)?),
            Kind::AccessTokenIssuer => {
                self.add_access_token_issuer(AccessTokenIssuer::read(definition)?)
            }
            Kind::Assignment => self.add_assignment(Assignment::read(definition)?),
            Kind::Policy => self.add_policy(Policy::read(definition)?),
        }
    }

    pub(super) fn check_organization(&self, id: &OrganizationId) -> Result<(), String> {
        match self.organizations.contains_key(id) {
            true => Ok(()),
            false => Err(format!("organization {id} does not exist")),
        }
    }

    /// The server, if it exists and the organization may use it.
    pub(super) fn check_server(
        &self,
        id: &ServerId,
        organization: &OrganizationId,
    ) -> Result<&McpServer, String> {
        let server = self
            .server(id)
            .filter(|server| server.is_available_to(organization));
        server.ok_or_else(|| format!("mcp server {id} does not exist for {organization}"))
    }

    /// Checks that a client exists at an issuer and the organization may use it.
    pub(super) fn check_client(
        &self,
        issuer: &IssuerRole,
        id: &ClientId,
        organization: &OrganizationId,
    ) -> Result<(), String> {
        match self.client(issuer, id) {
            Some(client) if client.is_available_to(organization) => Ok(()),
            _ => Err(format!(
                "client {id} does not exist at {issuer} for {organization}"
            )),
        }
    }

    /// Checks that the connection whose subjects are meant belongs to the same organization.
    pub(super) fn check_subject(
        &self,
        subject: &SubjectSource,
        organization: &OrganizationId,
    ) -> Result<(), String> {
        let SubjectSource::Connection(id) = subject else {
            return Ok(());
        };
        match self.connection(id) {
            Some(connection) if connection.organization == *organization => Ok(()),
            _ => Err(format!("connection {id} does not exist for {organization}")),
        }
    }

    /// Notes that (issuer, tenant) stands for an organization; it can stand for no other one, and
    /// an issuer with tenants cannot stand for one without (design §4 rule 11).
    pub(super) fn claim_tenant(
        &mut self,
        issuer: &str,
        tenant: Option<&TenantRule>,
        organization: &OrganizationId,
    ) -> Result<(), String> {
        let overlap = self
            .tenants
            .iter()
            .find(|((other_issuer, other_tenant), other)| {
                other_issuer == issuer
                    && *other != organization
                    && (tenant.is_none() || other_tenant.is_none())
            });
        if let Some((_, other)) = overlap {
            return Err(format!(
                "{issuer} also stands for {other}: set tenant in both"
            ));
        }
        match self.tenants.entry((issuer.to_owned(), tenant.cloned())) {
            Entry::Occupied(other) if other.get() != organization => Err(format!(
                "{issuer} with this tenant stands for {}",
                other.get()
            )),
            Entry::Occupied(_) => Ok(()),
            Entry::Vacant(place) => {
                place.insert(organization.clone());
                Ok(())
            }
        }
    }
}
