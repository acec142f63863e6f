//! Signing out (OpenID Connect RP-Initiated Logout 1.0).

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, header},
    response::{IntoResponse as _, Redirect, Response},
};
use symbolon_protocol::{form::Form, oauth_error::OAuthError};
use url::Url;

use super::{Provider, Shared, page, session};

/// `GET /logout`.
pub(super) async fn sign_out(
    State(provider): Shared,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    end(&provider, &headers, &query.unwrap_or_default())
}

/// `POST /logout`.
pub(super) async fn sign_out_by_form(
    State(provider): Shared,
    headers: HeaderMap,
    body: String,
) -> Response {
    end(&provider, &headers, &body)
}

fn end(provider: &Provider, headers: &HeaderMap, parameters: &str) -> Response {
    let mut response = match return_to(provider, parameters) {
        Ok(Some(url)) => Redirect::to(url.as_str()).into_response(),
        Ok(None) => page::signed_out(),
        Err(error) => page::refusal(&error),
    };
    let cookie = session::set_cookie(&provider.sessions.end(headers));
    response
        .headers_mut()
        .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// Where the browser goes afterwards: only to a place that a client registered.
fn return_to(provider: &Provider, parameters: &str) -> Result<Option<Url>, OAuthError> {
    let unknown = OAuthError::invalid_request("post_logout_redirect_uri is not registered");
    let form = Form::parse(parameters.as_bytes())?;
    let Some(wanted) = form.one("post_logout_redirect_uri")? else {
        return Ok(None);
    };
    let mut registered = provider
        .clients
        .iter()
        .flat_map(|client| &client.post_logout_redirect_uris);
    let found = registered.find(|uri| *uri == wanted).ok_or(unknown)?;
    let mut url = Url::parse(found).map_err(|_| unknown)?;
    if let Some(state) = form.one("state")? {
        url.query_pairs_mut().append_pair("state", state);
    }
    Ok(Some(url))
}
