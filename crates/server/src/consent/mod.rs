//! Consent (requirements 1.3): does the person agree that this client acts for her?
//!
//! Consent is kept per person, authorization server, client and resource on our side; no cookie takes
//! part in it (AS-40, AS-42). One client's consent is never another's (N-020), and a wider request
//! asks again. An administrator can agree for everybody: by `preapproved` of the client, or by an
//! assignment that names the client (AS-45).
//!
//! A form is bound to the session, the request and the scopes it showed. What would be granted is
//! computed again when the answer arrives; if it grew meanwhile, the page is shown again.

mod answer;
mod page;
mod pre_approval;
pub(crate) mod scope_words;

use symbolon_protocol::authorization_request::Prompt;
use symbolon_protocol::scope::ScopeSet;
use symbolon_storage::consent::{self, ConsentKey};

pub(crate) use self::answer::routes;
pub(crate) use self::page::page;
use crate::authorize::permission::Granted;
use crate::authorize::request::Authorization;
use crate::authorize::stop::Stop;
use crate::browser_session::SignedIn;
use crate::visit::Visit;

/// The person has just agreed to these scopes.
#[derive(Clone, Debug)]
pub(crate) struct Agreement {
    scopes: ScopeSet,
}

/// On what a code rests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Basis {
    /// The person has just agreed.
    Now,
    /// The person agreed earlier.
    Earlier,
    /// An administrator agreed for her: the client's registration or the assignment that says so.
    Administrator(String),
}

impl Basis {
    /// The name in the audit log.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Now => "given",
            Self::Earlier => "remembered",
            Self::Administrator(by) => by,
        }
    }
}

/// Finds on what a code may rest; `None` means that the person has to be asked.
///
/// # Errors
/// A page when the database does not answer.
pub(crate) async fn basis(
    visit: &Visit,
    authorization: &Authorization,
    signed_in: &SignedIn,
    granted: &Granted,
    agreement: Option<&Agreement>,
) -> Result<Option<Basis>, Stop> {
    let scopes = &granted.target.scopes;
    if let Some(agreement) = agreement {
        return Ok(scopes.is_subset(&agreement.scopes).then_some(Basis::Now));
    }
    if authorization.prompts(Prompt::Consent) {
        return Ok(None);
    }
    let organization = &signed_in.session.organization;
    let assignments = visit.directory.assignments(organization);
    let by = pre_approval::find(&authorization.client, assignments, granted, visit.now);
    if let Some(by) = by {
        return Ok(Some(Basis::Administrator(by)));
    }
    let key = key(visit, authorization, signed_in, granted);
    let found = visit
        .state
        .store
        .read(move |connection| Box::pin(async move { consent::find(connection, &key).await }))
        .await?;
    Ok(found
        .filter(|found| scopes.is_subset(&found.scopes))
        .map(|_| Basis::Earlier))
}

/// What a consent is kept under.
pub(crate) fn key(
    visit: &Visit,
    authorization: &Authorization,
    signed_in: &SignedIn,
    granted: &Granted,
) -> ConsentKey {
    ConsentKey {
        organization: signed_in.session.organization.clone(),
        user: signed_in.session.user.clone(),
        role: visit.issuer.role.clone(),
        client: authorization.client.id.clone(),
        resource: granted.target.resource(visit).to_owned(),
    }
}
