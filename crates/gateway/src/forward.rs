//! The way to the upstream (design §6 D; requirements RS-24, RS-25).
//!
//! What goes out is the very body that was decided on, with our credential in place of the caller's.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::directory::Upstream;

use crate::answer::Answering;
use crate::credential;
use crate::fault::Fault;
use crate::headers::{self, LAST_EVENT_ID, MCP_SESSION_ID};
use crate::identity_header;
use crate::message_fault::no_answer;
use crate::state::DataPlane;

/// What is sent.
pub(crate) struct Outgoing<'a> {
    /// The client's request.
    pub(crate) parts: &'a Parts,
    /// Where to.
    pub(crate) upstream: &'a Upstream,
    /// The body that was decided on.
    pub(crate) body: Bytes,
}

/// Sends a request upstream and turns the answer into one for the client.
///
/// # Errors
/// 502, 503 or 504; nothing of the upstream is in them.
pub(crate) async fn forward(
    gateway: &Arc<DataPlane>,
    outgoing: Outgoing<'_>,
    answering: Answering<'_>,
    now: Timestamp,
) -> Result<Response, Fault> {
    let ca_pem = outgoing.upstream.ca_pem.as_deref();
    let request = request(gateway, &outgoing, &answering, now)?;
    let answer = gateway.upstreams.send(ca_pem, request).await;
    let answer = answer.map_err(|error| no_answer(error, answering.id()))?;
    answering
        .answer(gateway, &outgoing.parts.method, answer)
        .await
}

fn request(
    gateway: &Arc<DataPlane>,
    outgoing: &Outgoing<'_>,
    answering: &Answering<'_>,
    now: Timestamp,
) -> Result<Request<Full<Bytes>>, Fault> {
    let Outgoing {
        parts,
        upstream,
        body,
    } = outgoing;
    let mut headers = headers::inbound(&parts.headers, answering.message.is_some());
    if let Some(session) = &answering.session {
        let id = HeaderValue::from_str(&session.upstream).map_err(unsendable)?;
        headers.insert(MCP_SESSION_ID, id);
        if let Some(last) = parts.headers.get(LAST_EVENT_ID) {
            headers.insert(LAST_EVENT_ID, last.clone());
        }
    }
    credential::present(&upstream.credential, &mut headers).map_err(unsendable)?;
    if let Some(name) = &upstream.identity_header {
        let name = HeaderName::try_from(name.as_str()).map_err(unsendable)?;
        let keys = gateway.keys.load();
        let key = keys.identity(now);
        let caller = answering.caller;
        let value = identity_header::sign(key, &gateway.issuer, caller, &upstream.url, now);
        headers.insert(name, value.map_err(unsendable)?);
    }
    let mut request = Request::new(Full::new(body.clone()));
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = upstream.url.as_str().parse().map_err(unsendable)?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn unsendable(error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    Fault::unavailable("the request cannot be sent to the MCP server").because(error)
}
