//! What we read of another authorization server or OpenID provider.
//!
//! The caller checks the issuer with [`ProviderMetadata::check_issuer`] before anything else in the
//! document counts (RFC 8414 §3.3, CL-06); nothing here compares a prefix or normalises.

use serde::{Deserialize, Deserializer, de};
use url::Url;

use crate::issuer::{Issuer, is_https_or_loopback};

/// The metadata of an upstream identity provider or a foreign authorization server.
///
/// Endpoints are `https`, or `http` on loopback; a document with another one is not read at all.
#[derive(Clone, Debug, Deserialize)]
pub struct ProviderMetadata {
    issuer: String,
    #[serde(default, deserialize_with = "endpoint")]
    authorization_endpoint: Option<Url>,
    #[serde(default, deserialize_with = "endpoint")]
    token_endpoint: Option<Url>,
    #[serde(default, deserialize_with = "endpoint")]
    jwks_uri: Option<Url>,
    /// Where RP-initiated logout starts.
    #[serde(default, deserialize_with = "endpoint")]
    pub end_session_endpoint: Option<Url>,
    /// Grants it says it has.
    #[serde(default)]
    pub grant_types_supported: Vec<String>,
    /// Scopes it says it has.
    #[serde(default)]
    pub scopes_supported: Vec<String>,
    /// PKCE methods it says it has.
    #[serde(default)]
    pub code_challenge_methods_supported: Vec<String>,
    /// How its clients may authenticate; absent means `client_secret_basic`.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Algorithms of its ID tokens.
    #[serde(default)]
    pub id_token_signing_alg_values_supported: Vec<String>,
    /// Authentication context classes it knows.
    #[serde(default)]
    pub acr_values_supported: Vec<String>,
    /// Whether its authorization responses carry `iss`; if so, one without must be refused (N-023).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    /// Grant profiles: where the id-jag profile is listed, ID-JAGs are redeemed.
    #[serde(default)]
    pub authorization_grant_profiles_supported: Vec<String>,
    /// Token types a token exchange gives out: where the id-jag type is listed, ID-JAGs are issued.
    #[serde(default)]
    pub identity_chaining_requested_token_types_supported: Vec<String>,
}

/// Why a provider's metadata is of no use.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// Not a JSON object of the expected shape, or an endpoint that is neither https nor loopback.
    #[error("metadata is malformed: {reason}")]
    Malformed {
        /// What the reader stumbled over.
        reason: String,
    },
    /// The document belongs to another issuer.
    #[error(
        "metadata of {expected} says its issuer is {found:?}: both must be equal byte for byte"
    )]
    OtherIssuer {
        /// Whose document was asked for.
        expected: Issuer,
        /// What it says.
        found: String,
    },
    /// The document does not have what we need.
    #[error("metadata has no {0}")]
    Missing(&'static str),
}

impl ProviderMetadata {
    /// Reads a metadata document.
    ///
    /// # Errors
    /// [`MetadataError::Malformed`].
    pub fn parse(document: &[u8]) -> Result<Self, MetadataError> {
        serde_json::from_slice(document).map_err(|error| MetadataError::Malformed {
            reason: error.to_string(),
        })
    }

    /// Checks, byte for byte, that the document is that of `expected`.
    ///
    /// # Errors
    /// [`MetadataError::OtherIssuer`]; the document must then be thrown away.
    pub fn check_issuer(&self, expected: &Issuer) -> Result<(), MetadataError> {
        if self.issuer == expected.as_str() {
            return Ok(());
        }
        Err(MetadataError::OtherIssuer {
            expected: expected.clone(),
            found: self.issuer.clone(),
        })
    }

    /// The issuer the document claims.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where a sign-in starts.
    ///
    /// # Errors
    /// [`MetadataError::Missing`].
    pub fn authorization_endpoint(&self) -> Result<&Url, MetadataError> {
        self.authorization_endpoint
            .as_ref()
            .ok_or(MetadataError::Missing("authorization_endpoint"))
    }

