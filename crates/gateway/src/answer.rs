//! The way back from the upstream (design §4 rule 22; requirements RS-34, RS-35, RS-75).
//!
//! Only JSON and event streams pass, without the upstream's headers. They stream as they arrive:
//! only lists are read, and only to leave entries out.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use symbolon_protocol::ids::ServerId;
use symbolon_protocol::mcp::{Id, Message, Target, Version};

use crate::caller::Caller;
use crate::fault::Fault;
use crate::headers::{self, JSON, MCP_SESSION_ID, MediaType};
use crate::list_filter::{self, Named};
use crate::message_fault::{unusable_answer, upstream_error};
use crate::relay::FilteredEvents;
use crate::session::Session;
use crate::state::DataPlane;
use crate::stream_guard::GuardedBody;
use crate::viewer::Viewer;

/// The longest list that is read, in bytes.
const MAX_LIST: usize = 16 * 1024 * 1024;
/// JSON up to this length is passed on without a watch on the token: it does not last.
const SHORT: u64 = 1024 * 1024;

/// To whom and for what an answer is.
pub(crate) struct Answering<'a> {
    /// The version both sides speak.
    pub(crate) version: Version,
    /// The message; a request for a session's stream or end has none.
    pub(crate) message: Option<&'a Message>,
    /// The session it belongs to.
    pub(crate) session: Option<Session>,
    /// Who calls.
    pub(crate) caller: &'a Caller,
    /// The server.
    pub(crate) server: &'a ServerId,
    /// From where.
    pub(crate) source_address: Option<IpAddr>,
}

impl Answering<'_> {
    /// The request to answer, for errors.
    pub(crate) fn id(&self) -> Option<&Id> {
        self.message.and_then(Message::id)
    }

    /// The answer to the client; `method` is that of its request.
    ///
    /// # Errors
    /// 502 for what must not pass.
    pub(crate) async fn answer(
        self,
        gateway: &Arc<DataPlane>,
        method: &Method,
        answer: http::Response<Incoming>,
    ) -> Result<Response, Fault> {
        let (head, body) = answer.into_parts();
        self.check_status(head.status)?;
        let mut headers = headers::outbound(&head.headers);
        if let Some(session) = self.session_name(gateway, &head.headers)? {
            headers.insert(MCP_SESSION_ID, session);
        }
        // Their bodies mean nothing, whatever type a framework gives them.
        let is_bare = *method == Method::DELETE && head.status.is_success()
            || matches!(head.status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT);
        let body = match MediaType::of(&head.headers).filter(|_| !is_bare) {
            None => Body::empty(),
            Some(MediaType::Json) => {
                headers.insert(CONTENT_TYPE, JSON);
                self.json(gateway, body).await?
            }
            Some(MediaType::EventStream) => {
                headers::set_event_stream(&mut headers);
                self.events(gateway, body)
            }
            Some(MediaType::Other) => {
                headers.insert(CONTENT_TYPE, JSON);
                Body::from(self.stand_in(head.status)?)
            }
        };
        headers::seal_off(&mut headers);
        let mut response = Response::new(body);
        *response.status_mut() = head.status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn unusable(&self, reason: &'static str) -> Fault {
        unusable_answer(reason, self.id())
    }

    fn check_status(&self, status: StatusCode) -> Result<(), Fault> {
        match status {
            status if status.is_redirection() => Err(self.unusable("a redirect")),
            // The credential is ours: the client must not look for another of its own.
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Err(self.unusable("a refusal of our credential"))
            }
            _ => Ok(()),
        }
    }

    /// What stands in for the page of an error; its status tells clients enough.
    fn stand_in(&self, status: StatusCode) -> Result<String, Fault> {
        match status.is_success() {
            true => Err(self.unusable("neither JSON nor an event stream")),
            false => Ok(upstream_error(status, self.id())),
        }
    }

    /// The client's name for the upstream's session (RS-80); modern answers mint none (RS-73).
    fn session_name(
        &self,
        gateway: &DataPlane,
        upstream: &HeaderMap,
    ) -> Result<Option<HeaderValue>, Fault> {
        let id = upstream.get(MCP_SESSION_ID);
        let Some(id) = id.filter(|_| !self.version.is_modern()) else {
            return Ok(None);
        };
        let session = self.session.as_ref();
        if let Some(known) = session.filter(|known| known.upstream.as_bytes() == id.as_bytes()) {
            return Ok(Some(known.presented.clone()));
        }
        let owner = self.caller.session_owner();
        let id = id.to_str().ok();
        let sealed = id.and_then(|id| gateway.sessions.seal(id, owner).ok());
        let named = sealed.and_then(|sealed| HeaderValue::try_from(sealed).ok());
        named
            .map(Some)
            .ok_or_else(|| self.unusable("a malformed session id"))
    }

    async fn json(self, gateway: &Arc<DataPlane>, body: Incoming) -> Result<Body, Fault> {
        if !self.may_list() {
            let is_short = body
                .size_hint()
                .upper()
                .is_some_and(|length| length <= SHORT);
            return Ok(match is_short {
                true => Body::new(body),
                false => Body::new(self.guarded(gateway, body)),
            });
        }
        let whole = Limited::new(self.guarded(gateway, body), MAX_LIST)
            .collect()
            .await;
        let whole = whole.map_err(|_| self.unusable("a list that broke off or is too long"))?;
        let whole = whole.to_bytes();
        let viewer = self.viewer(gateway);
        let filtered = list_filter::filter(&whole, &mut |entry, named| viewer.show(entry, named));
        let filtered = filtered.map_err(|_| self.unusable("an unreadable list"))?;
        Ok(filtered.map_or_else(|| Body::from(whole), Body::from))
    }

    fn events(&self, gateway: &Arc<DataPlane>, body: Incoming) -> Body {
        if !self.may_list() {
            return Body::new(self.guarded(gateway, body));
        }
        let viewer = self.viewer(gateway);
        let show = Box::new(move |entry, named: &[Named<'_>]| viewer.show(entry, named));
        Body::new(self.guarded(gateway, FilteredEvents::new(body, show)))
    }

    /// Whether a list may be in the answer. A session's stream may replay one (`Last-Event-ID`).
    fn may_list(&self) -> bool {
        let is_list = |message: &Message| {
            matches!(
                message.target(),
                Target::ToolList
                    | Target::ResourceList
                    | Target::ResourceTemplateList
                    | Target::PromptList
            )
        };
        self.message.is_none_or(is_list)
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
    fn guarded<B>(&self, gateway: &Arc<DataPlane>, body: B) -> GuardedBody<B> {
        let gateway = gateway.clone();
        let caller = self.caller.clone();
        let permission = move || caller.holds(&gateway.revocations, gateway.clock.now());
        GuardedBody::new(body, Box::new(permission))
    }
}
