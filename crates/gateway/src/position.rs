//! Where a caller stands when policy is asked: who, through which client, how signed in, from where,
//! at which server, when.

use std::net::IpAddr;

use serde_json::{Map, Value};
use symbolon_policy::{Action, Context, Engine, Request, Resource};
use symbolon_protocol::ids::ClientId;
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::directory::{Directory, McpServer};

use crate::caller::Caller;

/// Everything a decision depends on but the operation.
#[derive(Clone, Copy)]
pub(crate) struct Position<'a> {
    /// The policies of now.
    pub(crate) engine: &'a Engine,
    /// The definitions of now.
    pub(crate) directory: &'a Directory,
    /// The server.
    pub(crate) server: &'a McpServer,
    /// Who calls.
    pub(crate) caller: &'a Caller,
    /// From where.
    pub(crate) source_address: Option<IpAddr>,
    /// When.
    pub(crate) now: Timestamp,
}

impl<'a> Position<'a> {
    /// The question whether the caller may do something here.
    pub(crate) fn request<'r>(
        &'r self,
        action: Action,
        resource: Resource<'r>,
        arguments: Option<&'r Map<String, Value>>,
    ) -> Request<'r> {
        let token = self.caller.token();
        Request {
            organization: &token.organization,
            principal: self.caller.principal(),
            action,
            resource,
            context: Context {
                client: token.own_client().map(|client| (&IssuerRole::As, client)),
                client_authentication: token.own_client().and_then(|id| self.authentication(id)),
                scopes: &token.scopes,
                acr: token.sign_in.acr.as_deref(),
                amr: &token.sign_in.amr,
                auth_time: token.sign_in.auth_time,
                source_address: self.source_address,
                sender_constraint: None,
                arguments,
            },
            now: self.now,
        }
    }

    /// How the client authenticates: its registration allows one way only.
    fn authentication(&self, client: &ClientId) -> Option<&'a str> {
        let client = self.directory.client(&IssuerRole::As, client)?;
        Some(client.authentication.as_str())
    }
}
