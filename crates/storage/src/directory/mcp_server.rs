//! An MCP server: a protected resource, and what its tools need.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use serde::Deserialize;
use symbolon_protocol::ids::{ClientId, OrganizationId, ServerId};
use symbolon_protocol::jose::Algorithm;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::secret::Secret;
use url::Url;

use super::Directory;
use super::document::{self, Offer};
use crate::definition::{Definition, Owner};

const DEFAULT_LIFETIME: Duration = Duration::from_secs(15 * 60);
const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// A protected resource.
#[derive(Clone, Debug)]
pub struct McpServer {
    /// Its id, unique in the deployment.
    pub id: ServerId,
    /// Whom it belongs to.
    pub owner: Owner,
    /// Whom the deployment offers it to.
    pub offered_to: Offer,
    /// Its resource identifier: the audience of its tokens.
    pub resource: String,
    /// Where the gateway forwards to; `None`: the server checks tokens itself.
    pub upstream: Option<Upstream>,
    /// Its scopes.
    pub scopes: ScopeSet,
    /// Which scopes come with another one.
    pub implies: BTreeMap<String, Vec<String>>,
    /// Which scopes each tool needs; a tool that is not listed needs every scope.
    pub tools: BTreeMap<String, ScopeSet>,
    /// How long its access tokens live, at most an hour.
    pub token_lifetime: Duration,
    /// What its access tokens are signed with.
    pub algorithm: Algorithm,
    /// Clients of `/as` that may introspect tokens for this server (RFC 7662).
    pub introspected_by: Vec<ClientId>,
    /// What people are shown of it.
    pub display: Display,
}

/// A server behind the gateway.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Its MCP endpoint.
    pub url: Url,
    /// What the gateway presents there.
    pub credential: UpstreamCredential,
    /// The header that carries a signed statement of who calls, if the server wants one.
    pub identity_header: Option<String>,
    /// Roots to trust for it beside the public ones.
    pub ca_pem: Option<String>,
}

/// What the gateway presents to a server behind it.
#[derive(Clone, Debug)]
pub enum UpstreamCredential {
    /// Nothing.
    None,
    /// A bearer token.
    Bearer(Secret),
    /// A header of that name.
    Header {
        /// Name of the header.
        name: String,
        /// Its value.
        value: Secret,
    },
}

/// What people are shown of a server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Display {
    /// Its name.
    pub name: Option<String>,
    /// The team that runs it.
    pub owner: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
    /// How sensitive its data is.
    pub data_class: Option<String>,
    /// How risky it is.
    pub risk: Option<String>,
    /// When it is to be reviewed.
    pub review_by: Option<String>,
}

/// How the gateway signs in upstream; the secret itself is called `upstream_credential`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CredentialForm {
    Bearer,
    Header(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    id: ServerId,
    #[serde(rename = "organization")]
    _organization: Option<OrganizationId>,
    #[serde(default)]
    offered_to: Offer,
    resource: String,
    upstream: Option<Url>,
    upstream_credential: Option<CredentialForm>,
    upstream_ca_pem: Option<String>,
    identity_header: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    implies: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    tools: BTreeMap<String, Vec<String>>,
    #[serde(default, deserialize_with = "document::duration")]
    token_lifetime: Option<Duration>,
    #[serde(default = "default_algorithm")]
    algorithm: Algorithm,
    #[serde(default)]
    introspected_by: Vec<ClientId>,
    name: Option<String>,
    owner: Option<String>,
    purpose: Option<String>,
    data_class: Option<String>,
    risk: Option<String>,
    review_by: Option<String>,
}

fn default_algorithm() -> Algorithm {
    Algorithm::Es256
}

