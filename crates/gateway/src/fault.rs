//! What a caller is told when a request is not forwarded (requirements RS-40, RS-49; design §10).
//!
//! Faults of the credentials are answered as OAuth JSON with a challenge, faults of the message as
//! JSON-RPC. The public text is ours; the cause goes to the log once, with the request id that the
//! answer carries.

use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use symbolon_protocol::challenge::Refusal;

use crate::headers::{self, JSON};
use crate::origin::SiteError;

/// Carries the request id that the log and the audit trail name.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a request is not forwarded. Boxed, because success is what matters for size.
#[derive(Debug)]
pub(crate) struct Fault(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    /// A word for metrics, from a closed set.
    kind: &'static str,
    challenge: Option<String>,
    extra: Option<(HeaderName, HeaderValue)>,
    body: String,
    cause: Option<Cause>,
}

impl Fault {
    fn new(status: StatusCode, kind: &'static str, body: String) -> Self {
        let parts = Parts {
            status,
            kind,
            challenge: None,
            extra: None,
            body,
            cause: None,
        };
        Self(Box::new(parts))
    }

    /// A small JSON answer: `error` is a word, `description` a fixed sentence.
    pub(crate) fn plain(status: StatusCode, error: &'static str, description: &str) -> Self {
        let body = json!({ "error": error, "error_description": description });
        Self::new(status, error, body.to_string())
    }

    /// The kind of [`Self::unknown_server`].
    pub(crate) const UNKNOWN_SERVER: &'static str = "unknown_server";

    /// No such server: 404 without detail.
    pub(crate) fn unknown_server() -> Self {
        let body = r#"{"error":"not_found"}"#.to_owned();
        Self::new(StatusCode::NOT_FOUND, Self::UNKNOWN_SERVER, body)
    }

    /// The kind of [`Self::other_site`].
    pub(crate) const OTHER_SITE: &'static str = "other_site";

    /// A request of another site: 403.
    pub(crate) fn other_site(error: SiteError) -> Self {
        Self::plain(StatusCode::FORBIDDEN, Self::OTHER_SITE, &error.to_string())
    }

    /// A denial that another token would not change: 403 without a challenge (RS-47).
    pub(crate) fn denied(description: &str) -> Self {
        Self::plain(StatusCode::FORBIDDEN, "access_denied", description)
    }

    /// Another HTTP method than those of `allow`.
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let description = "this endpoint does not answer that method";
        let fault = Self::plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            description,
        );
        fault.with_header(ALLOW, HeaderValue::from_static(allow))
    }

    /// A refusal about the caller's credentials or permissions, with its challenge.
    pub(crate) fn refused(refusal: &Refusal<'_>, metadata_url: &str, description: &str) -> Self {
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN);
        // Without credentials the challenge carries no error code; the body may say what is wanted.
        let error = refusal
            .error()
            .map_or("unauthorized", |error| error.as_str());
        let mut fault = Self::plain(status, error, description);
        fault.0.challenge = refusal
            .challenge(metadata_url)
            .map(|challenge| challenge.to_string());
        fault
    }

    /// A fault of the message, as the JSON-RPC error that answers it.
    pub(crate) fn protocol(status: u16, kind: &'static str, error: String) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Self::new(status, kind, error)
    }

    /// Something that the decision needs does not answer: 503, and nothing was done.
    pub(crate) fn unavailable(description: &str) -> Self {
        Self::plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            description,
        )
        .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Remembers what the log is told.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.extra = Some((name, value));
        self
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// A word for metrics, from a closed set.
    pub(crate) fn kind(&self) -> &'static str {
        self.0.kind
    }

    /// Writes the log line and the answer.
    pub(crate) fn into_response(self, request_id: &str) -> Response {
        let Parts {
            status,
            kind,
            challenge,
            extra,
            body,
            cause,
        } = *self.0;
        log(status, kind, cause.as_deref(), request_id);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        if let Some(challenge) = challenge.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        headers.extend(extra);
        headers::seal_off(headers);
        response
    }
}

fn log(
    status: StatusCode,
    kind: &'static str,
    cause: Option<&(dyn std::error::Error + Send + Sync + 'static)>,
    request_id: &str,
) {
    let cause = cause.map(|cause| chain(cause)).unwrap_or_default();
    let status = status.as_u16();
    if status >= 500 {
        tracing::error!(
            request.id = request_id,
            status,
            kind,
            cause,
            "request failed: {kind}"
        );
    } else {
        tracing::debug!(
            request.id = request_id,
            status,
            kind,
            cause,
            "request refused: {kind}"
        );
    }
}

/// An error with all its sources.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
