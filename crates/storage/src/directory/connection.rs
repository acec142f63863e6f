//! A connection: how people of an organization sign in.

use std::collections::hash_map::Entry;

use serde::Deserialize;
use symbolon_protocol::ids::{ConnectionId, OrganizationId};
use symbolon_protocol::issuer::Issuer;
use symbolon_protocol::secret::Secret;

use super::Directory;
use super::document::{self, TenantRule};
use crate::definition::Definition;

/// A connection to an OpenID Connect identity provider.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its id, unique in the deployment.
    pub id: ConnectionId,
    /// The one organization whose people it signs in.
    pub organization: OrganizationId,
    /// The identity provider.
    pub issuer: Issuer,
    /// Which tenant of it, where the issuer is shared.
    pub tenant: Option<TenantRule>,
    /// Who we are there.
    pub client_id: String,
    /// Our secret there; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// What we ask for.
    pub scopes: Vec<String>,
    /// The claim that lists groups; `None`: this connection says nothing about groups.
    pub groups_claim: Option<String>,
    /// Whether people may come into being by signing in.
    pub provision: Provision,
    /// The claim that names the person.
    pub subject_claim: String,
    /// The claim with the email address.
    pub email_claim: String,
    /// The claim with the name for people.
    pub name_claim: String,
    /// Roots to trust for this identity provider beside the public ones.
    pub ca_pem: Option<String>,
    /// Whether a verified email address may link to a person who exists already.
    pub link_by_email: bool,
}

/// How people of a connection come into being.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Provision {
    /// By signing in.
    #[default]
    JustInTime,
    /// By SCIM only.
    ScimOnly,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Protocol {
    Oidc,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    id: ConnectionId,
    #[serde(rename = "organization")]
    _organization: OrganizationId,
    #[serde(rename = "protocol")]
    _protocol: Protocol,
    issuer: Issuer,
    tenant: Option<TenantRule>,
    client_id: String,
    #[serde(default = "default_scopes")]
    scopes: Vec<String>,
    groups_claim: Option<String>,
    #[serde(default)]
    provision: Provision,
    subject_claim: Option<String>,
    email_claim: Option<String>,
    name_claim: Option<String>,
    ca_pem: Option<String>,
    #[serde(default)]
    link_by_email: bool,
}

fn default_scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).into()
}

impl Connection {
    pub(super) fn read(definition: &Definition) -> Result<Self, String> {
        let document: Document = document::read(definition)?;
        document::check_tenant(document.issuer.as_str(), document.tenant.as_ref())?;
        document::check_scopes(&document.scopes)?;
        if !document.scopes.iter().any(|scope| scope == "openid") {
            return Err("scopes must include openid".to_owned());
        }
        let claim = |given: Option<String>, default: &str| given.unwrap_or_else(|| default.into());
        Ok(Self {
            id: document.id,
            organization: document::organization_of(definition)?,
            issuer: document.issuer,
            tenant: document.tenant,
            client_id: document.client_id,
            client_secret: definition.secrets.get("client_secret").cloned(),
            scopes: document.scopes,
            groups_claim: document.groups_claim,
            provision: document.provision,
            subject_claim: claim(document.subject_claim, "sub"),
            email_claim: claim(document.email_claim, "email"),
            name_claim: claim(document.name_claim, "name"),
            ca_pem: document.ca_pem,
            link_by_email: document.link_by_email,
        })
    }
}

impl Directory {
    pub(super) fn add_connection(&mut self, connection: Connection) -> Result<(), String> {
        let same = |other: &&Connection| {
            other.issuer == connection.issuer && other.tenant == connection.tenant
        };
        if let Some(other) = self.connections.values().find(same) {
            return Err(format!(
                "connection {} has the same issuer and tenant",
                other.id
            ));
        }
        let Connection {
            issuer,
            tenant,
            organization,
            ..
        } = &connection;
        self.claim_tenant(issuer.as_str(), tenant.as_ref(), organization)?;
        match self.connections.entry(connection.id.clone()) {
            Entry::Vacant(place) => {
                place.insert(connection);
                Ok(())
            }
            Entry::Occupied(other) => Err(format!(
                "the id is taken by a connection of {}",
                other.get().organization
            )),
        }
    }
}
