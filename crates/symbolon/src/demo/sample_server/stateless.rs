//! Protocol 2026-07-28: every request carries its version, and headers repeat what the body says
//! (`RS-63` to `RS-72`).

use axum::http::{HeaderMap, StatusCode};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    NAME, Server, VERSION,
    answer::{Answer, Failure},
    call_tool,
    message::{CAPABILITIES_KEY, Message, version_header},
    tools,
};

/// The versions of this era.
const SUPPORTED: [&str; 1] = ["2026-07-28"];
/// How long lists may be kept, in milliseconds.
const TTL: u64 = 60_000;

pub(super) fn answer(
    server: &Server,
    headers: &HeaderMap,
    message: &Message,
) -> Result<Answer, Failure> {
    check(headers, message)?;
    let answer = match message.method.as_str() {
        "server/discover" => Answer::members(json!({
            "supportedVersions": SUPPORTED,
            "capabilities": { "tools": {} },
            "instructions": tools::INSTRUCTIONS,
            "ttlMs": TTL,
            "cacheScope": "public",
        })),
        "tools/list" => Answer::members(json!({
            "tools": tools::definitions(),
            "ttlMs": TTL,
            "cacheScope": "public",
        })),
        "tools/call" => call_tool(server, headers, message)?,
        _ if message.id.is_none() => Answer::members(json!({})),
        _ => return Err(Failure::unknown_method(StatusCode::NOT_FOUND)),
    };
    Ok(answer.map(complete).to(message.id.as_ref()))
}

/// What every result of this era carries.
pub(super) fn complete(members: &mut serde_json::Map<String, Value>) {
    let server = json!({ "name": NAME, "version": VERSION });
    members.insert("resultType".to_owned(), "complete".into());
    members.insert(
        "_meta".to_owned(),
        json!({ "io.modelcontextprotocol/serverInfo": server }),
    );
}

fn check(headers: &HeaderMap, message: &Message) -> Result<(), Failure> {
    let missing = Failure::invalid_params("params._meta has no protocol version");
    let version = message.version().ok_or(missing)?;
    if version_header(headers) != Some(version) {
        return Err(Failure::header_mismatch(
            "the MCP-Protocol-Version header does not match the body",
        ));
    }
    if !SUPPORTED.contains(&version) {
        return Err(Failure::unsupported_version(version, &SUPPORTED));
    }
    if !message.meta(CAPABILITIES_KEY).is_some_and(Value::is_object) {
        return Err(Failure::invalid_params(
            "params._meta has no client capabilities",
        ));
    }
    if mirrored(headers, "mcp-method").as_deref() != Some(message.method.as_str()) {
        return Err(Failure::header_mismatch(
            "the Mcp-Method header does not match the body",
        ));
    }
    match message.tool() {
        Some(tool) if mirrored(headers, "mcp-name").as_deref() != Some(tool) => Err(
            Failure::header_mismatch("the Mcp-Name header does not match the body"),
        ),
        _ => Ok(()),
    }
}

/// A header that repeats a part of the body, decoded (`RS-66`).
fn mirrored(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    let encoded = value
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="));
    match encoded {
        None => Some(value.to_owned()),
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).ok()?).ok(),
    }
}
