//! Names in an administrator's policy that name nothing.
//!
//! They do no harm to anybody else: entities of another organization are not offered, and nobody
//! of another organization is asked about. But a forbid on a misspelt server protects nothing, so
//! they are reported where a policy is written.

use cedar_policy::EntityUid;
use symbolon_protocol::ids::{OrganizationId, ServerId};
use symbolon_protocol::issuer::IssuerRole;

use crate::entity::Kind;
use crate::input::OrganizationInput;
use crate::offer::Offers;

/// What is wrong with an entity's name, if anything.
pub(crate) fn find_wrong(
    uid: &EntityUid,
    organization: &OrganizationInput,
    offers: &Offers,
) -> Option<String> {
    let id = uid.id().unescaped();
    let own = &organization.id;
    let advice = match Kind::of(uid)? {
        Kind::Group => wrong_group(id, organization),
        Kind::EmailAddress if id.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            Some("write addresses in lower case".to_owned())
        }
        Kind::Client => wrong_client(id, own),
        Kind::Organization if id != own.as_str() => {
            Some(format!("a policy of {own} can only be about {own}"))
        }
        Kind::McpServer => wrong_server(id, own, offers),
        Kind::Tool => wrong_server(
            id.split_once('/').map_or(id, |(server, _)| server),
            own,
            offers,
        ),
        Kind::Scope => wrong_scope(id, own, offers),
        Kind::ResourceAuthorizationServer if !offers.has_issuer(own, id) => Some(format!(
            "{own} has no resource authorization server of that issuer"
        )),
        _ => None,
    };
    advice.map(|advice| format!("{uid} names nothing: {advice}"))
}

fn wrong_group(id: &str, organization: &OrganizationInput) -> Option<String> {
    let source = id.split_once('/').map(|(source, _)| source);
    let mut connections = organization.connections.iter();
    if connections.any(|connection| Some(connection.as_str()) == source) {
        return None;
    }
    let choices = organization
        .connections
        .iter()
        .map(|source| format!("Group::\"{source}/{id}\""));
    let choices = choices.collect::<Vec<_>>().join(" or ");
    Some(match choices.is_empty() {
        true => "the organization has no connection that could speak for groups".to_owned(),
        false => format!("write {choices}"),
    })
}

fn wrong_client(id: &str, own: &OrganizationId) -> Option<String> {
    let issuers = [IssuerRole::As, IssuerRole::Idp(own.clone())];
    let is_right = issuers
        .iter()
        .any(|issuer| id.starts_with(&format!("{issuer}/")));
    (!is_right).then(|| format!("write \"as/{id}\" or \"idp/{own}/{id}\""))
}

fn wrong_server(id: &str, own: &OrganizationId, offers: &Offers) -> Option<String> {
    let server = ServerId::parse(id)
        .ok()
        .and_then(|id| offers.server(own, &id));
    server
        .is_none()
        .then(|| format!("no mcp server {id:?} is offered to {own}"))
}

/// `server/scope`, or `resource scope` behind a foreign authorization server.
fn wrong_scope(id: &str, own: &OrganizationId, offers: &Offers) -> Option<String> {
    if let Some((resource, scope)) = id.rsplit_once(' ') {
        let mut registered = offers.foreign(own, resource);
        let is_known = registered.any(|one| one.scopes.iter().any(|own| own == scope));
        return (!is_known).then(|| format!("{own} has no such resource with that scope"));
    }
    let Some((server, scope)) = id.split_once('/') else {
        return Some("write \"server/scope\" or \"resource scope\"".to_owned());
    };
    let known = ServerId::parse(server)
        .ok()
        .and_then(|id| offers.server(own, &id));
    match known {
        None => Some(format!("no mcp server {server:?} is offered to {own}")),
        Some(known) if !known.has_scope(scope) => {
            Some(format!("mcp server {server} has no scope {scope:?}"))
        }
        Some(_) => None,
    }
}
