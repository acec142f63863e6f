//! `/mcp/{server}`: the order in which a request is checked (requirements §3.6; design §6 D).
//!
//! Origin and host, server, token, offer, size and form, agreement of headers and body, session,
//! method, scopes and policy with the audit trail's receipt, and only then the upstream. Each step
//! needs what the one before it answers, so that none can be left out or moved.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, Method};
use symbolon_protocol::ids::ServerId;
use symbolon_protocol::mcp::Message;
use symbolon_protocol::random;
use symbolon_storage::directory::{Directory, McpServer, Upstream};

use crate::authenticate::authenticate;
use crate::call::Call;
use crate::fault::{Fault, X_REQUEST_ID};
use crate::message_fault::no_operation;
use crate::operation::Operation;
use crate::state::DataPlane;
use crate::{metrics, request_body};

/// Answers any request to `/mcp/{server}`.
pub(crate) async fn endpoint(
    State(gateway): State<Arc<DataPlane>>,
    Path(server): Path<String>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let request_id = random::id();
    let (mut response, outcome) = match serve(&gateway, &server, request, &request_id).await {
        Ok(response) => (response, "forwarded"),
        Err(fault) => {
            let kind = fault.kind();
            (fault.into_response(&request_id), kind)
        }
    };
    // Only names of servers that exist become labels.
    let is_named = !matches!(outcome, Fault::UNKNOWN_SERVER | Fault::OTHER_SITE);
    let server = is_named.then_some(server.as_str());
    metrics::record(server, outcome, response.status(), started.elapsed());
    if let Ok(id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}

async fn serve(
    gateway: &Arc<DataPlane>,
    server: &str,
    request: Request,
    request_id: &str,
) -> Result<Response, Fault> {
    let now = gateway.clock.now();
    let (parts, body) = request.into_parts();
    gateway.site.admit(&parts).map_err(Fault::other_site)?;
    let directory = gateway.directory.load_full();
    let (server, upstream) = gatewayed(&directory, server)?;
    let caller = authenticate(gateway, &directory, server, &parts, now).await?;
    let call = Call {
        gateway,
        directory: &directory,
        server,
        upstream,
        caller,
        parts: &parts,
        request_id,
        now,
    };
    call.check_offer()?;
    match parts.method {
        Method::POST => message(&call, body).await,
        Method::GET | Method::DELETE => session_request(&call).await,
        _ => Err(Fault::method_not_allowed("GET, POST, DELETE")),
    }
}

/// A message: everything it asks for is in its body.
async fn message(call: &Call<'_>, body: Body) -> Result<Response, Fault> {
    let body = request_body::read(&call.parts.headers, body, call.gateway.body_limits).await?;
    let message = Message::parse(&body)?;
    let version = call.agree(&message, &body)?;
    let session = call.session_of(&message, version)?;
    let operation =
        Operation::of(&message, &body).map_err(|error| no_operation(error, message.id()))?;
    call.permit(&operation, message.method(), &body)?;
    call.forward(version, Some(&message), session, body).await
}

/// The event stream of a legacy session, and its end (RS-73, RS-82).
async fn session_request(call: &Call<'_>) -> Result<Response, Fault> {
    let version = call.legacy_version()?;
    let session = call.open_session(None)?;
    call.permit(&Operation::UseServer, call.parts.method.as_str(), &[])?;
    call.forward(version, None, session, Bytes::new()).await
}

/// The server of a path, if it is behind this gateway.
fn gatewayed<'d>(
    directory: &'d Directory,
    server: &str,
) -> Result<(&'d McpServer, &'d Upstream), Fault> {
    let id = ServerId::parse(server).ok();
    let server = id.and_then(|id| directory.server(&id));
    let upstream = server.and_then(|server| server.upstream.as_ref());
    server.zip(upstream).ok_or_else(Fault::unknown_server)
}
