//! What the code will be for: one MCP server (`as`), or the sign-in itself (`idp`).
//!
//! Resource and scopes are checked twice: before sign-in as far as they can be wrong for everybody
//! ([`check`]), and afterwards for the person's organization ([`resolve`]).

use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::oauth_error::{OAuthError, OAuthErrorCode};
use symbolon_protocol::scope::ScopeSet;
use symbolon_storage::Directory;
use symbolon_storage::directory::McpServer;

use super::request::Authorization;
use super::stop::Stop;
use crate::visit::Visit;

/// Scopes that an identity provider of ours knows.
const SIGN_IN_SCOPES: [&str; 4] = ["openid", "email", "profile", "offline_access"];

/// Asks for a refresh token and grants nothing by itself (SEP-2207).
const OFFLINE_ACCESS: &str = "offline_access";

/// What a code is for.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The MCP server; `None` for a sign-in at an identity provider of ours.
    pub(crate) server: Option<Box<McpServer>>,
    /// Scopes that exist there and were asked for.
    pub(crate) scopes: ScopeSet,
}

impl Target {
    /// What a consent is about: the server's resource, or the identity provider itself.
    pub(crate) fn resource<'a>(&'a self, visit: &'a Visit) -> &'a str {
        match &self.server {
            Some(server) => &server.resource,
            None => visit.issuer.issuer.as_str(),
        }
    }

    /// The same target with fewer scopes.
    pub(crate) fn with_scopes(self, scopes: ScopeSet) -> Self {
        Self { scopes, ..self }
    }
}

/// Finds what is wrong whoever signs in (N-012 to N-014).
///
/// # Errors
/// `invalid_target` or `invalid_scope`, to the client.
pub(crate) fn check(visit: &Visit, authorization: &Authorization) -> Result<(), Stop> {
    let checked = match visit.issuer.role {
        IssuerRole::As => check_server(&visit.directory, authorization),
        IssuerRole::Idp(ref organization) => {
            sign_in(&visit.directory, authorization, organization).map(drop)
        }
    };
    checked.map_err(|error| authorization.refuse(visit, &error))
}

/// Finds what the code is for, now that the organization is known.
///
/// # Errors
/// `invalid_target` or `invalid_scope`, to the client.
pub(crate) fn resolve(
    visit: &Visit,
    authorization: &Authorization,
    organization: &OrganizationId,
) -> Result<Target, Stop> {
    let target = match visit.issuer.role {
        IssuerRole::As => server(&visit.directory, authorization, organization),
        IssuerRole::Idp(_) => sign_in(&visit.directory, authorization, organization),
    };
    target.map_err(|error| authorization.refuse(visit, &error))
}

fn check_server(directory: &Directory, authorization: &Authorization) -> Result<(), OAuthError> {
    let organizations = directory
        .organizations()
        .map(|organization| &organization.id);
    let possible = organizations.filter(|id| authorization.client.is_available_to(id));
    let mut error = UNKNOWN_RESOURCE;
    for organization in possible {
        match server(directory, authorization, organization) {
            Ok(_) => return Ok(()),
            Err(found) => error = found,
        }
    }
    Err(error)
}

fn server(
    directory: &Directory,
    authorization: &Authorization,
    organization: &OrganizationId,
) -> Result<Target, OAuthError> {
    let server = match &authorization.parameters.resource {
        Some(resource) => directory
            .server_by_resource(resource.as_str())
            .filter(|server| server.is_available_to(organization))
            .ok_or(UNKNOWN_RESOURCE)?,
        None => only_server(directory, organization)?,
    };
    let scopes = scopes_at(server, authorization.parameters.scope.as_ref())?;
    Ok(Target {
        server: Some(Box::new(server.clone())),
        scopes,
    })
}

/// The default resource exists where nothing else could be meant (AS-27, N-013).
fn only_server<'a>(
    directory: &'a Directory,
    organization: &OrganizationId,
) -> Result<&'a McpServer, OAuthError> {
    let mut servers = directory
        .servers()
        .filter(|server| server.is_available_to(organization));
    match (servers.next(), servers.next()) {
        (Some(server), None) => Ok(server),
        _ => Err(RESOURCE_MISSING),
    }
}

/// The requested scopes that exist at the server; all of them when none was requested (N-014, N-015).
fn scopes_at(server: &McpServer, requested: Option<&ScopeSet>) -> Result<ScopeSet, OAuthError> {
    let requested = requested.map(|set| set.filter(|scope| scope != OFFLINE_ACCESS));
    let Some(requested) = requested.filter(|set| !set.is_empty()) else {
        return Ok(server.scopes.clone());
    };
    let known = requested.intersection(&server.scopes);
    if known.is_empty() {
        Err(UNKNOWN_SCOPES)
    } else {
        Ok(known)
    }
}

/// A sign-in; a resource may name what the ID token will be exchanged for, and changes nothing.
fn sign_in(
    directory: &Directory,
    authorization: &Authorization,
    organization: &OrganizationId,
) -> Result<Target, OAuthError> {
    if let Some(resource) = &authorization.parameters.resource {
        let servers = directory.resource_authorization_servers(organization);
        if !servers
            .iter()
            .any(|server| server.resources.contains_key(resource.as_str()))
        {
            return Err(UNKNOWN_RESOURCE);
        }
    }
    let known = ScopeSet::from_scopes(SIGN_IN_SCOPES).expect("four short scopes");
    let scopes = match &authorization.parameters.scope {
        Some(requested) => requested.intersection(&known),
        None => known.filter(|scope| scope == "openid"),
    };
    if !scopes.contains("openid") {
        return Err(OPENID_MISSING);
    }
    Ok(Target {
        server: None,
        scopes,
    })
}

const UNKNOWN_RESOURCE: OAuthError =
    OAuthError::new(OAuthErrorCode::InvalidTarget, "resource is not known here");
const RESOURCE_MISSING: OAuthError = OAuthError::new(
    OAuthErrorCode::InvalidTarget,
    "resource is missing and several are possible",
);
const UNKNOWN_SCOPES: OAuthError = OAuthError::new(
    OAuthErrorCode::InvalidScope,
    "none of the scopes exists at the resource",
);
const OPENID_MISSING: OAuthError =
    OAuthError::new(OAuthErrorCode::InvalidScope, "scope must contain openid");