    /// Where codes are redeemed.
    ///
    /// # Errors
    /// [`MetadataError::Missing`].
    pub fn token_endpoint(&self) -> Result<&Url, MetadataError> {
        self.token_endpoint
            .as_ref()
            .ok_or(MetadataError::Missing("token_endpoint"))
    }

    /// Where its keys are.
    ///
    /// # Errors
    /// [`MetadataError::Missing`].
    pub fn jwks_uri(&self) -> Result<&Url, MetadataError> {
        self.jwks_uri
            .as_ref()
            .ok_or(MetadataError::Missing("jwks_uri"))
    }

    /// Whether PKCE with `S256` is advertised; many providers support it without saying so.
    #[must_use]
    pub fn advertises_s256(&self) -> bool {
        self.code_challenge_methods_supported
            .iter()
            .any(|method| method == crate::pkce::METHOD)
    }
}

fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let url = Url::parse(&text)
        .ok()
        .filter(is_https_or_loopback)
        .filter(|url| {
            url.fragment().is_none() && url.username().is_empty() && url.password().is_none()
        });
    url.map(Some)
        .ok_or_else(|| de::Error::custom("an endpoint is not an https URL"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The excerpt of requirements §6.4.
    const GLOBEX: &str = r#"{"issuer":"https://idp.globex.example","authorization_endpoint":"https://idp.globex.example/authorize","token_endpoint":"https://idp.globex.example/token","jwks_uri":"https://idp.globex.example/keys","grant_types_supported":["authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:token-exchange"],"identity_chaining_requested_token_types_supported":["urn:ietf:params:oauth:token-type:id-jag"],
 "code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":true}"#;

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text).unwrap()
    }

    #[test]
    fn the_worked_example_is_read() {
        let metadata = ProviderMetadata::parse(GLOBEX.as_bytes()).unwrap();
        assert_eq!(
            metadata.check_issuer(&issuer("https://idp.globex.example")),
            Ok(())
        );
        assert_eq!(metadata.jwks_uri().unwrap().path(), "/keys");
        assert_eq!(metadata.token_endpoint().unwrap().path(), "/token");
        assert!(metadata.advertises_s256());
        assert!(metadata.authorization_response_iss_parameter_supported);
    }

    /// RFC 8414 §3.3.
    #[test]
    fn the_issuer_is_compared_byte_for_byte() {
        let metadata = ProviderMetadata::parse(GLOBEX.as_bytes()).unwrap();
        for other in ["https://idp.globex.example/", "https://IDP.globex.example"] {
            let result = metadata.check_issuer(&issuer(other));
            assert!(
                matches!(result, Err(MetadataError::OtherIssuer { .. })),
                "{other}"
            );
        }
    }

    #[test]
    fn endpoints_are_https_or_loopback() {
        let with = |endpoint| {
            let document =
                format!(r#"{{"issuer":"https://a.example","jwks_uri":"{endpoint}","x":[1]}}"#);
            ProviderMetadata::parse(document.as_bytes())
        };
        assert!(with("http://127.0.0.1:9/keys").is_ok());
        for bad in [
            "http://a.example/keys",
            "file:///keys",
            "/keys",
            "https://u:p@a.example/",
        ] {
            assert!(
                matches!(with(bad), Err(MetadataError::Malformed { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let metadata = ProviderMetadata::parse(br#"{"issuer":"https://a.example"}"#).unwrap();
        let missing = MetadataError::Missing("jwks_uri");
        assert_eq!(metadata.jwks_uri(), Err(missing));
        assert!(ProviderMetadata::parse(b"{}").is_err());
        let twice = br#"{"issuer":"https://a.example","issuer":"https://b.example"}"#;
        assert!(ProviderMetadata::parse(twice).is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = ProviderMetadata::parse(&bytes);
        }
    }
}
