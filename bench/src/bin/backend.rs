//! The MCP server behind every gateway: fixed answers, nothing remembered.
//!
//! `backend --port PORT`

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::value::RawValue;
use symbolon_bench::arguments::Arguments;
use symbolon_bench::serve;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: &'a str,
}

async fn answer(body: Bytes) -> Response {
    let Ok(message) = serde_json::from_slice::<Message<'_>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Some(id) = message.id else {
        return StatusCode::ACCEPTED.into_response();
    };
    let result = match message.method {
        "tools/call" => {
            r#""result":{"content":[{"type":"text","text":"the quick brown fox jumps over the lazy dog; 0123456789; the quick brown fox jumps over the lazy dog"}],"isError":false}"#
        }
        "ping" => r#""result":{}"#,
        _ => r#""error":{"code":-32601,"message":"no such method"}"#,
    };
    let body = format!(r#"{{"jsonrpc":"2.0","id":{id},{result}}}"#);
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn main() {
    let port = Arguments::read().number("--port", 9000);
    let router = Router::new()
        .route("/mcp", post(answer))
        .route("/", get(|| async { "backend" }));
    serve::on_loopback(port, router);
}
