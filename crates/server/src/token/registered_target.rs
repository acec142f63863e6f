//! What an organization's registry says about a token exchange: for which authorization server,
//! which resource, with which scopes, and what the client is called there (requirements ID-03,
//! ID-05, ID-26).

use symbolon_protocol::ids::{ClientId, OrganizationId};
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::token_request::TokenExchangeRequest;
use symbolon_storage::directory::ResourceAuthorizationServer;

use super::{Denied, Exchange};

/// Longest piece of a caller's text in the log and the audit trail, in characters.
const EXCERPT: usize = 200;

/// A registered audience and resource.
pub(super) struct RegisteredTarget {
    pub(super) server: ResourceAuthorizationServer,
    pub(super) resource: String,
    /// Every scope the registry allows for the resource.
    pub(super) scopes: ScopeSet,
    /// This client's id at that authorization server.
    pub(super) client_id: ClientId,
}

impl RegisteredTarget {
    /// Looks audience, resource and client up.
    ///
    /// # Errors
    /// `invalid_request` without an audience, `invalid_target` for whatever is not registered.
    pub(super) fn find(
        exchange: &Exchange,
        organization: &OrganizationId,
        request: &TokenExchangeRequest,
    ) -> Result<Self, Denied> {
        let audience = request.audience.as_deref();
        let audience = audience.ok_or_else(|| Denied::invalid_request("audience is missing"))?;
        let directory = exchange.state.directory.load();
        let server = directory
            .resource_authorization_server(organization, audience)
            .filter(|server| server.issuer != exchange.issuer.issuer)
            .ok_or_else(|| {
                let shown: String = audience.chars().take(EXCERPT).collect();
                Denied::invalid_target(format!("audience {shown:?} is not registered"))
            })?;
        let (resource, scopes) = match (&request.resource, server.resources.len()) {
            (Some(resource), _) => server.resources.get_key_value(resource.as_str()),
            (None, 1) => server.resources.iter().next(),
            (None, _) => None,
        }
        .ok_or_else(|| Denied::invalid_target("the audience has no such resource, or several"))?;
        let client_id = server.clients.get(exchange.client.id()).ok_or_else(|| {
            Denied::invalid_target("the registry maps this client to no client of the audience")
        })?;
        let scopes = ScopeSet::from_scopes(scopes)
            .map_err(|error| Denied::invalid_target(format!("registered scopes: {error}")))?;
        Ok(Self {
            resource: resource.clone(),
            scopes,
            client_id: client_id.clone(),
            server: server.clone(),
        })
    }
}
