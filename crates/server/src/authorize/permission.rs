//! May this person let this client use this server? Asked for each scope (design §4 rule 2, §7).
//!
//! Policy is asked again at the token endpoint; here it decides what the consent page shows. A sign-in
//! at an identity provider of ours grants nothing by itself: what it can be exchanged for is decided
//! when it is.

use symbolon_policy::Action;
use symbolon_storage::StorageError;
use symbolon_storage::audit::{self, Actor, AuditEvent, By, Outcome};

use super::request::Authorization;
use super::target::Target;
use crate::browser_session::SignedIn;
use crate::grant_decision::{self, Asker};
use crate::token::{Denied, StepUp};
use crate::visit::Visit;

/// What policy says.
#[derive(Debug)]
pub(crate) enum Permission {
    /// These scopes, and who decided.
    Granted(Granted),
    /// None yet; a fresher or stronger sign-in may help.
    StepUp { step_up: StepUp, denied: Denied },
    /// None.
    Denied(Denied),
}

/// What may be granted.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    /// The target with the allowed scopes only.
    pub(crate) target: Target,
    /// The policies that allow them.
    pub(crate) policies: Vec<String>,
}

/// Asks policy.
pub(crate) fn ask(
    visit: &Visit,
    authorization: &Authorization,
    signed_in: &SignedIn,
    target: Target,
) -> Permission {
    let Some(server) = target.server.as_ref().map(|server| server.id.clone()) else {
        return Permission::Granted(Granted {
            target,
            policies: Vec::new(),
        });
    };
    let asker = Asker {
        organization: &signed_in.session.organization,
        person: &signed_in.person,
        role: &visit.issuer.role,
        client: &authorization.client.id,
        client_authentication: authorization.client.authentication.as_str(),
        facts: &signed_in.session.facts,
    };
    let decision = grant_decision::decide_scopes(
        &visit.state.engine.load(),
        &asker,
        Action::GrantAccess,
        symbolon_policy::Target::Server(&server),
        &target.scopes,
        visit.now,
    );
    match decision.into_granted() {
        Ok(decision) => Permission::Granted(Granted {
            target: target.with_scopes(decision.scopes),
            policies: decision.policies,
        }),
        Err(denied) => match denied.step_up.clone() {
            Some(step_up) => Permission::StepUp { step_up, denied },
            None => Permission::Denied(denied),
        },
    }
}

/// Records a refusal: a normal outcome, with a reason for the administrator.
///
/// # Errors
/// [`StorageError`]; nothing is answered then, since nothing may happen unrecorded.
pub(crate) async fn record(
    visit: &Visit,
    authorization: &Authorization,
    signed_in: &SignedIn,
    denied: &Denied,
) -> Result<(), StorageError> {
    let event = event(visit, authorization, signed_in)
        .outcome(Outcome::Denied {
            reason: denied.reason.clone(),
        })
        .with("policies", denied.policies.clone());
    append(visit, event).await
}

/// Writes one event.
///
/// # Errors
/// [`StorageError`].
pub(crate) async fn append(visit: &Visit, event: AuditEvent) -> Result<(), StorageError> {
    let store = &visit.state.store;
    store
        .write(move |tx| Box::pin(async move { audit::append(tx, &event).await }))
        .await
}

/// The event of an authorization request, to be completed.
pub(crate) fn event(
    visit: &Visit,
    authorization: &Authorization,
    signed_in: &SignedIn,
) -> AuditEvent {
    let session = &signed_in.session;
    let by = By {
        actor: Actor::User(session.user.clone()),
        request_id: visit.request_id.to_string(),
    };
    let event = AuditEvent::new(AUTHORIZATION, &by, visit.now)
        .of(&session.organization)
        .with_text("issuer", &visit.issuer.issuer)
        .with_text("client", &authorization.client.id)
        .with_text("user", &session.user)
        .with_text("session", &session.id);
    match &authorization.parameters.resource {
        Some(resource) => event.with_text("resource", resource),
        None => event,
    }
}

/// A code was asked for on behalf of a person.
const AUTHORIZATION: audit::Action = audit::Action::named("authorization.decided");
