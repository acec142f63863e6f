//! Requests as clients of both eras send them.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

/// A modern message: request 7 with its metadata.
pub(crate) fn message(method: &str, params: Value) -> Value {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
}

/// `tools/call` of a tool without arguments.
pub(crate) fn call(tool: &str) -> Value {
    message("tools/call", json!({"name": tool, "arguments": {}}))
}

/// A modern request whose headers say what its body says.
pub(crate) fn modern(token: &str, message: &Value) -> Request<Body> {
    let method = message["method"].as_str().unwrap_or_default();
    let mut request = Request::post("/mcp/tracker")
        .header("host", "id.acme.example")
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    let params = &message["params"];
    if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
        request = request.header("mcp-name", name);
    }
    request.body(Body::from(message.to_string())).unwrap()
}

/// A legacy request.
pub(crate) fn legacy(token: &str, session: Option<&str>, message: &Value) -> Request<Body> {
    let mut request = Request::post("/mcp/tracker")
        .header("host", "id.acme.example")
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json");
    if message["method"] != "initialize" {
        request = request.header("mcp-protocol-version", "2025-11-25");
    }
    if let Some(session) = session {
        request = request.header("mcp-session-id", session);
    }
    request.body(Body::from(message.to_string())).unwrap()
}