impl McpServer {
    pub(super) fn read(definition: &Definition) -> Result<Self, String> {
        let document: Document = document::read(definition)?;
        document::check_resource(&document.resource)?;
        let scopes = ScopeSet::from_scopes(&document.scopes).map_err(|error| error.to_string())?;
        check_known(&scopes, "implies", document.implies.keys())?;
        check_known(&scopes, "implies", document.implies.values().flatten())?;
        check_known(&scopes, "tools", document.tools.values().flatten())?;
        if !matches!(
            document.algorithm,
            Algorithm::Es256 | Algorithm::EdDsa | Algorithm::Rs256
        ) {
            return Err("algorithm is one of ES256, EdDSA and RS256".to_owned());
        }
        let upstream = upstream(&document, definition)?;
        Ok(Self {
            id: document.id,
            owner: definition.key.owner.clone(),
            offered_to: document.offered_to,
            resource: document.resource,
            upstream,
            scopes,
            implies: document.implies,
            tools: tools(document.tools)?,
            token_lifetime: document::capped(
                "token_lifetime",
                document.token_lifetime,
                DEFAULT_LIFETIME,
                MAX_LIFETIME,
            )?,
            algorithm: document.algorithm,
            introspected_by: document.introspected_by,
            display: Display {
                name: document.name,
                owner: document.owner,
                purpose: document.purpose,
                data_class: document.data_class,
                risk: document.risk,
                review_by: document.review_by,
            },
        })
    }

    /// Whether an organization may use it: its owner, or one it is offered to.
    pub fn is_available_to(&self, organization: &OrganizationId) -> bool {
        self.offered_to.reaches(&self.owner, organization)
    }

    /// The scopes that a request needs: those of the tool for `tools/call`, every scope for a tool
    /// that is not listed, none for other methods (policy decides those).
    pub fn required_scopes(&self, method: &str, name: Option<&str>) -> ScopeSet {
        match (method, name.and_then(|name| self.tools.get(name))) {
            ("tools/call", Some(needed)) => needed.clone(),
            ("tools/call", None) => self.scopes.clone(),
            _ => ScopeSet::default(),
        }
    }

    /// The granted scopes with everything they imply, directly or not.
    pub fn expand(&self, granted: &ScopeSet) -> ScopeSet {
        let mut reached: Vec<&str> = granted.iter().collect();
        let mut next = 0;
        while let Some(scope) = reached.get(next) {
            let implied = self.implies.get(*scope).map_or(&[][..], Vec::as_slice);
            for scope in implied {
                if !reached.contains(&scope.as_str()) {
                    reached.push(scope);
                }
            }
            next += 1;
        }
        ScopeSet::from_scopes(reached).unwrap_or_else(|_| granted.clone())
    }
}

fn check_known<'a>(
    scopes: &ScopeSet,
    member: &str,
    named: impl IntoIterator<Item = &'a String>,
) -> Result<(), String> {
    match named.into_iter().find(|scope| !scopes.contains(scope)) {
        Some(scope) => Err(format!(
            "{member} names scope {scope:?}, which scopes does not list"
        )),
        None => Ok(()),
    }
}

fn tools(tools: BTreeMap<String, Vec<String>>) -> Result<BTreeMap<String, ScopeSet>, String> {
    let read = |(name, scopes): (String, Vec<String>)| {
        let scopes = ScopeSet::from_scopes(scopes).map_err(|error| error.to_string())?;
        Ok((name, scopes))
    };
    tools.into_iter().map(read).collect()
}

fn upstream(document: &Document, definition: &Definition) -> Result<Option<Upstream>, String> {
    let Some(url) = document.upstream.clone() else {
        return Ok(None);
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err("upstream is not an http or https url".to_owned());
    }
    let secret = definition.secrets.get("upstream_credential").cloned();
    let credential = match (&document.upstream_credential, secret) {
        (None, None) => UpstreamCredential::None,
        (Some(CredentialForm::Bearer), Some(token)) => UpstreamCredential::Bearer(token),
        (Some(CredentialForm::Header(name)), Some(value)) => UpstreamCredential::Header {
            name: name.clone(),
            value,
        },
        _ => return Err("upstream_credential has no secret, or a secret and no form".to_owned()),
    };
    Ok(Some(Upstream {
        url,
        credential,
        identity_header: document.identity_header.clone(),
        ca_pem: document.upstream_ca_pem.clone(),
    }))
}

impl Directory {
    pub(super) fn add_server(&mut self, server: McpServer) -> Result<(), String> {
        server
            .offered_to
            .check(&server.owner, |id| self.organizations.contains_key(id))?;
        if let Some(other) = self.resources.get(&server.resource) {
            return Err(format!("server {other} has the same resource"));
        }
        match self.servers.entry(server.id.clone()) {
            Entry::Occupied(_) => Err("the id is taken by a server of another owner".to_owned()),
            Entry::Vacant(place) => {
                self.resources
                    .insert(server.resource.clone(), server.id.clone());
                place.insert(server);
                Ok(())
            }
        }
    }
}
