//! What follows a code or a refresh token: the person's current state, policy, and what to issue.
//!
//! Both grants continue an earlier sign-in, so both ask the same questions again: is the person
//! still active, is the grant still live, does policy still allow it.

use symbolon_policy::{Action, Target};
use symbolon_protocol::ids::{GrantId, OrganizationId, SessionId, UserId};
use symbolon_protocol::oauth_error::OAuthErrorCode;
use symbolon_protocol::random;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::secret::Secret;
use symbolon_storage::audit::{Actor, By};
use symbolon_storage::{AuthenticationFacts, StorageError, Transaction, grant, revocation};

use super::mint::{AccessToken, Authorized, SignIn};
use super::{Denied, Exchange};
use crate::grant_decision::{self, Asker};
use crate::subject::{self, Person};

/// The earlier sign-in that a request continues.
pub(super) struct SignedIn {
    pub(super) organization: OrganizationId,
    pub(super) user: UserId,
    pub(super) grant: GrantId,
    pub(super) session: Option<SessionId>,
    /// The MCP server; `None` at an identity provider role.
    pub(super) resource: Option<String>,
    pub(super) scopes: ScopeSet,
    pub(super) facts: AuthenticationFacts,
    pub(super) nonce: Option<String>,
}

/// Ends a grant whose code or refresh token turned up twice (AS-31, AS-71).
pub(super) async fn revoke_stolen(
    exchange: &Exchange,
    tx: &mut Transaction,
    grant: &GrantId,
    reason: &str,
) -> Result<(), StorageError> {
    let by = By {
        actor: Actor::System,
        request_id: exchange.request_id.to_string(),
    };
    let subject = revocation::Subject::Grant(grant.clone());
    revocation::revoke(tx, &subject, reason, &by, exchange.state.now()).await?;
    Ok(())
}

/// Asks everything again and decides what to issue.
pub(super) async fn authorize(
    exchange: &Exchange,
    tx: &mut Transaction,
    signed_in: SignedIn,
) -> Result<Result<Authorized, Denied>, StorageError> {
    let now = exchange.state.now();
    let live = grant::find(tx, &signed_in.grant)
        .await?
        .filter(grant::Grant::is_live);
    if live.is_none() {
        return Ok(Err(
            Denied::invalid_grant("the grant was revoked").of(&signed_in.organization)
        ));
    }
    let person = match subject::load(tx, &signed_in.organization, &signed_in.user, now).await? {
        Ok(person) => person,
        Err(reason) => {
            return Ok(Err(
                Denied::invalid_grant(reason).of(&signed_in.organization)
            ));
        }
    };
    Ok(match &signed_in.resource {
        None => Ok(Authorized::SignIn(sign_in(signed_in, person))),
        Some(resource) => match access_token(exchange, &signed_in, resource, &person) {
            Ok(token) => Ok(Authorized::AccessToken(token)),
            Err(denied) => Err(denied.of(&signed_in.organization)),
        },
    })
}

fn sign_in(signed_in: SignedIn, person: Person) -> SignIn {
    let shows = |scope: &str| signed_in.scopes.contains(scope);
    SignIn {
        email: person.user.email.filter(|_| shows("email")),
        name: person.user.name.filter(|_| shows("profile")),
        organization: signed_in.organization,
        user: signed_in.user,
        grant: signed_in.grant,
        session: signed_in.session,
        scopes: signed_in.scopes,
        facts: signed_in.facts,
        nonce: signed_in.nonce,
        jti: random::id(),
        refresh_token: None,
    }
}

fn access_token(
    exchange: &Exchange,
    signed_in: &SignedIn,
    resource: &str,
    person: &Person,
) -> Result<AccessToken, Denied> {
    let directory = exchange.state.directory.load();
    let server = directory
        .server_by_resource(resource)
        .filter(|server| server.is_available_to(&signed_in.organization))
        .ok_or_else(|| Denied::invalid_target("the MCP server is gone or no longer offered"))?;
    let asker = Asker::new(exchange, &signed_in.organization, person, &signed_in.facts);
    let decision = grant_decision::decide_scopes(
        &exchange.state.engine.load(),
        &asker,
        Action::GrantAccess,
        Target::Server(&server.id),
        &signed_in.scopes,
        exchange.state.now(),
    )
    .into_granted()
    .map_err(|denied| Denied {
        code: OAuthErrorCode::InvalidGrant,
        step_up: None,
        ..denied
    })?;
    Ok(AccessToken {
        organization: signed_in.organization.clone(),
        user: signed_in.user.clone(),
        grant: signed_in.grant.clone(),
        session: signed_in.session.clone(),
        resource: resource.to_owned(),
        scopes: decision.scopes,
        facts: signed_in.facts.clone(),
        lifetime: server.token_lifetime,
        algorithm: server.algorithm,
        policies: decision.policies,
        jti: random::id(),
        assertion: None,
        refresh_token: None,
    })
}

impl Authorized {
    /// Puts a refresh token into the answer.
    pub(super) fn with_refresh_token(mut self, token: Secret) -> Self {
        match &mut self {
            Self::AccessToken(issued) => issued.refresh_token = Some(token),
            Self::SignIn(issued) => issued.refresh_token = Some(token),
            Self::IdJag(_) => {}
        }
        self
    }
}
