//! `/`: what this deployment is, without a word about who uses it (AS-14).

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use super::{ContentSecurityPolicy, Frame, respond};
use crate::state::AppState;

/// The page at the root.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/", get(home))
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    authorization_server: Option<String>,
    metadata: String,
}

async fn home(State(state): State<AppState>) -> Response {
    let issuer = state
        .authorization_server()
        .map(|context| context.issuer.to_string());
    let page = HomePage {
        frame: Frame::new(&state),
        authorization_server: issuer,
        metadata: format!(
            "{}/.well-known/oauth-authorization-server/as",
            state.public_url
        ),
    };
    respond(StatusCode::OK, &ContentSecurityPolicy::strict(), &page)
}
