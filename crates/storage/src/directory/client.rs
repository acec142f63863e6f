//! A client: its registration at one of our authorization servers (design §4 rule 15).

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;

use serde::Deserialize;
use serde_json::Value;
use symbolon_protocol::digest::from_base64url;
use symbolon_protocol::ids::{ClientId, OrganizationId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::redirect_uri::RegisteredRedirectUri;
use url::Url;

use super::Directory;
use super::document::{self, KeySource, Offer};
use crate::definition::{Definition, Owner};

/// A registration; (issuer, id) is unique in the deployment.
#[derive(Clone, Debug)]
pub struct Client {
    /// The authorization server it is registered at.
    pub issuer: IssuerRole,
    /// Its id there.
    pub id: ClientId,
    /// Whom it belongs to.
    pub owner: Owner,
    /// Whom the deployment offers it to.
    pub offered_to: Offer,
    /// Its name for people.
    pub name: String,
    /// How it authenticates; nothing else is accepted from it.
    pub authentication: ClientAuthentication,
    /// SHA-256 of its secret, where it has one.
    pub secret_sha256: Option<[u8; 32]>,
    /// Its public keys, where it signs.
    pub keys: Option<KeySource>,
    /// The grants it may use.
    pub grants: BTreeSet<ClientGrant>,
    /// Where it may be redirected to.
    pub redirect_uris: Vec<RegisteredRedirectUri>,
    /// Whether an administrator consented for everybody: people are not asked.
    pub preapproved: bool,
}

/// How a client authenticates (`token_endpoint_auth_method`, RFC 7591 §2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// Secret in the `Authorization` header.
    ClientSecretBasic,
    /// Secret in the form.
    ClientSecretPost,
    /// A signed assertion.
    PrivateKeyJwt,
    /// Not at all: a public client.
    None,
}

impl ClientAuthentication {
    /// The registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }
}

/// A grant that a client may use.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub enum ClientGrant {
    /// A code from the authorization endpoint.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
    /// An ID-JAG.
    JwtBearer,
    /// Its own credentials.
    ClientCredentials,
    /// A token for a token.
    TokenExchange,
    /// A code typed on another device.
    DeviceCode,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default = "default_issuer")]
    issuer: IssuerRole,
    id: ClientId,
    #[serde(rename = "organization")]
    _organization: Option<OrganizationId>,
    #[serde(default)]
    offered_to: Offer,
    name: Option<String>,
    authentication: ClientAuthentication,
    secret_sha256: Option<String>,
    jwks: Option<Value>,
    jwks_uri: Option<Url>,
    grants: BTreeSet<ClientGrant>,
    #[serde(default)]
    redirect_uris: Vec<RegisteredRedirectUri>,
    #[serde(default)]
    preapproved: bool,
}

fn default_issuer() -> IssuerRole {
    IssuerRole::As
}

impl Client {
    pub(super) fn read(definition: &Definition) -> Result<Self, String> {
        let document: Document = document::read(definition)?;
        let secret_sha256 = document.secret_sha256.as_deref().map(digest).transpose()?;
        let client = Self {
            issuer: document.issuer,
            name: document.name.unwrap_or_else(|| document.id.to_string()),
            id: document.id,
            owner: definition.key.owner.clone(),
            offered_to: document.offered_to,
            authentication: document.authentication,
            secret_sha256,
            keys: KeySource::from_members(document.jwks, document.jwks_uri)?,
            grants: document.grants,
            redirect_uris: document.redirect_uris,
            preapproved: document.preapproved,
        };
        client.check_credentials()?;
        client.check_grants()?;
        Ok(client)
    }

    /// Whether people of an organization may use it: its owner, or one it is offered to.
    pub fn is_available_to(&self, organization: &OrganizationId) -> bool {
        self.offered_to.reaches(&self.owner, organization)
    }

    /// Whether it may use a grant.
    pub fn may_use(&self, grant: ClientGrant) -> bool {
        self.grants.contains(&grant)
    }

    fn check_credentials(&self) -> Result<(), String> {
        use ClientAuthentication as A;
        let problem = match (self.authentication, &self.secret_sha256, &self.keys) {
            (A::ClientSecretBasic | A::ClientSecretPost, Some(_), None)
            | (A::PrivateKeyJwt, None, Some(_))
            | (A::None, None, None) => return Ok(()),
            (A::ClientSecretBasic | A::ClientSecretPost, ..) => "a secret and no keys",
            (A::PrivateKeyJwt, ..) => "jwks or jwks_uri and no secret",
            (A::None, ..) => "neither a secret nor keys",
        };
        Err(format!(
            "authentication {} needs {problem}",
            self.authentication.as_str()
        ))
    }

    fn check_grants(&self) -> Result<(), String> {
        let is_public = self.authentication == ClientAuthentication::None;
        if is_public && self.may_use(ClientGrant::ClientCredentials) {
            return Err("client_credentials needs a client that authenticates".to_owned());
        }
        let needs_redirect = self.may_use(ClientGrant::AuthorizationCode);
        if needs_redirect && self.redirect_uris.is_empty() {
            return Err("authorization_code needs redirect_uris".to_owned());
        }
        Ok(())
    }
}

fn digest(text: &str) -> Result<[u8; 32], String> {
    let bytes = from_base64url(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "secret_sha256 is not 32 bytes of base64url".to_owned())
}

impl Directory {
    pub(super) fn add_client(&mut self, client: Client) -> Result<(), String> {
        client
            .offered_to
            .check(&client.owner, |id| self.organizations.contains_key(id))?;
        if let IssuerRole::Idp(organization) = &client.issuer {
            if !self.organizations.contains_key(organization) {
                return Err(format!(
                    "issuer idp/{organization}: there is no such organization"
                ));
            }
            if !client.is_available_to(organization) {
                return Err(format!(
                    "a client at idp/{organization} is for {organization} only"
                ));
            }
        }
        let at_issuer = self.clients.entry(client.issuer.clone()).or_default();
        match at_issuer.entry(client.id.clone()) {
            Entry::Occupied(_) => {
                Err("the id is taken at this issuer by a client of another owner".to_owned())
            }
            Entry::Vacant(place) => {
                place.insert(client);
                Ok(())
            }
        }
    }
}
