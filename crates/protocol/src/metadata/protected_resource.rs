//! Protected resource metadata ([RFC 9728] §2; requirements RS-01 to RS-08).
//!
//! [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728

use serde::{Deserialize, Serialize};

use crate::issuer::Issuer;
use crate::resource::ResourceIndicator;
use crate::scope::ScopeSet;

/// The metadata document of one MCP server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ProtectedResourceMetadata {
    /// The resource, exactly as clients ask for it (RS-04).
    pub resource: ResourceIndicator,
    /// Who issues tokens for it.
    #[serde(default)]
    pub authorization_servers: Vec<Issuer>,
    /// The least that is useful, not the catalogue (RS-05).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// Where a token may be; ours always say `header` (RS-20).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bearer_methods_supported: Vec<String>,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// A page for developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_documentation: Option<String>,
    /// Keys the resource signs with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Algorithms of DPoP proofs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// Whether unbound tokens are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_bound_access_tokens_required: Option<bool>,
}

impl ProtectedResourceMetadata {
    /// The document of a resource that takes tokens in the `Authorization` header only.
    #[must_use]
    pub fn new(resource: ResourceIndicator, authorization_server: Issuer) -> Self {
        Self {
            resource,
            authorization_servers: vec![authorization_server],
            scopes_supported: Vec::new(),
            bearer_methods_supported: vec!["header".to_owned()],
            resource_name: None,
            resource_documentation: None,
            jwks_uri: None,
            dpop_signing_alg_values_supported: Vec::new(),
            dpop_bound_access_tokens_required: None,
        }
    }

    /// Lists scopes, without `offline_access` and wildcards (RS-05).
    #[must_use]
    pub fn with_scopes(mut self, scopes: &ScopeSet) -> Self {
        let listed = scopes.filter(|scope| scope != "offline_access" && !scope.contains('*'));
        self.scopes_supported = listed.iter().map(str::to_owned).collect();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> ProtectedResourceMetadata {
        ProtectedResourceMetadata::new(
            ResourceIndicator::parse("https://mcp.tracker.example/mcp").unwrap(),
            Issuer::parse("https://auth.tracker.example/t1").unwrap(),
        )
    }

    /// Requirements §6.2, byte for byte.
    #[test]
    fn the_worked_example_is_reproduced() {
        let mut metadata = metadata().with_scopes(&ScopeSet::parse("issues:read").unwrap());
        metadata.resource_name = Some("Tracker MCP".to_owned());
        metadata.dpop_signing_alg_values_supported = vec!["ES256".to_owned(), "EdDSA".to_owned()];
        metadata.dpop_bound_access_tokens_required = Some(false);
        let expected = r#"{"resource":"https://mcp.tracker.example/mcp","authorization_servers":["https://auth.tracker.example/t1"],"scopes_supported":["issues:read"],"bearer_methods_supported":["header"],"resource_name":"Tracker MCP","dpop_signing_alg_values_supported":["ES256","EdDSA"],"dpop_bound_access_tokens_required":false}"#;
        assert_eq!(serde_json::to_string(&metadata).unwrap(), expected);
        let read: ProtectedResourceMetadata = serde_json::from_str(expected).unwrap();
        assert_eq!(read, metadata);
    }

    /// RS-05.
    #[test]
    fn offline_access_and_wildcards_are_not_listed() {
        let scopes = ScopeSet::parse("a offline_access files:*").unwrap();
        assert_eq!(metadata().with_scopes(&scopes).scopes_supported, ["a"]);
    }

    #[test]
    fn foreign_documents_may_say_more_or_less() {
        let text = r#"{"resource":"https://h/mcp","unknown":{"x":1}}"#;
        let read: ProtectedResourceMetadata = serde_json::from_str(text).unwrap();
        assert!(read.authorization_servers.is_empty());
        assert!(
            serde_json::from_str::<ProtectedResourceMetadata>(r#"{"resource":"/mcp"}"#).is_err()
        );
    }
}
