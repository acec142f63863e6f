//! One JSON-RPC request or notification.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use super::answer::Failure;

/// Where 2026-07-28 keeps the version of a request.
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
/// Where it keeps what the client can do.
pub(super) const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";

/// A message of a client; without `id` it is a notification.
pub(super) struct Message {
    pub(super) id: Option<Value>,
    pub(super) method: String,
    params: Map<String, Value>,
}

/// Which rules a message follows.
pub(super) enum Era {
    /// 2026-07-28: everything is in the message.
    Stateless,
    /// 2025-11-25 and before: `initialize` begins a session.
    Session,
}

impl Message {
    pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, Failure> {
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|value| value.starts_with("application/json")) {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Failure::new(
                status,
                -32600,
                "content-type must be application/json",
            ));
        }
        let malformed = |code, message| Failure::new(StatusCode::BAD_REQUEST, code, message);
        let value: Value =
            serde_json::from_slice(body).map_err(|_| malformed(-32700, "the body is not json"))?;
        let Value::Object(mut members) = value else {
            return Err(malformed(
                -32600,
                "the body must be one request or notification",
            ));
        };
        let id = members.remove("id");
        let is_id = id
            .as_ref()
            .is_none_or(|id| id.is_string() || id.is_i64() || id.is_u64());
        let is_json_rpc = members
            .get("jsonrpc")
            .is_some_and(|version| version == "2.0");
        let params = match members.remove("params") {
            None => Some(Map::new()),
            Some(Value::Object(params)) => Some(params),
            Some(_) => None,
        };
        match (members.remove("method"), params) {
            (Some(Value::String(method)), Some(params)) if is_id && is_json_rpc => {
                Ok(Self { id, method, params })
            }
            _ => Err(malformed(
                -32600,
                "the body is not a json-rpc request or notification",
            )),
        }
    }

    /// A message that names its version is stateless (`RS-84`); what names none belongs to a session,
    /// unless its header says otherwise.
    pub(super) fn era(&self, headers: &HeaderMap) -> Era {
        let is_announced = version_header(headers) == Some("2026-07-28");
        if self.version().is_some() || (is_announced && self.method != "initialize") {
            Era::Stateless
        } else {
            Era::Session
        }
    }

    /// The version in `_meta`.
    pub(super) fn version(&self) -> Option<&str> {
        self.meta(VERSION_KEY).and_then(Value::as_str)
    }

    /// A member of `_meta`.
    pub(super) fn meta(&self, key: &str) -> Option<&Value> {
        self.params.get("_meta")?.get(key)
    }

    /// A text among the parameters.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name).and_then(Value::as_str)
    }

    /// The tool that `tools/call` names.
    pub(super) fn tool(&self) -> Option<&str> {
        self.text("name").filter(|_| self.method == "tools/call")
    }

    /// The arguments of `tools/call`.
    pub(super) fn arguments(&self) -> Result<Map<String, Value>, Failure> {
        match self.params.get("arguments") {
            None => Ok(Map::new()),
            Some(Value::Object(arguments)) => Ok(arguments.clone()),
            Some(_) => Err(Failure::invalid_params(
                "params.arguments must be an object",
            )),
        }
    }
}

/// The header that names the version.
pub(super) fn version_header(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("mcp-protocol-version")
        .and_then(|value| value.to_str().ok())
}
