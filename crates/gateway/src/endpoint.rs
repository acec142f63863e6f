//! `/mcp/{server}`: the order in which a request is checked (requirements §3.6; design §6 D).
//!
//! Origin and host, server, token, size and form, agreement of headers and body, session, method,
//! scopes and policy, audit trail, and only then the upstream. Each step needs the one before it, and
//! nothing of a later step runs if an earlier one refuses.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method};
use symbolon_protocol::ids::ServerId;
use symbolon_protocol::mcp::{self, Id, Message, Version, agree, agree_parameters};
use symbolon_protocol::random;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::directory::{Directory, McpServer, Upstream};

use crate::audit::Record;
use crate::authenticate::authenticate;
use crate::authorize::{Position, Remedy, authorize};
use crate::caller::Caller;
use crate::fault::{Fault, X_REQUEST_ID};
use crate::forward::{Answering, Outgoing, forward};
use crate::headers::MCP_SESSION_ID;
use crate::message_fault::{disagreement, no_operation, session_required, unknown_session};
use crate::operation::Operation;
use crate::protected_resource::metadata_url;
use crate::state::{DataPlane, SourceAddress};
use crate::{metrics, request_body};

/// Versions that are served, the oldest first.
const SUPPORTED: [Version; 3] = [
    Version::V2025_06_18,
    Version::V2025_11_25,
    Version::V2026_07_28,
];

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
        Method::POST => call.post(body).await,
        Method::GET | Method::DELETE => call.session_request().await,
        _ => Err(Fault::method_not_allowed("GET, POST, DELETE")),
    }
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

/// An authenticated request.
struct Call<'a> {
    gateway: &'a Arc<DataPlane>,
    directory: &'a Directory,
    server: &'a McpServer,
    upstream: &'a Upstream,
    caller: Caller,
    parts: &'a Parts,
    request_id: &'a str,
    now: Timestamp,
}

