//! To the identity provider (OpenID Connect Core §3.1.2.1), always with PKCE, nonce and state.

use axum::http::header;
use axum::response::Response;
use symbolon_protocol::oauth_error::{OAuthError, OAuthErrorCode};
use symbolon_protocol::pkce::{self, CodeVerifier};
use symbolon_storage::directory::Connection;
use url::Url;

use super::attempt::{Attempt, MAX_QUERY_BYTES};
use crate::authorize::request::Authorization;
use crate::authorize::resume::Stage;
use crate::authorize::stop::Stop;
use crate::rows;
use crate::state::AppState;
use crate::visit::{Visit, see_other};

/// What this sign-in should be like.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// Who probably signs in.
    pub(super) login_hint: Option<String>,
    /// Acceptable authentication context classes.
    pub(super) acr_values: Option<String>,
    /// Oldest acceptable sign-in in seconds; checked when the answer arrives.
    pub(super) max_age: Option<u64>,
    /// What the identity provider should ask again.
    pub(super) prompt: Option<&'static str>,
    /// Who wants it so.
    pub(super) stage: Stage,
}

/// The one callback of every connection.
pub(super) fn callback_uri(state: &AppState) -> String {
    format!("{}/sso/oidc/callback", state.public_url)
}

/// Sends the browser to the connection's identity provider.
///
/// # Errors
/// To the client: `temporarily_unavailable` when the identity provider does not answer,
/// `invalid_request` when the request is too long to be remembered.
pub(super) async fn start(
    visit: &Visit,
    authorization: &Authorization,
    connection: &Connection,
    wish: Wish,
) -> Result<Response, Stop> {
    if authorization.query.len() > MAX_QUERY_BYTES {
        return Err(authorization.refuse(visit, &TOO_LONG));
    }
    let row = rows::connection(connection);
    let metadata = visit
        .state
        .issuer_keys
        .metadata(&row)
        .await
        .map_err(|error| {
            let connection = &connection.id;
            tracing::warn!(%connection, %error, "no metadata of connection {connection}: {error}");
            authorization.refuse(visit, &UNREACHABLE)
        })?;
    let endpoint = metadata.authorization_endpoint().map_err(|error| {
        let connection = &connection.id;
        tracing::error!(%connection, %error, "connection {connection} cannot sign in: {error}");
        authorization.refuse(visit, &UNREACHABLE)
    })?;
    let (role, query) = (&visit.issuer.role, &authorization.query);
    let attempt = Attempt::new(role, query, connection, &wish, visit.now);
    let location = location(
        &callback_uri(&visit.state),
        connection,
        &attempt,
        &wish,
        endpoint,
    );
    let mut response = see_other(location.as_str());
    for cookie in attempt.cookies(&visit.cookies, visit.secret(), visit.now) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn location(
    callback_uri: &str,
    connection: &Connection,
    attempt: &Attempt,
    wish: &Wish,
    endpoint: &Url,
) -> Url {
    let challenge = CodeVerifier::parse(&attempt.verifier)
        .expect("the attempt was made with a verifier of ours")
        .challenge();
    let mut location = endpoint.clone();
    let mut query = location.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &connection.client_id)
        .append_pair("redirect_uri", callback_uri)
        .append_pair("scope", &connection.scopes.join(" "))
        .append_pair("state", &attempt.state)
        .append_pair("nonce", &attempt.nonce)
        .append_pair("code_challenge", &challenge.to_text())
        .append_pair("code_challenge_method", pkce::METHOD);
    let max_age = wish.max_age.map(|seconds| seconds.to_string());
    // Google's name for the tenant whose accounts it should offer.
    let hosted_domain = connection
        .tenant
        .as_ref()
        .filter(|tenant| tenant.claim == "hd");
    let optional = [
        ("login_hint", wish.login_hint.as_deref()),
        ("prompt", wish.prompt),
        ("max_age", max_age.as_deref()),
        ("acr_values", wish.acr_values.as_deref()),
        ("hd", hosted_domain.map(|tenant| tenant.value.as_str())),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    drop(query);
    location
}

const TOO_LONG: OAuthError = OAuthError::new(
    OAuthErrorCode::InvalidRequest,
    "the request is too long: shorten state",
);
const UNREACHABLE: OAuthError = OAuthError::new(
    OAuthErrorCode::TemporarilyUnavailable,
    "the identity provider of the organization does not answer",
);
