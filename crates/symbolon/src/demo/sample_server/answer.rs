//! Answers: one JSON document, or events that end with one.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::{Map, Value, json};

/// A result, before it is told to whom.
pub(super) enum Answer {
    /// The members of `result`.
    Result(Map<String, Value>),
    /// A complete response, already addressed.
    Response(Response),
}

/// A JSON-RPC error and the HTTP status that goes with it.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    code: i32,
    message: &'static str,
    data: Option<Value>,
}

/// Headers and body disagree (2026-07-28).
const HEADER_MISMATCH: i32 = -32020;
/// A version that is not spoken here (2026-07-28).
const UNSUPPORTED_VERSION: i32 = -32022;

impl Answer {
    /// A result with these members.
    pub(super) fn members(value: Value) -> Self {
        match value {
            Value::Object(members) => Self::Result(members),
            _ => Self::Result(Map::new()),
        }
    }

    /// Changes the members of a plain result.
    pub(super) fn map(self, change: impl FnOnce(&mut Map<String, Value>)) -> Self {
        match self {
            Self::Result(mut members) => {
                change(&mut members);
                Self::Result(members)
            }
            response @ Self::Response(_) => response,
        }
    }

    /// Addresses the result to the request `id`.
    pub(super) fn to(self, id: Option<&Value>) -> Self {
        match self {
            Self::Result(members) => Self::Response(Json(result(id, members)).into_response()),
            response @ Self::Response(_) => response,
        }
    }

    /// Adds a header.
    pub(super) fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        let mut response = self.into_response();
        response.headers_mut().insert(name, value);
        Self::Response(response)
    }

    pub(super) fn into_response(self) -> Response {
        match self {
            Self::Result(members) => Json(result(None, members)).into_response(),
            Self::Response(response) => response,
        }
    }
}

/// A JSON-RPC result response.
pub(super) fn result(id: Option<&Value>, members: Map<String, Value>) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": members })
}

impl Failure {
    pub(super) fn new(status: StatusCode, code: i32, message: &'static str) -> Self {
        Self {
            status,
            code,
            message,
            data: None,
        }
    }

    pub(super) fn invalid_params(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32602, message)
    }

    pub(super) fn unknown_method(status: StatusCode) -> Self {
        Self::new(status, -32601, "there is no such method")
    }

    pub(super) fn header_mismatch(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, HEADER_MISMATCH, message)
    }

    pub(super) fn unsupported_version(requested: &str, supported: &[&str]) -> Self {
        let message = "this protocol version is not supported";
        Self {
            data: Some(json!({ "supported": supported, "requested": requested })),
            ..Self::new(StatusCode::BAD_REQUEST, UNSUPPORTED_VERSION, message)
        }
    }

    /// The answer to the request `id`, or to one that could not be read.
    pub(super) fn into_response(self, id: Option<&Value>) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = self.data {
            error["data"] = data;
        }
        let mut body = json!({ "jsonrpc": "2.0", "error": error });
        if let Some(id) = id {
            body["id"] = id.clone();
        }
        (self.status, Json(body)).into_response()
    }
}
