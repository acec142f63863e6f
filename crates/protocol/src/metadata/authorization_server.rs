//! Our own authorization server metadata ([RFC 8414] §2, OpenID Connect Discovery 1.0 §3).
//!
//! One struct is the document at every well-known place of an issuer, so `issuer` cannot differ
//! between them (AS-02, AS-03). It holds nothing about trusted issuers or customers (AS-14).
//!
//! [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414

use serde::Serialize;

use crate::issuer::Issuer;
use crate::jose::Algorithm;
use crate::token_request::{GrantType, TokenType};

/// The grant profile that says "ID-JAGs are redeemed here"
/// (draft-ietf-oauth-identity-assertion-authz-grant-04 §7.2, AS-13).
pub const ID_JAG_PROFILE: &str = "urn:ietf:params:oauth:grant-profile:id-jag";

/// The metadata of one of our authorization servers.
#[derive(Clone, Debug, Serialize)]
pub struct AuthorizationServerMetadata {
    /// The issuer, exactly as in every token.
    pub issuer: Issuer,
    /// Where browsers start.
    pub authorization_endpoint: String,
    /// Where tokens come from.
    pub token_endpoint: String,
    /// The keys that tokens are signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// RFC 7662.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<String>,
    /// RFC 7009.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    /// OpenID Connect RP-Initiated Logout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_session_endpoint: Option<String>,
    /// Always `code` (AS-07).
    pub response_types_supported: Vec<&'static str>,
    /// Always `S256`; clients refuse to go on without it (AS-07).
    pub code_challenge_methods_supported: Vec<&'static str>,
    /// Every grant: the default of the RFC would promise the implicit grant (AS-16).
    pub grant_types_supported: Vec<GrantType>,
    /// [`ID_JAG_PROFILE`] where ID-JAGs are redeemed (AS-13).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_grant_profiles_supported: Vec<&'static str>,
    /// [`TokenType::IdJag`] where ID-JAGs are issued (ID-01).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identity_chaining_requested_token_types_supported: Vec<TokenType>,
    /// How clients may authenticate.
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// Needed where `private_key_jwt` is offered (AS-10).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_signing_alg_values_supported: Vec<Algorithm>,
    /// How clients may authenticate for introspection.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    /// Needed where `private_key_jwt` is offered there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<Algorithm>,
    /// How clients may authenticate for revocation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    /// Needed where `private_key_jwt` is offered there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<Algorithm>,
    /// Algorithms of DPoP proofs (AS-15).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dpop_signing_alg_values_supported: Vec<Algorithm>,
    /// Whether a client id may be the URL of its metadata (AS-08).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub client_id_metadata_document_supported: bool,
    /// Always true: every authorization response carries `iss` (AS-09, AS-28).
    pub authorization_response_iss_parameter_supported: bool,
    /// Scopes that may be asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// A page for developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_documentation: Option<String>,
    /// What OpenID Connect Discovery adds.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub openid: Option<OpenIdMetadata>,
}

/// Members that only OpenID Connect Discovery knows; some of its readers refuse a document without
/// them. There is no `userinfo_endpoint`.
#[derive(Clone, Debug, Serialize)]
pub struct OpenIdMetadata {
    /// `public`: one subject for all clients.
    pub subject_types_supported: Vec<&'static str>,
    /// Algorithms of ID tokens.
    pub id_token_signing_alg_values_supported: Vec<Algorithm>,
    /// Claims an ID token may have.
    pub claims_supported: Vec<&'static str>,
    /// Always false.
    pub request_parameter_supported: bool,
    /// Always false; absent would mean true.
    pub request_uri_parameter_supported: bool,
}

impl AuthorizationServerMetadata {
    /// What is true of every authorization server of ours; the caller adds the rest.
    #[must_use]
    pub fn new(issuer: Issuer, authorization_endpoint: String, token_endpoint: String) -> Self {
        Self {
            issuer,
            authorization_endpoint,
            token_endpoint,
            jwks_uri: None,
            introspection_endpoint: None,
            revocation_endpoint: None,
            end_session_endpoint: None,
            response_types_supported: vec!["code"],
            code_challenge_methods_supported: vec![crate::pkce::METHOD],
            grant_types_supported: Vec::new(),
            authorization_grant_profiles_supported: Vec::new(),
            identity_chaining_requested_token_types_supported: Vec::new(),
            token_endpoint_auth_methods_supported: Vec::new(),
            token_endpoint_auth_signing_alg_values_supported: Vec::new(),
            introspection_endpoint_auth_methods_supported: Vec::new(),
            introspection_endpoint_auth_signing_alg_values_supported: Vec::new(),
            revocation_endpoint_auth_methods_supported: Vec::new(),
            revocation_endpoint_auth_signing_alg_values_supported: Vec::new(),
            dpop_signing_alg_values_supported: Vec::new(),
            client_id_metadata_document_supported: false,
            authorization_response_iss_parameter_supported: true,
            scopes_supported: Vec::new(),
            service_documentation: None,
            openid: None,
        }
    }
}

