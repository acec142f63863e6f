//! The success answer of the token endpoint (RFC 6749 §5.1, RFC 8693 §2.2.1).

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::token_request::TokenType;

use crate::oauth_response;

/// Everything a success may carry; each grant fills in its own.
#[derive(Serialize)]
pub(super) struct TokenResponse {
    pub(super) access_token: String,
    pub(super) token_type: &'static str,
    pub(super) expires_in: u64,
    /// Always stated, also when it is what was asked for (AS-57).
    pub(super) scope: ScopeSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) issued_token_type: Option<TokenType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resource: Option<String>,
}

/// Status 200, never cached.
pub(super) fn success(response: &TokenResponse) -> Response {
    let body = serde_json::to_value(response).expect("texts and numbers are JSON");
    oauth_response::no_store(StatusCode::OK, body)
}