impl Call<'_> {
    /// A message: everything it asks for is in its body.
    async fn post(&self, body: Body) -> Result<Response, Fault> {
        let body = request_body::read(&self.parts.headers, body, self.gateway.body_limits).await?;
        let message = Message::parse(&body)?;
        let version = self.agree(&message, &body)?;
        let session = self.session(version, &message)?;
        let operation = Operation::of(&message, &body);
        let operation = operation.map_err(|error| no_operation(error, message.id()))?;
        self.permit(&operation, message.method(), &body)?;
        self.forward(version, Some(&message), session, body).await
    }

    /// The event stream of a legacy session, and its end (RS-73, RS-82).
    async fn session_request(&self) -> Result<Response, Fault> {
        let headers = &self.parts.headers;
        let mut versions = headers.get_all("mcp-protocol-version").iter();
        let version = match (versions.next(), versions.next()) {
            (None, _) if headers.contains_key(MCP_SESSION_ID) => Some(Version::V2025_06_18),
            (Some(version), None) => version.to_str().ok().and_then(Version::parse),
            _ => None,
        };
        let is_legacy = |version: &Version| SUPPORTED.contains(version) && !version.is_modern();
        let version = version
            .filter(is_legacy)
            .ok_or(Fault::method_not_allowed("POST"))?;
        let session = self.open_session(None)?;
        self.permit(&Operation::UseServer, self.parts.method.as_str(), &[])?;
        self.forward(version, None, session, Bytes::new()).await
    }

    /// The version of a message whose headers say what its body says.
    fn agree(&self, message: &Message, body: &[u8]) -> Result<Version, Fault> {
        let refused = |error| disagreement(&error, message.id());
        let pairs = self
            .parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        let headers = mcp::Headers::read(pairs);
        // A session was negotiated in a legacy version; which one makes no difference here.
        let session = self
            .parts
            .headers
            .get(MCP_SESSION_ID)
            .map(|_| Version::V2025_06_18);
        let version = agree(&headers, message, &SUPPORTED, session).map_err(refused)?;
        if version.is_modern()
            && let mcp::Target::ToolCall { name } = message.target()
            && let Some(annotated) = self.gateway.parameters.of(&self.server.id, name)
        {
            let arguments = mcp::arguments(body).map_err(|failure| {
                Fault::from(mcp::ParseError {
                    failure,
                    id: message.id().cloned(),
                })
            })?;
            agree_parameters(&headers, &annotated, arguments.as_ref()).map_err(refused)?;
        }
        Ok(version)
    }

    /// The upstream's session of a legacy message; modern ones have none (RS-73).
    fn session(&self, version: Version, message: &Message) -> Result<Option<Session>, Fault> {
        if version.is_modern() {
            return Ok(None);
        }
        let session = self.open_session(message.id())?;
        if message.is_response() && session.is_none() {
            return Err(session_required(message.id()));
        }
        Ok(session)
    }

    fn open_session(&self, id: Option<&Id>) -> Result<Option<Session>, Fault> {
        let mut presented = self.parts.headers.get_all(MCP_SESSION_ID).iter();
        let presented = match (presented.next(), presented.next()) {
            (None, _) => return Ok(None),
            (Some(one), None) => Some(one),
            (Some(_), Some(_)) => None,
        };
        let owner = self.caller.session_owner();
        let upstream = presented
            .and_then(|presented| presented.to_str().ok())
            .and_then(|presented| self.gateway.sessions.open(presented, owner));
        match (upstream, presented) {
            (Some(upstream), Some(presented)) => Ok(Some(Session {
                upstream,
                presented: presented.clone(),
            })),
            _ => {
                let fault = unknown_session(id);
                let reason = "the session is unknown or belongs to another caller";
                let record = self.record(self.parts.method.as_str());
                record.refused(&self.gateway.journal, &fault, reason)?;
                Err(fault)
            }
        }
    }

    /// The deployment may offer a server to some organizations only (design §4 rule 10).
    fn check_offer(&self) -> Result<(), Fault> {
        let organization = &self.caller.token().organization;
        if self.server.is_available_to(organization) {
            return Ok(());
        }
        let fault = Fault::denied("this MCP server is not offered to your organization");
        let reason = format!(
            "mcp server {} is not offered to {organization}",
            self.server.id
        );
        let record = self.record(self.parts.method.as_str());
        record.refused(&self.gateway.journal, &fault, &reason)?;
        Err(fault)
    }

    /// Scopes and policy, and the audit trail's receipt for the answer.
    fn permit(&self, operation: &Operation<'_>, method: &str, body: &[u8]) -> Result<(), Fault> {
        let journal = &self.gateway.journal;
        let engine = self.gateway.engine.load();
        let position = Position {
            engine: &engine,
            directory: self.directory,
            server: self.server,
            caller: &self.caller,
            source_address: self.source_address(),
            now: self.now,
        };
        match authorize(position, operation, body) {
            Ok(allowed) => self.record(method).allowed(journal, operation, allowed),
            Err(denied) => {
                let url = metadata_url(&self.gateway.public_url, &self.server.id);
                let description = describe(&denied.remedy);
                let fault = Fault::refused(&denied.refusal(), &url, description);
                self.record(method).denied(journal, operation, denied)?;
                Err(fault)
            }
        }
    }

    async fn forward(
        &self,
        version: Version,
        message: Option<&Message>,
        session: Option<Session>,
        body: Bytes,
    ) -> Result<Response, Fault> {
        let outgoing = Outgoing {
            parts: self.parts,
            upstream: self.upstream,
            body,
        };
        let answering = Answering {
            version,
            message,
            session,
            caller: self.caller.clone(),
            server: self.server.id.clone(),
            source_address: self.source_address(),
        };
        forward(self.gateway, outgoing, answering, self.now).await
    }

    fn record<'r>(&'r self, method: &'r str) -> Record<'r> {
        Record {
            caller: &self.caller,
            method,
            request_id: self.request_id,
            at: self.now,
        }
    }

    fn source_address(&self) -> Option<IpAddr> {
        let extensions = &self.parts.extensions;
        let named = extensions.get::<SourceAddress>().map(|address| address.0);
        named.or_else(|| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()))
    }
}

/// A legacy session, under both of its names.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The upstream's.
    pub(crate) upstream: String,
    /// The client's.
    pub(crate) presented: HeaderValue,
}

fn describe(remedy: &Remedy) -> &'static str {
    match remedy {
        Remedy::Scopes(_) => "the token lacks scopes that this operation needs",
        Remedy::SignIn { .. } => "this operation needs a fresher or stronger sign-in",
        Remedy::Nothing => "policy does not allow this operation",
    }
}
