//! A trusted issuer: whose ID-JAGs `/as` redeems, for one organization.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use symbolon_protocol::ids::{ClientId, OrganizationId};
use symbolon_protocol::issuer::{Issuer, IssuerRole};
use url::Url;

use super::Directory;
use super::document::{self, KeySource, SubjectSource, TenantRule};
use crate::definition::Definition;

const DEFAULT_LIFETIME: Duration = Duration::from_secs(5 * 60);
const MAX_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// An issuer whose ID-JAGs are redeemed for the people of one organization.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// Name of the row: keys are cached under it.
    pub id: String,
    /// The one organization it speaks for.
    pub organization: OrganizationId,
    /// The issuer.
    pub issuer: Issuer,
    /// Where its keys come from.
    pub keys: KeySource,
    /// Which tenant of it, where the issuer is shared.
    pub tenant: Option<TenantRule>,
    /// How its subjects become our users.
    pub subject: SubjectSource,
    /// The clients that may redeem; `None`: every client offered to the organization.
    pub clients: Option<Vec<ClientId>>,
    /// How long an ID-JAG may live, from `iat` to `exp`.
    pub max_lifetime: Duration,
    /// Whether an ID-JAG is redeemed only once.
    pub single_use: bool,
    /// Whether clients that do not authenticate may redeem.
    pub public_clients: bool,
    /// What is granted where an ID-JAG names no scope.
    pub default_scopes: Vec<String>,
    /// Roots to trust for it beside the public ones.
    pub ca_pem: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "organization")]
    _organization: OrganizationId,
    issuer: Issuer,
    jwks: Option<Value>,
    jwks_uri: Option<Url>,
    tenant: Option<TenantRule>,
    subject: SubjectSource,
    clients: Option<Vec<ClientId>>,
    #[serde(default, deserialize_with = "document::duration")]
    max_lifetime: Option<Duration>,
    #[serde(default = "yes")]
    single_use: bool,
    #[serde(default)]
    public_clients: bool,
    #[serde(default)]
    default_scopes: Vec<String>,
    ca_pem: Option<String>,
}

fn yes() -> bool {
    true
}

impl TrustedIssuer {
    pub(super) fn read(definition: &Definition) -> Result<Self, String> {
        let document: Document = document::read(definition)?;
        document::check_tenant(document.issuer.as_str(), document.tenant.as_ref())?;
        document::check_scopes(&document.default_scopes)?;
        let keys = KeySource::from_members(document.jwks, document.jwks_uri)?;
        let lifetime = document.max_lifetime;
        Ok(Self {
            id: definition.key.id.clone(),
            organization: document::organization_of(definition)?,
            issuer: document.issuer,
            keys: keys.unwrap_or(KeySource::Discovery),
            tenant: document.tenant,
            subject: document.subject,
            clients: document.clients,
            max_lifetime: document::capped(
                "max_lifetime",
                lifetime,
                DEFAULT_LIFETIME,
                MAX_LIFETIME,
            )?,
            single_use: document.single_use,
            public_clients: document.public_clients,
            default_scopes: document.default_scopes,
            ca_pem: document.ca_pem,
        })
    }
}

impl Directory {
    pub(super) fn add_trusted_issuer(&mut self, row: TrustedIssuer) -> Result<(), String> {
        self.check_subject(&row.subject, &row.organization)?;
        for client in row.clients.iter().flatten() {
            self.check_client(&IssuerRole::As, client, &row.organization)?;
        }
        self.claim_tenant(row.issuer.as_str(), row.tenant.as_ref(), &row.organization)?;
        let rows = self
            .trusted_issuers
            .entry(row.issuer.as_str().to_owned())
            .or_default();
        if rows.iter().any(|other| other.tenant == row.tenant) {
            return Err("another row has the same issuer and tenant".to_owned());
        }
        rows.push(row);
        Ok(())
    }
}
