//! `tracker`: a small MCP server without any authorization of its own, for a gateway to stand in
//! front of.
//!
//! It speaks Streamable HTTP in both eras on one endpoint, `/mcp`: stateless 2026-07-28, and
//! sessions of 2025-11-25 and 2025-06-18 (`RS-84`). It reads messages with code of its own, not
//! with Symbolon's, so that the gateway and the server behind it do not share a mistake. Its tool
//! `whoami` tells which headers arrived: the caller's token must not be among them (`RS-24`).

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};

use self::{
    answer::{Answer, Failure},
    message::Message,
    session::Sessions,
    tracker::Tracker,
};
use super::{Running, StartError};

mod answer;
mod export;
mod message;
mod session;
mod stateless;
#[cfg(test)]
mod tests;
mod tools;
mod tracker;

/// The name and version it tells clients.
const NAME: &str = "tracker";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What one running server knows.
#[derive(Default)]
struct Server {
    tracker: Tracker,
    sessions: Sessions,
}

type Shared = State<Arc<Server>>;

/// Starts the server; its endpoint is [`Running::url`] of `/mcp`.
///
/// # Errors
/// [`StartError::NotLoopback`] for any other address, and [`StartError::Listen`].
pub async fn start(address: SocketAddr) -> Result<Running, StartError> {
    let endpoint = post(answer).delete(end_session);
    let routes = Router::new()
        .route("/mcp", endpoint)
        .with_state(Arc::<Server>::default());
    Running::start(address, |_| Ok(routes)).await
}

/// `POST /mcp`: one message, one answer.
async fn answer(State(server): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let message = match Message::parse(&headers, &body) {
        Ok(message) => message,
        Err(failure) => return failure.into_response(None),
    };
    let answer = match message.era(&headers) {
        message::Era::Stateless => stateless::answer(&server, &headers, &message),
        message::Era::Session => session::answer(&server, &headers, &message),
    };
    match answer {
        Ok(answer) if message.id.is_some() => answer.into_response(),
        Ok(_) => StatusCode::ACCEPTED.into_response(),
        Err(failure) => failure.into_response(message.id.as_ref()),
    }
}

/// `DELETE /mcp`: the end of a session.
async fn end_session(State(server): Shared, headers: HeaderMap) -> StatusCode {
    match session::id(&headers) {
        None => StatusCode::BAD_REQUEST,
        Some(id) if server.sessions.remove(id) => StatusCode::NO_CONTENT,
        Some(_) => StatusCode::NOT_FOUND,
    }
}

/// What both eras answer alike.
fn call_tool(server: &Server, headers: &HeaderMap, message: &Message) -> Result<Answer, Failure> {
    let name = message
        .tool()
        .ok_or(Failure::invalid_params("params.name is missing"))?;
    let arguments = message.arguments()?;
    match name {
        "list_issues" => server.tracker.list(&arguments).map(Answer::Result),
        "close_issue" => server.tracker.close(&arguments).map(Answer::Result),
        "whoami" => Ok(Answer::Result(tools::structured(&received(headers)))),
        "export_issues" => export::start(&server.tracker, headers, message, &arguments),
        _ => Err(Failure::invalid_params("there is no tool of that name")),
    }
}

/// Every header as it arrived.
fn received(headers: &HeaderMap) -> serde_json::Value {
    let mut received = serde_json::Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        received.insert(name.to_string(), values.join(", ").into());
    }
    serde_json::json!({ "headers": received })
}

/// Whether the client takes an event stream.
fn takes_events(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter();
    let mut accept = accept.filter_map(|value| value.to_str().ok());
    accept.any(|value| value.contains("text/event-stream"))
}
