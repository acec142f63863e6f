//! One request to an MCP endpoint, of which only the head of the answer is read: an event stream
//! would not end.

use std::time::Duration;

use anyhow::{Context, Result};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use symbolon_net::{HttpClient, UrlClass, upstream};
use url::Url;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The head of an answer.
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
}

/// Sends `body` as JSON, or nothing by `GET`; without credentials.
pub(super) async fn send(client: &HttpClient, url: &Url, body: Option<String>) -> Result<Head> {
    let method = if body.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let request = Request::builder()
        .method(method)
        .uri(url.as_str())
        .header(ACCEPT, "application/json, text/event-stream")
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.unwrap_or_default())))?;
    let client = upstream::client(client, UrlClass::DeploymentAdmin)?;
    let host = url.host_str().unwrap_or_default();
    let answer = tokio::time::timeout(PATIENCE, client.request(request)).await;
    let answer = answer.with_context(|| format!("{host} did not answer within {PATIENCE:?}"))??;
    let (head, _) = answer.into_parts();
    Ok(Head {
        status: head.status,
        headers: head.headers,
    })
}
