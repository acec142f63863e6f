//! The public keys of an authorization server (RFC 7517 §5), next and retired ones included.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::issuer_context::CurrentIssuer;
use crate::state::AppState;

/// Shorter than the time for which a new key is published before its first use.
const MAX_AGE: &str = "public, max-age=300";

/// Answers `GET …/jwks`.
pub(crate) async fn jwks(
    State(state): State<AppState>,
    CurrentIssuer(issuer): CurrentIssuer,
) -> Response {
    let keys = state.keys.load().public_set(&issuer.role);
    ([(header::CACHE_CONTROL, MAX_AGE)], Json(keys)).into_response()
}
