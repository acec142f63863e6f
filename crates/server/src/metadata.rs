//! Authorization server metadata of both roles ([RFC 8414], OpenID Connect Discovery 1.0).
//!
//! One document, three places: a pathed issuer is looked for at the two path-inserted well-known
//! locations and at the path-appended one (requirements AS-03). Nothing here depends on which
//! issuers are trusted or which customers exist (AS-14).
//!
//! [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::jose::Algorithm;
use symbolon_protocol::metadata::{AuthorizationServerMetadata, ID_JAG_PROFILE, OpenIdMetadata};
use symbolon_protocol::token_request::{GrantType, TokenType};

use crate::issuer_context::CurrentIssuer;
use crate::state::IssuerContext;

/// Seconds a client may keep a document; short, so that a change is noticed.
const MAX_AGE: &str = "public, max-age=300";

/// Grants offered by a role.
pub(crate) fn grants_of(role: &IssuerRole) -> &'static [GrantType] {
    match role {
        IssuerRole::As => &[
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::JwtBearer,
        ],
        IssuerRole::Idp(_) => &[
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::TokenExchange,
        ],
    }
}

/// Ways in which a client may authenticate itself.
const METHODS: [&str; 4] = [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none",
];

/// Answers each of the three places.
pub(crate) async fn metadata(CurrentIssuer(issuer): CurrentIssuer) -> Response {
    ([(header::CACHE_CONTROL, MAX_AGE)], Json(document(&issuer))).into_response()
}

fn document(issuer: &IssuerContext) -> AuthorizationServerMetadata {
    let authorize = issuer.endpoint("authorize");
    let token = issuer.endpoint("token");
    let mut document = AuthorizationServerMetadata::new(issuer.issuer.clone(), authorize, token);
    let confidential: Vec<&str> = METHODS.iter().copied().filter(|m| *m != "none").collect();
    document.jwks_uri = Some(issuer.endpoint("jwks"));
    document.introspection_endpoint = Some(issuer.endpoint("introspect"));
    document.revocation_endpoint = Some(issuer.endpoint("revoke"));
    document.end_session_endpoint = Some(issuer.endpoint("logout"));
    document.grant_types_supported = grants_of(&issuer.role).to_vec();
    document.token_endpoint_auth_methods_supported = METHODS.to_vec();
    document.token_endpoint_auth_signing_alg_values_supported = Algorithm::ALL.to_vec();
    document.introspection_endpoint_auth_methods_supported = confidential;
    document.introspection_endpoint_auth_signing_alg_values_supported = Algorithm::ALL.to_vec();
    document.revocation_endpoint_auth_methods_supported = METHODS.to_vec();
    document.revocation_endpoint_auth_signing_alg_values_supported = Algorithm::ALL.to_vec();
    match issuer.role {
        IssuerRole::As => document.authorization_grant_profiles_supported = vec![ID_JAG_PROFILE],
        IssuerRole::Idp(_) => {
            document.identity_chaining_requested_token_types_supported = vec![TokenType::IdJag];
            document.scopes_supported = ["openid", "email", "profile", "offline_access"]
                .map(str::to_owned)
                .into();
        }
    }
    let claims = vec![
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nonce",
        "auth_time",
        "acr",
        "amr",
        "email",
        "name",
    ];
    document.openid = Some(OpenIdMetadata::new(vec![Algorithm::Es256], claims));
    document
}
