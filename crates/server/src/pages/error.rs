//! The page that says what went wrong when nobody may be redirected (AS-23, design §10).
//!
//! Its texts are constants of ours; the cause is in the log under the request id that it shows.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use symbolon_protocol::oauth_error::OAuthError;

use super::{ContentSecurityPolicy, Frame, respond};
use crate::request_id::RequestId;
use crate::state::AppState;

const START_AGAIN: &str = "Close this page and start again from your application. If it happens \
                           again, send the request number below to your IT team.";

/// What a page says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PageError {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    what: &'static str,
    advice: &'static str,
}

impl PageError {
    /// The client or its redirect URI cannot be trusted with an answer (N-001 to N-004, N-010).
    pub(crate) fn unusable_link(error: &OAuthError) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: error.code.as_str(),
            title: "This link cannot be used",
            what: error.description,
            advice: "Nothing was shared. Start again from your application; if it happens again, \
                     send the request number below to whoever maintains the application.",
        }
    }

    /// A sign-in came back that did not start in this browser, or too long ago (N-022).
    pub(crate) const UNKNOWN_SIGN_IN: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: "invalid_request",
        title: "This sign-in has expired",
        what: "It was started more than ten minutes ago, was finished already, or was started in \
               another browser.",
        advice: START_AGAIN,
    };

    /// The answer of the identity provider names another issuer (N-023).
    pub(crate) const MIXED_UP: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: "invalid_request",
        title: "This sign-in was not accepted",
        what: "The answer did not come from the sign-in page that you were sent to.",
        advice: START_AGAIN,
    };

    /// A form that we did not show to this browser (N-018).
    pub(crate) const FOREIGN_FORM: Self = Self {
        status: StatusCode::FORBIDDEN,
        code: "access_denied",
        title: "This form has expired",
        what: "It was not sent from a current page of this service in this browser. Nothing was \
               changed.",
        advice: START_AGAIN,
    };

    /// A form that cannot be read.
    pub(crate) const UNREADABLE_FORM: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: "invalid_request",
        title: "This form cannot be read",
        what: "A field is missing, repeated or malformed. Nothing was changed.",
        advice: START_AGAIN,
    };

    /// Something we need does not answer.
    pub(crate) const UNAVAILABLE: Self = Self {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "temporarily_unavailable",
        title: "Please try again in a moment",
        what: "A part of this service is not available just now.",
        advice: START_AGAIN,
    };

    /// There is no such authorization server.
    pub(crate) const NOT_FOUND: Self = Self {
        status: StatusCode::NOT_FOUND,
        code: "not_found",
        title: "There is nothing here",
        what: "The address does not belong to any organization or service.",
        advice: "Check the address in the settings of your application.",
    };

    /// The page, with the request id that finds the cause in the log.
    pub(crate) fn into_page(self, state: &AppState, request_id: &RequestId) -> Response {
        let page = ErrorPage {
            frame: Frame::new(state),
            title: self.title,
            what: self.what,
            advice: self.advice,
            code: self.code,
            request_id: request_id.as_str(),
        };
        respond(self.status, &ContentSecurityPolicy::strict(), &page).into_response()
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    title: &'a str,
    what: &'a str,
    advice: &'a str,
    code: &'a str,
    request_id: &'a str,
}
