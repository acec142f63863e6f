//! An access token issuer: whose access tokens a gatewayed server accepts beside our own.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use symbolon_protocol::ids::{OrganizationId, ServerId};
use symbolon_protocol::issuer::Issuer;
use url::Url;

use super::Directory;
use super::document::{self, KeySource, SubjectSource, TenantRule};
use crate::definition::Definition;

/// An issuer whose access tokens some servers accept from people of one organization.
#[derive(Clone, Debug)]
pub struct AccessTokenIssuer {
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
    /// Audience of its tokens → the server they are for.
    pub audiences: BTreeMap<String, ServerId>,
    /// The claim with the scopes.
    pub scope_claim: String,
    /// How its subjects become our users.
    pub subject: SubjectSource,
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
    audiences: BTreeMap<String, ServerId>,
    scope_claim: Option<String>,
    subject: SubjectSource,
    ca_pem: Option<String>,
}

impl AccessTokenIssuer {
    pub(super) fn read(definition: &Definition) -> Result<Self, String> {
        let document: Document = document::read(definition)?;
        document::check_tenant(document.issuer.as_str(), document.tenant.as_ref())?;
        if document.audiences.is_empty() {
            return Err("audiences is empty".to_owned());
        }
        let keys = KeySource::from_members(document.jwks, document.jwks_uri)?;
        Ok(Self {
            id: definition.key.id.clone(),
            organization: document::organization_of(definition)?,
            issuer: document.issuer,
            keys: keys.unwrap_or(KeySource::Discovery),
            tenant: document.tenant,
            audiences: document.audiences,
            scope_claim: document.scope_claim.unwrap_or_else(|| "scope".to_owned()),
            subject: document.subject,
            ca_pem: document.ca_pem,
        })
    }
}

impl Directory {
    pub(super) fn add_access_token_issuer(&mut self, row: AccessTokenIssuer) -> Result<(), String> {
        self.check_subject(&row.subject, &row.organization)?;
        for server in row.audiences.values() {
            self.check_server(server, &row.organization)?;
        }
        self.claim_tenant(row.issuer.as_str(), row.tenant.as_ref(), &row.organization)?;
        let rows = self
            .access_token_issuers
            .entry(row.issuer.as_str().to_owned())
            .or_default();
        if rows.iter().any(|other| other.tenant == row.tenant) {
            return Err("another row has the same issuer and tenant".to_owned());
        }
        rows.push(row);
        Ok(())
    }
}
