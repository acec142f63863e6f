//! The way to the upstream and back (design §6 D, §4 rule 22).
//!
//! What goes out is the very body that was decided on, with our credential in place of the caller's.
//! What comes back streams: only lists are read, and only to leave entries out.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use symbolon_protocol::ids::ServerId;
use symbolon_protocol::mcp::{Id, Message, Target, Version};
use symbolon_protocol::time::Timestamp;
use symbolon_storage::directory::Upstream;

use crate::caller::Caller;
use crate::credential;
use crate::endpoint::Session;
use crate::fault::Fault;
use crate::headers::{self, JSON, LAST_EVENT_ID, MCP_SESSION_ID, MediaType};
use crate::identity_header;
use crate::list_filter;
use crate::message_fault::{no_answer, unusable_answer, upstream_error};
use crate::relay::FilteredEvents;
use crate::state::DataPlane;
use crate::stream_guard::GuardedBody;
use crate::viewer::Viewer;

/// The longest list that is read, in bytes.
const MAX_LIST: usize = 16 * 1024 * 1024;
/// JSON up to this length is passed on without a watch on the token: it does not last.
const SHORT: u64 = 1024 * 1024;

/// What is sent.
pub(crate) struct Outgoing<'a> {
    /// The client's request.
    pub(crate) parts: &'a Parts,
    /// Where to.
    pub(crate) upstream: &'a Upstream,
    /// The body that was decided on.
    pub(crate) body: Bytes,
}

/// To whom and for what an answer is.
pub(crate) struct Answering<'a> {
    /// The version both sides speak.
    pub(crate) version: Version,
    /// The message; a request for a session's stream or end has none.
    pub(crate) message: Option<&'a Message>,
    /// The session it belongs to.
    pub(crate) session: Option<Session>,
    /// Who calls.
    pub(crate) caller: Caller,
    /// The server.
    pub(crate) server: ServerId,
    /// From where.
    pub(crate) source_address: Option<IpAddr>,
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
        let caller = &answering.caller;
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

impl Answering<'_> {
    fn id(&self) -> Option<&Id> {
        self.message.and_then(Message::id)
    }

    async fn answer(
        self,
        gateway: &Arc<DataPlane>,
        method: &Method,
        answer: http::Response<Incoming>,
    ) -> Result<Response, Fault> {
        let (head, body) = answer.into_parts();
        let unusable = |reason| unusable_answer(reason, self.id());
        if head.status.is_redirection() || head.status.is_informational() {
            return Err(unusable("a redirect"));
        }
        // The credential is ours: to the client it is not its own that failed.
        if matches!(
            head.status,
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED
        ) {
            return Err(unusable("the upstream does not accept our credential"));
        }
        let mut headers = headers::outbound(&head.headers);
        self.name_session(gateway, &head.headers, &mut headers)?;
        let is_bare = *method == Method::DELETE
            || matches!(head.status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT);
        let body = match MediaType::of(&head.headers) {
            _ if is_bare && head.status.is_success() => Body::empty(),
            None => Body::empty(),
            Some(MediaType::Json) => {
                headers.insert(CONTENT_TYPE, JSON);
                self.json(gateway, body).await?
            }
            Some(MediaType::EventStream) => {
                headers::set_event_stream(&mut headers);
                self.events(gateway, body)
            }
            Some(MediaType::Other) if head.status.is_success() => {
                return Err(unusable("neither JSON nor an event stream"));
            }
            Some(MediaType::Other) => {
                headers.insert(CONTENT_TYPE, JSON);
                Body::from(upstream_error(head.status, self.id()))
            }
        };
        headers::seal_off(&mut headers);
        let mut response = Response::new(body);
        *response.status_mut() = head.status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    /// The client's name for the upstream's session (RS-80); modern answers mint none (RS-73).
    fn name_session(
        &self,
        gateway: &Arc<DataPlane>,
        upstream: &HeaderMap,
        headers: &mut HeaderMap,
    ) -> Result<(), Fault> {
        let Some(id) = upstream
            .get(MCP_SESSION_ID)
            .filter(|_| !self.version.is_modern())
        else {
            return Ok(());
        };
        let named = match &self.session {
            Some(session) if session.upstream.as_bytes() == id.as_bytes() => {
                session.presented.clone()
            }
            _ => {
                let unusable = |_| unusable_answer("a malformed session id", self.id());
                let id = id.to_str().map_err(|_| unusable(()))?;
                let sealed = gateway.sessions.seal(id, self.caller.session_owner());
                let sealed = sealed.map_err(|_| unusable(()))?;
                HeaderValue::try_from(sealed).map_err(|_| unusable(()))?
            }
        };
        headers.insert(MCP_SESSION_ID, named);
        Ok(())
    }

    async fn json(self, gateway: &Arc<DataPlane>, body: Incoming) -> Result<Body, Fault> {
        if !self.may_list() {
            let is_short = http_body::Body::size_hint(&body)
                .upper()
                .is_some_and(|n| n <= SHORT);
            return Ok(if is_short {
                Body::new(body)
            } else {
                self.guarded(gateway, body)
            });
        }
        let unusable = |reason| unusable_answer(reason, self.id());
        let whole = Limited::new(body, MAX_LIST).collect().await;
        let whole = whole
            .map_err(|_| unusable("a list that broke off or is too long"))?
            .to_bytes();
        let viewer = self.viewer(gateway);
        let filtered = list_filter::filter(&whole, &mut |entry, named| viewer.show(entry, named));
        let filtered = filtered.map_err(|_| unusable("an unreadable list"))?;
        Ok(filtered.map_or_else(|| Body::from(whole), Body::from))
    }

    fn events(self, gateway: &Arc<DataPlane>, body: Incoming) -> Body {
        if !self.may_list() {
            return self.guarded(gateway, body);
        }
        let viewer = self.viewer(gateway);
        let show =
            Box::new(move |entry, named: &[list_filter::Named<'_>]| viewer.show(entry, named));
        self.guarded(gateway, FilteredEvents::new(body, show))
    }

    /// Whether a list may be in the answer. A session's stream may replay one (`Last-Event-ID`).
    fn may_list(&self) -> bool {
        self.message.is_none_or(|message| {
            matches!(
                message.target(),
                Target::ToolList
                    | Target::ResourceList
                    | Target::ResourceTemplateList
                    | Target::PromptList
            )
        })
    }

    fn viewer(&self, gateway: &Arc<DataPlane>) -> Viewer {
        Viewer {
            gateway: gateway.clone(),
            caller: self.caller.clone(),
            server: self.server.clone(),
            source_address: self.source_address,
        }
    }

    /// A body that ends when the token does.
    fn guarded<B>(self, gateway: &Arc<DataPlane>, body: B) -> Body
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let gateway = gateway.clone();
        let caller = self.caller;
        let permission = move || caller.holds(&gateway.revocations, gateway.clock.now());
        Body::new(GuardedBody::new(body, Box::new(permission)))
    }
}
