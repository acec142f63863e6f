//! Which organization a person signs in to (AS-36): by verified configuration, never by a claim.

use symbolon_protocol::authorization_request::Prompt;
use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::issuer::IssuerRole;
use symbolon_storage::Directory;
use symbolon_storage::directory::Client;

use crate::authorize::request::Authorization;
use crate::cookies::Cookie;
use crate::visit::Visit;

/// The organization that the request itself names: its issuer's, or the one of a hint.
pub(crate) fn hinted(visit: &Visit, authorization: &Authorization) -> Option<OrganizationId> {
    if let IssuerRole::Idp(organization) = &visit.issuer.role {
        return Some(organization.clone());
    }
    let parameters = &authorization.parameters;
    let by_hint = |hint: &Option<String>| {
        hint.as_deref()
            .and_then(|hint| named(&visit.directory, &authorization.client, hint))
    };
    by_hint(&parameters.domain_hint).or_else(|| by_hint(&parameters.login_hint))
}

/// The organization that is known without asking.
pub(super) fn known(visit: &Visit, authorization: &Authorization) -> Option<OrganizationId> {
    hinted(visit, authorization).or_else(|| {
        let is_asked = authorization.prompts(Prompt::SelectAccount);
        let remembered = visit.cookies.find(Cookie::Organization(&visit.issuer.role));
        let id = OrganizationId::parse(remembered.filter(|_| !is_asked)?).ok()?;
        is_possible(&visit.directory, &authorization.client, &id).then_some(id)
    })
}

/// The organization that an email address, a domain or an id names, if the client is for it.
pub(super) fn named(directory: &Directory, client: &Client, text: &str) -> Option<OrganizationId> {
    let text = text.trim();
    let domain = text.rsplit_once('@').map_or(text, |(_, domain)| domain);
    let by_domain = directory
        .organization_by_domain(domain)
        .map(|found| found.id.clone());
    let by_id = || OrganizationId::parse(text).ok();
    by_domain
        .or_else(by_id)
        .filter(|id| is_possible(directory, client, id))
}

/// Whether people of an organization may use this client at all.
pub(super) fn is_possible(directory: &Directory, client: &Client, id: &OrganizationId) -> bool {
    directory.organization(id).is_some() && client.is_available_to(id)
}
