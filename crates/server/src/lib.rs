//! Every browser and OAuth endpoint of the `as` and `idp` roles.
//!
//! [`routes`] is the table of contents. One request follows one order (design §4 rule 1): gather
//! over the network, verify without it, commit in one transaction, sign.

mod authorize;
mod browser_session;
mod client_authentication;
mod consent;
mod cookies;
mod csrf;
mod fetch_metadata;
mod form;
mod grant_decision;
mod introspect;
mod issuer_context;
mod jwks;
pub mod keys;
mod metadata;
mod oauth_response;
mod pages;
mod request_id;
mod revoke;
mod rows;
mod sealed;
mod sign_in;
mod sign_out;
mod state;
mod subject;
#[cfg(test)]
mod test_deployment;
mod token;
mod token_form;
mod visit;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, header};
use axum::routing::{get, post};
use tower_http::cors::{Any, CorsLayer};

pub use state::{AppState, Parts};

/// Larger than the largest form that is read, so that the reader can say what is wrong with it.
const MAX_BODY_BYTES: usize = 128 * 1024;

/// Everything below `public_url` but the gateway.
pub fn routes(state: AppState) -> Router {
    let issuers = Router::new()
        .merge(metadata_routes())
        .nest("/as", endpoints())
        .nest("/idp/{organization}", endpoints())
        .layer(cors());
    Router::new()
        .merge(issuers)
        .merge(pages())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(state)
}

/// What a browser shows; no other origin may read any of it.
fn pages() -> Router<AppState> {
    Router::new()
        .merge(authorize::routes())
        .merge(sign_in::routes())
        .merge(consent::routes())
        .merge(sign_out::routes())
        .merge(pages::home::routes())
        .merge(pages::assets::routes())
}

/// The two path-inserted places; the path-appended one is among the endpoints (AS-03).
fn metadata_routes() -> Router<AppState> {
    Router::new()
        .route(
            "/.well-known/oauth-authorization-server/as",
            get(metadata::metadata),
        )
        .route(
            "/.well-known/openid-configuration/as",
            get(metadata::metadata),
        )
        .route(
            "/.well-known/oauth-authorization-server/idp/{organization}",
            get(metadata::metadata),
        )
        .route(
            "/.well-known/openid-configuration/idp/{organization}",
            get(metadata::metadata),
        )
}

/// The endpoints of each authorization server.
fn endpoints() -> Router<AppState> {
    Router::new()
        .route("/.well-known/openid-configuration", get(metadata::metadata))
        .route("/jwks", get(jwks::jwks))
        .route("/token", post(token::token))
        .route("/introspect", post(introspect::introspect))
        .route("/revoke", post(revoke::revoke))
}

/// Browser clients read these from other origins; no cookie ever counts here (AS-18).
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
}
