//! The rows whose keys are fetched and cached: each trusts its own key source and certificates.
//!
//! Definitions are written by whoever operates the deployment (`symbolon apply`), so their URLs may
//! reach what `[net] allow` names (design §4 rule 21).

use std::sync::Arc;

use symbolon_net::{IssuerRow, KeySource, UrlClass};
use symbolon_protocol::issuer::Issuer;
use symbolon_storage::directory::{self, Client, Connection, TrustedIssuer};

use crate::state::IssuerContext;

/// The keys of an organization's identity provider.
pub(crate) fn connection(connection: &Connection) -> IssuerRow {
    IssuerRow {
        id: format!("connection/{}", connection.id),
        class: UrlClass::DeploymentAdmin,
        source: KeySource::Discovery(connection.issuer.clone()),
        ca_pem: connection.ca_pem.as_deref().map(Arc::from),
    }
}

/// The keys of an issuer of ID-JAGs.
pub(crate) fn trusted_issuer(trusted: &TrustedIssuer) -> IssuerRow {
    IssuerRow {
        id: format!("trusted_issuer/{}/{}", trusted.organization, trusted.id),
        class: UrlClass::DeploymentAdmin,
        source: source(&trusted.keys, Some(&trusted.issuer)),
        ca_pem: trusted.ca_pem.as_deref().map(Arc::from),
    }
}

/// The keys with which a client signs its assertions.
pub(crate) fn client(
    issuer: &IssuerContext,
    client: &Client,
    keys: &directory::KeySource,
) -> IssuerRow {
    IssuerRow {
        id: format!("client/{}/{}", issuer.role, client.id),
        class: UrlClass::DeploymentAdmin,
        source: source(keys, None),
        ca_pem: None,
    }
}

fn source(keys: &directory::KeySource, issuer: Option<&Issuer>) -> KeySource {
    match (keys, issuer) {
        (directory::KeySource::Inline(set), _) => KeySource::Inline(Arc::from(set.to_string())),
        (directory::KeySource::JwksUri(url), _) => KeySource::JwksUri(url.clone()),
        (directory::KeySource::Discovery, Some(issuer)) => KeySource::Discovery(issuer.clone()),
        // A client has no metadata to discover; an empty set verifies nothing.
        (directory::KeySource::Discovery, None) => KeySource::Inline(Arc::from(r#"{"keys":[]}"#)),
    }
}
