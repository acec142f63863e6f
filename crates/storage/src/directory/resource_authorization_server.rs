//! A resource authorization server: a foreign one that an organization's `idp` issues ID-JAGs for.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use symbolon_protocol::ids::{ClientId, ConnectionId, OrganizationId};
use symbolon_protocol::issuer::{Issuer, IssuerRole};

use super::Directory;
use super::document;
use crate::definition::Definition;

const MAX_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// A foreign authorization server. Nothing outside its maps is issued for it.
#[derive(Clone, Debug)]
pub struct ResourceAuthorizationServer {
    /// Whose `idp` issues for it.
    pub organization: OrganizationId,
    /// Its issuer: the audience of the ID-JAGs.
    pub issuer: Issuer,
    /// Its resources and their scopes.
    pub resources: BTreeMap<String, Vec<String>>,
    /// Client id at our `idp` → client id there.
    pub clients: BTreeMap<ClientId, ClientId>,
    /// What `sub` carries.
    pub subject: SubjectForm,
    /// Whose subject it is, where `sub` is that of a connection; `None` is the only one there is.
    pub connection: Option<ConnectionId>,
    /// Whether its ID-JAGs carry the email address.
    pub email: bool,
    /// The tenant there, where it wants one named.
    pub aud_tenant: Option<String>,
    /// How long its ID-JAGs live, at most five minutes.
    pub max_lifetime: Duration,
}

/// What the subject of an ID-JAG is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum SubjectForm {
    /// The subject that the person's identity provider knows.
    #[default]
    External,
    /// Our user id.
    UserId,
    /// The verified email address.
    Email,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "organization")]
    _organization: OrganizationId,
    issuer: Issuer,
    resources: BTreeMap<String, Vec<String>>,
    clients: BTreeMap<ClientId, ClientId>,
    #[serde(default)]
    subject: SubjectForm,
    connection: Option<ConnectionId>,
    #[serde(default)]
    email: bool,
    aud_tenant: Option<String>,
    #[serde(default, deserialize_with = "document::duration")]
    max_lifetime: Option<Duration>,
}

impl ResourceAuthorizationServer {
    pub(super) fn read(definition: &Definition) -> Result<Self, String> {
        let document: Document = document::read(definition)?;
        for (resource, scopes) in &document.resources {
            document::check_resource(resource)?;
            document::check_scopes(scopes)?;
        }
        Ok(Self {
            organization: document::organization_of(definition)?,
            issuer: document.issuer,
            resources: document.resources,
            clients: document.clients,
            subject: document.subject,
            connection: document.connection,
            email: document.email,
            aud_tenant: document.aud_tenant,
            max_lifetime: document::capped(
                "max_lifetime",
                document.max_lifetime,
                MAX_LIFETIME,
                MAX_LIFETIME,
            )?,
        })
    }
}

impl Directory {
    /// The subject of one connection must never pass for that of another.
    fn check_subject_connection(&self, server: &ResourceAuthorizationServer) -> Result<(), String> {
        let connections = self.connections_of(&server.organization);
        match &server.connection {
            Some(id) if connections.iter().all(|connection| &connection.id != id) => Err(format!(
                "connection {id} does not exist in {}",
                server.organization
            )),
            None if server.subject == SubjectForm::External && connections.len() > 1 => Err(
                "the organization has several connections: name the one whose subject it is \
                 (connection = \"…\")"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }

    pub(super) fn add_resource_authorization_server(
        &mut self,
        server: ResourceAuthorizationServer,
    ) -> Result<(), String> {
        self.check_organization(&server.organization)?;
        self.check_subject_connection(&server)?;
        let idp = IssuerRole::Idp(server.organization.clone());
        for client in server.clients.keys() {
            self.check_client(&idp, client, &server.organization)?;
        }
        let servers = self
            .resource_authorization_servers
            .entry(server.organization.clone())
            .or_default();
        // One resource names one audience: which server an ID-JAG is for is never a guess.
        for resource in server.resources.keys() {
            if let Some(other) = servers
                .iter()
                .find(|other| other.resources.contains_key(resource))
            {
                return Err(format!(
                    "{} has resource {resource:?} already",
                    other.issuer
                ));
            }
        }
        servers.push(server);
        Ok(())
    }
}
