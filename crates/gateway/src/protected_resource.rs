//! Metadata of the servers behind the gateway ([RFC 9728]; requirements RS-01 to RS-08).
//!
//! One document per server, at the well-known place that its URL leads to. It names our
//! authorization server and nothing of the upstream.
//!
//! [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_TYPE,
};
use http::{HeaderValue, StatusCode};
use symbolon_protocol::ids::ServerId;
use symbolon_protocol::metadata::ProtectedResourceMetadata;
use symbolon_protocol::resource::ResourceIndicator;
use symbolon_protocol::scope::ScopeSet;
use symbolon_storage::directory::McpServer;

use crate::fault::Fault;
use crate::headers::{JSON, seal_off};
use crate::state::DataPlane;

/// `GET /.well-known/oauth-protected-resource/mcp/{server}`.
pub(crate) async fn document(
    State(gateway): State<Arc<DataPlane>>,
    Path(server): Path<String>,
) -> Response {
    let directory = gateway.directory.load();
    let server = ServerId::parse(&server).ok();
    let server = server
        .and_then(|id| directory.server(&id))
        .filter(|s| s.upstream.is_some());
    let Some(document) = server.and_then(|server| metadata(&gateway, server)) else {
        return readable_by_pages(Fault::unknown_server().into_response(""));
    };
    let mut response = Response::new(Body::from(document));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    // Short, because a server may move to another authorization server (RS-07).
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=60"),
    );
    seal_off(headers);
    readable_by_pages(response)
}

/// `OPTIONS` of the same: browser clients send a protocol version along.
pub(crate) async fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET"),
    );
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("accept, mcp-protocol-version"),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    seal_off(headers);
    readable_by_pages(response)
}

fn readable_by_pages(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn metadata(gateway: &DataPlane, server: &McpServer) -> Option<String> {
    let resource = ResourceIndicator::parse(&server.resource).ok()?;
    let mut metadata = ProtectedResourceMetadata::new(resource, gateway.issuer.clone())
        .with_scopes(&basic_scopes(server));
    metadata.resource_name.clone_from(&server.display.name);
    serde_json::to_string(&metadata).ok()
}

/// Where the metadata of a server is.
pub(crate) fn metadata_url(public_url: &str, server: &ServerId) -> String {
    format!("{public_url}/.well-known/oauth-protected-resource/mcp/{server}")
}

/// The scopes that a client should start with: those that bring no others along (RS-05). A tool
/// that needs more asks for it when it is called.
pub(crate) fn basic_scopes(server: &McpServer) -> ScopeSet {
    let broad: BTreeSet<&str> = server
        .implies
        .iter()
        .filter(|(scope, implied)| implied.iter().any(|other| other != *scope))
        .map(|(scope, _)| scope.as_str())
        .collect();
    let basic = server.scopes.filter(|scope| !broad.contains(scope));
    if basic.is_empty() {
        server.scopes.clone()
    } else {
        basic
    }
}
