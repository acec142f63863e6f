//! OAuth JSON answers (RFC 6749 §5.1, §5.2): never cached, never more than the code and a fixed text.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use symbolon_protocol::oauth_error::{OAuthError, OAuthErrorCode};
use symbolon_storage::StorageError;

use crate::token::{Denied, StepUp};

/// A refused or failed request of a form endpoint.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: OAuthErrorCode,
    description: Option<&'static str>,
    step_up: Option<StepUp>,
    /// The request used the `Authorization` header, so the answer carries a challenge.
    basic_challenge: bool,
}

impl Refusal {
    /// A refusal that says no more than its code.
    pub(crate) fn new(code: OAuthErrorCode) -> Self {
        Self {
            code,
            description: None,
            step_up: None,
            basic_challenge: false,
        }
    }

    /// Failed client authentication (RFC 6749 §5.2).
    pub(crate) fn invalid_client(used_authorization_header: bool) -> Self {
        let mut refusal = Self::new(OAuthErrorCode::InvalidClient);
        refusal.basic_challenge = used_authorization_header;
        refusal
    }

    /// Something we need does not answer; the caller may try again.
    pub(crate) fn temporarily_unavailable() -> Self {
        Self::new(OAuthErrorCode::TemporarilyUnavailable)
    }

    fn body(&self) -> Value {
        let mut body = json!({ "error": self.code.as_str() });
        if let Some(description) = self.description {
            body["error_description"] = description.into();
        }
        if let Some(step_up) = &self.step_up {
            if let Some(acr_values) = &step_up.acr_values {
                body["acr_values"] = acr_values.as_str().into();
            }
            if let Some(max_age) = step_up.max_age {
                body["max_age"] = max_age.into();
            }
        }
        body
    }
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self {
            description: Some(error.description),
            ..Self::new(error.code)
        }
    }
}

impl From<Denied> for Refusal {
    /// The reason stays in the log: no case may tell which check failed (requirements §5).
    fn from(denied: Denied) -> Self {
        Self {
            step_up: denied.step_up,
            ..Self::new(denied.code)
        }
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        tracing::error!(error = %error, "the database did not answer: {error}");
        Self::temporarily_unavailable()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = no_store(status, self.body());
        if self.basic_challenge {
            let challenge = HeaderValue::from_static("Basic realm=\"symbolon\", charset=\"UTF-8\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A JSON answer that no cache keeps.
pub(crate) fn no_store(status: StatusCode, body: Value) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
    ];
    (status, headers, Json(body)).into_response()
}
