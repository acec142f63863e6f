//! Faults of a message, answered as JSON-RPC errors (requirements RS-49, RS-64 to RS-71).
//!
//! Codes are those of JSON-RPC and of MCP 2026-07-28, never one of the legacy range.

use http::StatusCode;
use symbolon_protocol::mcp::{Disagreement, ErrorResponse, Id, ParseError, code};

use crate::fault::Fault;
use crate::operation::OperationError;
use crate::request_body::BodyError;
use crate::upstream::UpstreamError;

/// JSON-RPC 2.0 §5.1.
const INTERNAL_ERROR: i32 = -32603;

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        let (status, kind) = match error {
            BodyError::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            BodyError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
            BodyError::Broken => (StatusCode::BAD_REQUEST, "incomplete"),
        };
        Self::plain(status, kind, &error.to_string())
    }
}

impl From<ParseError> for Fault {
    fn from(error: ParseError) -> Self {
        let text = error.failure.to_string();
        message_fault(error.status(), error.id.as_ref(), error.code(), &text)
    }
}

/// Headers that disagree with the body, or a version that is not served.
pub(crate) fn disagreement(disagreement: &Disagreement, id: Option<&Id>) -> Fault {
    let body = disagreement.response(id).to_json();
    Fault::protocol(disagreement.status, "invalid_message", body)
}

/// A message that asks for nothing that could be decided.
pub(crate) fn no_operation(error: OperationError, id: Option<&Id>) -> Fault {
    let (status, code) = match error {
        OperationError::UnknownMethod => (404, code::METHOD_NOT_FOUND),
        OperationError::InvalidParams => (400, code::INVALID_PARAMS),
    };
    message_fault(status, id, code, &error.to_string())
}

/// A session that is not the caller's, or none at all: the client must initialize again (RS-80).
pub(crate) fn unknown_session(id: Option<&Id>) -> Fault {
    message_fault(
        404,
        id,
        code::INVALID_REQUEST,
        "Session not found: initialize again",
    )
}

/// A message that only makes sense in a session (N-217).
pub(crate) fn session_required(id: Option<&Id>) -> Fault {
    message_fault(
        400,
        id,
        code::INVALID_REQUEST,
        "Mcp-Session-Id header is required",
    )
}

fn message_fault(status: u16, id: Option<&Id>, code: i32, text: &str) -> Fault {
    let body = ErrorResponse::new(id, code, text, None).to_json();
    Fault::protocol(status, "invalid_message", body)
}

/// The upstream gave no answer that could be passed on.
pub(crate) fn no_answer(error: UpstreamError, id: Option<&Id>) -> Fault {
    let (status, kind, text) = match error {
        UpstreamError::TimedOut(_) => (504, "upstream_timeout", "the MCP server did not answer"),
        UpstreamError::Unreachable(_) | UpstreamError::Certificates(_) => (
            502,
            "upstream_unreachable",
            "the MCP server cannot be reached",
        ),
    };
    let body = ErrorResponse::new(id, INTERNAL_ERROR, text, None).to_json();
    Fault::protocol(status, kind, body).because(error)
}

/// The upstream answered with something that must not pass (design §4 rule 22).
pub(crate) fn unusable_answer(reason: &'static str, id: Option<&Id>) -> Fault {
    let text = "the MCP server gave an answer that cannot be passed on";
    let body = ErrorResponse::new(id, INTERNAL_ERROR, text, None).to_json();
    Fault::protocol(502, "upstream_unusable", body).because(reason)
}

/// What stands in for the body of an upstream's error that is not JSON.
pub(crate) fn upstream_error(status: StatusCode, id: Option<&Id>) -> String {
    let text = format!("the MCP server answered {}", status.as_u16());
    ErrorResponse::new(id, INTERNAL_ERROR, &text, None).to_json()
}
