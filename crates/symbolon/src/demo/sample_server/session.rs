//! Protocols 2025-11-25 and 2025-06-18: `initialize` begins a session that later requests name
//! (`RS-80`).

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use symbolon_protocol::random;

use super::{
    NAME, Server, VERSION,
    answer::{Answer, Failure},
    call_tool,
    message::{Message, version_header},
    tools,
};

/// The versions of this era, the newest first.
const SUPPORTED: [&str; 2] = ["2025-11-25", "2025-06-18"];
const HEADER: HeaderName = HeaderName::from_static("mcp-session-id");
const REMEMBERED: usize = 1_000;

/// The sessions that were begun and not ended, with the version that was agreed on.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<String, &'static str>>);

impl Sessions {
    /// Begins a session.
    fn insert(&self, version: &'static str) -> String {
        let id = random::id();
        let mut sessions = self.lock();
        if sessions.len() >= REMEMBERED {
            sessions.clear();
        }
        sessions.insert(id.clone(), version);
        id
    }

    fn version(&self, id: &str) -> Option<&'static str> {
        self.lock().get(id).copied()
    }

    /// Ends a session; `false` when there is none.
    pub(super) fn remove(&self, id: &str) -> bool {
        self.lock().remove(id).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, &'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session that a request names.
pub(super) fn id(headers: &HeaderMap) -> Option<&str> {
    headers.get(&HEADER).and_then(|value| value.to_str().ok())
}

pub(super) fn answer(
    server: &Server,
    headers: &HeaderMap,
    message: &Message,
) -> Result<Answer, Failure> {
    if message.method == "initialize" {
        return initialize(server, message);
    }
    check(server, headers)?;
    let answer = match message.method.as_str() {
        "ping" => Answer::members(json!({})),
        "tools/list" => Answer::members(json!({ "tools": tools::definitions() })),
        "tools/call" => call_tool(server, headers, message)?,
        _ if message.id.is_none() => Answer::members(json!({})),
        _ => return Err(Failure::unknown_method(StatusCode::OK)),
    };
    Ok(answer.to(message.id.as_ref()))
}

fn initialize(server: &Server, message: &Message) -> Result<Answer, Failure> {
    let wanted = message.text("protocolVersion");
    let wanted = wanted.ok_or(Failure::invalid_params("params.protocolVersion is missing"))?;
    let agreed = SUPPORTED.into_iter().find(|version| *version == wanted);
    let version = agreed.unwrap_or(SUPPORTED[0]);
    let answer = Answer::members(json!({
        "protocolVersion": version,
        "capabilities": { "tools": {} },
        "serverInfo": { "name": NAME, "version": VERSION },
        "instructions": tools::INSTRUCTIONS,
    }));
    let id = HeaderValue::from_str(&server.sessions.insert(version));
    let id =
        id.map_err(|_| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, -32603, "no session"))?;
    Ok(answer.to(message.id.as_ref()).with_header(HEADER, id))
}

fn check(server: &Server, headers: &HeaderMap) -> Result<(), Failure> {
    let refuse = |status, message| Err(Failure::new(status, -32600, message));
    let Some(id) = id(headers) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "the Mcp-Session-Id header is missing",
        );
    };
    let Some(version) = server.sessions.version(id) else {
        return refuse(
            StatusCode::NOT_FOUND,
            "there is no such session: initialize again",
        );
    };
    // Without the header the session tells which version was agreed on.
    if version_header(headers).is_some_and(|named| named != version) {
        return refuse(
            StatusCode::BAD_REQUEST,
            "MCP-Protocol-Version is not the agreed one",
        );
    }
    Ok(())
}
