//! An authenticated request, and what is decided about it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use symbolon_protocol::mcp::{Message, Version};
use symbolon_protocol::time::Timestamp;
use symbolon_storage::directory::{Directory, McpServer, Upstream};

use crate::answer::Answering;
use crate::audit::Record;
use crate::authorize::{Remedy, authorize};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::forward::{Outgoing, forward};
use crate::operation::Operation;
use crate::position::Position;
use crate::protected_resource::metadata_url;
use crate::session::Session;
use crate::state::{DataPlane, SourceAddress};

/// An authenticated request to a server.
pub(crate) struct Call<'a> {
    pub(crate) gateway: &'a Arc<DataPlane>,
    /// The definitions of the moment in which it came.
    pub(crate) directory: &'a Directory,
    pub(crate) server: &'a McpServer,
    pub(crate) upstream: &'a Upstream,
    pub(crate) caller: Caller,
    pub(crate) parts: &'a Parts,
    pub(crate) request_id: &'a str,
    pub(crate) now: Timestamp,
}

impl Call<'_> {
    /// The deployment may offer a server to some organizations only (design §4 rule 10).
    ///
    /// # Errors
    /// 403 without a challenge.
    pub(crate) fn check_offer(&self) -> Result<(), Fault> {
        let organization = &self.caller.token().organization;
        if self.server.is_available_to(organization) {
            return Ok(());
        }
        let fault = Fault::denied("this MCP server is not offered to your organization");
        let server = &self.server.id;
        let reason = format!("mcp server {server} is not offered to {organization}");
        self.refuse(fault, &reason)
    }

    /// Records a refusal that came before any decision, and refuses.
    ///
    /// # Errors
    /// Always: the fault, or 503 when it could not be recorded.
    pub(crate) fn refuse<T>(&self, fault: Fault, reason: &str) -> Result<T, Fault> {
        let record = self.record(self.parts.method.as_str());
        record.refused(&self.gateway.journal, &fault, reason)?;
        Err(fault)
    }

    /// Asks scopes and policy, and records the answer. `body` is the message of the operation.
    ///
    /// # Errors
    /// 401 or 403 with what would help, or 503 when the answer could not be recorded.
    pub(crate) fn permit(
        &self,
        operation: &Operation<'_>,
        method: &str,
        body: &[u8],
    ) -> Result<(), Fault> {
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

    /// Passes the request on and answers with what comes back.
    ///
    /// # Errors
    /// 502, 503 or 504.
    pub(crate) async fn forward(
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
            caller: &self.caller,
            server: &self.server.id,
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

fn describe(remedy: &Remedy) -> &'static str {
    match remedy {
        Remedy::Scopes(_) => "the token lacks scopes that this operation needs",
        Remedy::SignIn { .. } => "this operation needs a fresher or stronger sign-in",
        Remedy::Nothing => "policy does not allow this operation",
    }
}
