//! What people see (design §11): server-rendered pages without JavaScript.
//!
//! A page is a template in `templates/` and a struct here or beside its flow. Every page leaves
//! through [`respond`], which sets the headers that keep it from being framed, cached, sniffed or
//! scripted; there is no inline style or script anywhere, so the policy needs no exception.

pub(crate) mod assets;
pub(crate) mod content_security_policy;
pub(crate) mod error;
pub(crate) mod home;

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use symbolon_storage::directory::Organization;

pub(crate) use self::content_security_policy::ContentSecurityPolicy;
use crate::state::AppState;

/// What surrounds the content of every page.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Where stylesheet and images are, without a trailing slash.
    pub(crate) assets: &'static str,
    /// The organization the page speaks for.
    pub(crate) organization: Option<String>,
    /// The host people are on.
    pub(crate) host: String,
}

impl Frame {
    /// The frame of this deployment.
    pub(crate) fn new(state: &AppState) -> Self {
        let without_scheme = state
            .public_url
            .split_once("://")
            .map_or("", |(_, rest)| rest);
        Self {
            assets: assets::path(),
            organization: None,
            host: without_scheme.to_owned(),
        }
    }

    /// The frame with an organization's name in it.
    pub(crate) fn of(mut self, organization: Option<&Organization>) -> Self {
        self.organization = organization.map(|organization| organization.name.clone());
        self
    }
}

/// Answers with a page.
pub(crate) fn respond(
    status: StatusCode,
    policy: &ContentSecurityPolicy,
    page: &impl Template,
) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(error = %error, "a page could not be rendered: {error}");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.to_header());
    response
}
