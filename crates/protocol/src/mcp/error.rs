//! JSON-RPC error responses.

use serde::Serialize;
use serde_json::Value;

use super::Id;

/// JSON-RPC error codes (JSON-RPC 2.0 §5.1, MCP 2026-07-28 `basic#error-codes`).
pub mod code {
    /// The body is not JSON that has one meaning.
    pub const PARSE_ERROR: i32 = -32700;
    /// The body is not one request or notification.
    pub const INVALID_REQUEST: i32 = -32600;
    /// The method does not exist; HTTP status 404.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// A parameter or required `_meta` is missing or wrong.
    pub const INVALID_PARAMS: i32 = -32602;
    /// A header is missing, malformed or differs from the body.
    pub const HEADER_MISMATCH: i32 = -32020;
    /// The request needs a capability that the client did not declare.
    pub const MISSING_REQUIRED_CLIENT_CAPABILITY: i32 = -32021;
    /// The version is not supported; `data` says which are.
    pub const UNSUPPORTED_PROTOCOL_VERSION: i32 = -32022;
}

/// A JSON-RPC error response; serializes as the body to send.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorResponse<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Id>,
    error: ErrorObject<'a>,
}

#[derive(Clone, Debug, Serialize)]
struct ErrorObject<'a> {
    code: i32,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

impl<'a> ErrorResponse<'a> {
    /// An error with the id of its request, or without where that could not be read.
    #[must_use]
    pub fn new(id: Option<&'a Id>, code: i32, message: &'a str, data: Option<&'a Value>) -> Self {
        Self {
            jsonrpc: "2.0",
            id,
            error: ErrorObject {
                code,
                message,
                data,
            },
        }
    }

    /// The body.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers only")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample of requirements §6.12, byte for byte.
    #[test]
    fn the_worked_example_is_reproduced() {
        let id = Id::Number(7);
        let message = "Mcp-Name header does not match request body";
        let response = ErrorResponse::new(Some(&id), code::HEADER_MISMATCH, message, None);
        assert_eq!(
            response.to_json(),
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32020,"message":"Mcp-Name header does not match request body"}}"#
        );
    }
}
