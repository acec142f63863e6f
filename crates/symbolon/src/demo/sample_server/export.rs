//! The tool that takes its time: progress notifications as events, then the result.
//!
//! A client that closes the stream cancels the export, because nothing runs but the stream itself
//! (`RS-75`).

use std::{convert::Infallible, time::Duration};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse as _, sse},
};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::{Map, Value, json};

use super::{
    answer::{self, Answer, Failure},
    message::Message,
    stateless, takes_events, tools,
    tracker::{Issue, Tracker},
};

const INTERVAL: u64 = 200;
const MAX_INTERVAL: u64 = 5_000;
const NO_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// `export_issues`: events if the client takes them and asked for progress, otherwise the result at
/// once.
pub(super) fn start(
    tracker: &Tracker,
    headers: &HeaderMap,
    message: &Message,
    arguments: &Map<String, Value>,
) -> Result<Answer, Failure> {
    let interval = match arguments.get("interval_ms") {
        None => Some(INTERVAL),
        Some(value) => value.as_u64().filter(|interval| *interval <= MAX_INTERVAL),
    };
    let Some(interval) = interval else {
        return Ok(Answer::Result(tools::refused(
            "interval_ms must be from 0 to 5000",
        )));
    };
    let issues = tracker.all();
    let mut result = tools::structured(&json!({ "issues": issues }));
    let token = message
        .meta("progressToken")
        .filter(|_| takes_events(headers));
    let Some(token) = token else {
        return Ok(Answer::Result(result));
    };
    if message.version().is_some() {
        stateless::complete(&mut result);
    }
    let result = answer::result(message.id.as_ref(), result);
    let events = events(
        token.clone(),
        issues,
        result,
        Duration::from_millis(interval),
    );
    let response = Answer::Response(sse::Sse::new(events).into_response());
    Ok(response.with_header(NO_BUFFERING, HeaderValue::from_static("no")))
}

fn events(
    token: Value,
    issues: Vec<Issue>,
    result: Value,
    interval: Duration,
) -> impl Stream<Item = Result<sse::Event, Infallible>> + Send + 'static {
    let total = issues.len();
    let progress = stream::iter(issues)
        .enumerate()
        .then(move |(number, issue)| {
            let params = json!({
                "progressToken": token.clone(),
                "progress": number + 1,
                "total": total,
                "message": format!("exported {}", issue.id),
            });
            async move {
                tokio::time::sleep(interval).await;
                json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params })
            }
        });
    let all = progress.chain(stream::once(std::future::ready(result)));
    all.map(|message| Ok(sse::Event::default().data(message.to_string())))
}
