//! Which of our authorization servers a request addresses, from its path alone.

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use crate::state::{AppState, IssuerContext};

/// The authorization server below which an endpoint was called: `/as/…` or `/idp/{organization}/…`.
pub(crate) struct CurrentIssuer(pub(crate) IssuerContext);

impl FromRequestParts<AppState> for CurrentIssuer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let organization = Path::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .ok()
            .and_then(|Path(pairs)| pairs.into_iter().find(|(name, _)| name == "organization"))
            .map(|(_, value)| value);
        match organization {
            None => state.authorization_server(),
            Some(organization) => state.identity_provider(&organization),
        }
        .map(Self)
        .ok_or_else(|| StatusCode::NOT_FOUND.into_response())
    }
}