impl OpenIdMetadata {
    /// For an issuer whose ID tokens have these algorithms and claims.
    #[must_use]
    pub fn new(algorithms: Vec<Algorithm>, claims: Vec<&'static str>) -> Self {
        Self {
            subject_types_supported: vec!["public"],
            id_token_signing_alg_values_supported: algorithms,
            claims_supported: claims,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(issuer: &str) -> AuthorizationServerMetadata {
        AuthorizationServerMetadata::new(
            Issuer::parse(issuer).unwrap(),
            format!("{issuer}/authorize"),
            format!("{issuer}/token"),
        )
    }

    /// Requirements §6.3, byte for byte but for the line breaks and `client_credentials`, a grant
    /// that we do not have.
    #[test]
    fn the_worked_example_is_reproduced() {
        let mut metadata = metadata("https://auth.tracker.example/t1");
        let at = |path: &str| Some(format!("https://auth.tracker.example/t1/{path}"));
        metadata.jwks_uri = at("jwks");
        metadata.introspection_endpoint = at("introspect");
        metadata.revocation_endpoint = at("revoke");
        metadata.grant_types_supported = vec![
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::JwtBearer,
        ];
        metadata.authorization_grant_profiles_supported = vec![ID_JAG_PROFILE];
        metadata.token_endpoint_auth_methods_supported =
            vec!["private_key_jwt", "client_secret_basic", "none"];
        let algorithms = vec![Algorithm::Es256, Algorithm::EdDsa];
        metadata.token_endpoint_auth_signing_alg_values_supported = algorithms.clone();
        metadata.dpop_signing_alg_values_supported = algorithms;
        metadata.client_id_metadata_document_supported = true;
        metadata.scopes_supported = [
            "issues:read",
            "issues:comment",
            "issues:write",
            "offline_access",
        ]
        .map(String::from)
        .into();
        let expected = concat!(
            r#"{"issuer":"https://auth.tracker.example/t1","authorization_endpoint":"https://auth.tracker.example/t1/authorize","#,
            r#""token_endpoint":"https://auth.tracker.example/t1/token","jwks_uri":"https://auth.tracker.example/t1/jwks","#,
            r#""introspection_endpoint":"https://auth.tracker.example/t1/introspect","revocation_endpoint":"https://auth.tracker.example/t1/revoke","#,
            r#""response_types_supported":["code"],"code_challenge_methods_supported":["S256"],"#,
            r#""grant_types_supported":["authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:jwt-bearer"],"#,
            r#""authorization_grant_profiles_supported":["urn:ietf:params:oauth:grant-profile:id-jag"],"#,
            r#""token_endpoint_auth_methods_supported":["private_key_jwt","client_secret_basic","none"],"#,
            r#""token_endpoint_auth_signing_alg_values_supported":["ES256","EdDSA"],"dpop_signing_alg_values_supported":["ES256","EdDSA"],"#,
            r#""client_id_metadata_document_supported":true,"authorization_response_iss_parameter_supported":true,"#,
            r#""scopes_supported":["issues:read","issues:comment","issues:write","offline_access"]}"#,
        );
        assert_eq!(serde_json::to_string(&metadata).unwrap(), expected);
    }

    /// AS-02, AS-07, ID-01, ID-02: an identity provider's document, with the OpenID members.
    #[test]
    fn an_identity_provider_says_that_it_issues_id_jags() {
        let mut metadata = metadata("https://idp.globex.example/idp/globex");
        metadata.grant_types_supported = vec![GrantType::TokenExchange];
        metadata.identity_chaining_requested_token_types_supported = vec![TokenType::IdJag];
        metadata.openid = Some(OpenIdMetadata::new(
            vec![Algorithm::Es256],
            vec!["sub", "email"],
        ));
        insta::assert_json_snapshot!(metadata, @r#"
        {
          "issuer": "https://idp.globex.example/idp/globex",
          "authorization_endpoint": "https://idp.globex.example/idp/globex/authorize",
          "token_endpoint": "https://idp.globex.example/idp/globex/token",
          "response_types_supported": [
            "code"
          ],
          "code_challenge_methods_supported": [
            "S256"
          ],
          "grant_types_supported": [
            "urn:ietf:params:oauth:grant-type:token-exchange"
          ],
          "identity_chaining_requested_token_types_supported": [
            "urn:ietf:params:oauth:token-type:id-jag"
          ],
          "token_endpoint_auth_methods_supported": [],
          "authorization_response_iss_parameter_supported": true,
          "subject_types_supported": [
            "public"
          ],
          "id_token_signing_alg_values_supported": [
            "ES256"
          ],
          "claims_supported": [
            "sub",
            "email"
          ],
          "request_parameter_supported": false,
          "request_uri_parameter_supported": false
        }
        "#);
    }
}
