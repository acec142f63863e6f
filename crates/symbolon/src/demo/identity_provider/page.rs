//! The pages of the development identity provider. They work without JavaScript and load nothing
//! from elsewhere.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use symbolon_protocol::oauth_error::OAuthError;

use super::{Client, Provider, person::Person};

/// `form-action` is left open: browsers apply it to every redirect after the form as well, and
/// those lead through the applications that people sign in to.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";

#[derive(Template)]
#[template(path = "demo/sign_in.html")]
struct SignIn<'a> {
    client: &'a str,
    people: Vec<&'a Person>,
    request: &'a str,
    has_second_factor: bool,
}

#[derive(Template)]
#[template(path = "demo/notice.html")]
struct Notice<'a> {
    title: &'a str,
    text: &'a str,
}

/// The page that asks who signs in; the person that `hint` names comes first.
pub(super) fn sign_in(
    provider: &Provider,
    client: &Client,
    request: &str,
    hint: Option<&str>,
    has_second_factor: bool,
) -> Response {
    let is_hinted = |person: &&Person| hint == Some(&person.email) || hint == Some(&person.id);
    let (first, rest): (Vec<_>, Vec<_>) = provider.people.iter().partition(is_hinted);
    let page = SignIn {
        client: client.id.as_str(),
        people: first.into_iter().chain(rest).collect(),
        request,
        has_second_factor,
    };
    show(StatusCode::OK, &page)
}

/// The page for a request that cannot be answered by a redirect.
pub(super) fn refusal(error: &OAuthError) -> Response {
    let page = Notice {
        title: "This sign-in cannot go on",
        text: error.description,
    };
    show(StatusCode::BAD_REQUEST, &page)
}

/// The page after signing out.
pub(super) fn signed_out() -> Response {
    let page = Notice {
        title: "Signed out",
        text: "You are signed out of the development identity provider.",
    };
    show(StatusCode::OK, &page)
}

/// `GET /style.css`.
pub(super) async fn style() -> impl IntoResponse {
    let css = include_str!("style.css");
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css)
}

fn show(status: StatusCode, page: &impl Template) -> Response {
    let Ok(html) = page.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, Html(html)).into_response()
}
