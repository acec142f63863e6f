//! The authorization code: one transaction, then the redirect (AS-28 to AS-30).
//!
//! The code is 256 random bits, stored as a hash, valid for 60 seconds and bound to client, redirect
//! URI, challenge, resource, scopes, person and session. The grant it leads to exists from here on,
//! so that revoking it also kills a code that was not redeemed yet.

use std::time::Duration;

use axum::response::Response;
use symbolon_protocol::digest::sha256;
use symbolon_protocol::oauth_error::{OAuthError, OAuthErrorCode};
use symbolon_protocol::random;
use symbolon_protocol::secret::Secret;
use symbolon_storage::audit::{self, AuditEvent, Outcome};
use symbolon_storage::authorization_code::{self, AuthorizationCode};
use symbolon_storage::consent::{self, ConsentKey};
use symbolon_storage::grant::{self, Grant, NewGrant, Origin};
use symbolon_storage::{AuthenticationFacts, StorageError, Transaction};

use super::permission::{self, Granted};
use super::request::Authorization;
use super::stop::Stop;
use crate::browser_session::SignedIn;
use crate::consent::{Basis, key as consent_of};
use crate::visit::{Visit, see_other};

const LIFETIME: Duration = Duration::from_secs(60);

/// Issues a code and sends the browser back to the client.
///
/// # Errors
/// `access_denied` to the client when the person was disabled meanwhile; a page when the database
/// does not answer.
pub(crate) async fn issue(
    visit: &Visit,
    authorization: &Authorization,
    signed_in: &SignedIn,
    granted: &Granted,
    basis: Basis,
) -> Result<Response, Stop> {
    let code = random::token();
    let issue = Issue::new(visit, authorization, signed_in, granted, basis, &code);
    let store = &visit.state.store;
    let is_issued = store
        .write(move |tx| Box::pin(async move { issue.commit(tx).await }))
        .await?;
    if !is_issued {
        return Err(authorization.refuse(visit, &NOT_ACTIVE));
    }
    Ok(see_other(&authorization.deliver(visit, &code)))
}

/// Everything the transaction writes.
struct Issue {
    visit: Visit,
    authorization: Authorization,
    hash: [u8; 32],
    grant: NewGrant,
    facts: AuthenticationFacts,
    agreed: Option<ConsentKey>,
    event: AuditEvent,
}

impl Issue {
    fn new(
        visit: &Visit,
        authorization: &Authorization,
        signed_in: &SignedIn,
        granted: &Granted,
        basis: Basis,
        code: &Secret,
    ) -> Self {
        let session = &signed_in.session;
        let target = &granted.target;
        let grant = NewGrant {
            role: visit.issuer.role.clone(),
            organization: session.organization.clone(),
            user: Some(session.user.clone()),
            client: authorization.client.id.clone(),
            resource: target.resource(visit).to_owned(),
            scopes: target.scopes.clone(),
            session: Some(session.id.clone()),
            origin: if target.server.is_some() {
                Origin::AuthorizationCode
            } else {
                Origin::SignIn
            },
        };
        let event = permission::event(visit, authorization, signed_in)
            .outcome(Outcome::Allowed)
            .with("policies", granted.policies.clone())
            .with("consent", basis.name())
            .with_text("resource", target.resource(visit))
            .with_text("scopes", &target.scopes);
        let key = consent_of(visit, authorization, signed_in, granted);
        Self {
            visit: visit.clone(),
            authorization: authorization.clone(),
            hash: sha256(code.expose().as_bytes()),
            grant,
            facts: session.facts.clone(),
            agreed: (basis == Basis::Now).then_some(key),
            event,
        }
    }

    async fn commit(self, tx: &mut Transaction) -> Result<bool, StorageError> {
        let now = self.visit.now;
        let Some(grant) = grant::upsert(tx, &self.grant, now).await? else {
            return Ok(false);
        };
        if let Some(key) = &self.agreed {
            consent::put(tx, key, &self.grant.scopes, now).await?;
        }
        authorization_code::insert(tx, &self.hash, &self.code(&grant)).await?;
        let event = self.event.with_text("grant", &grant.id);
        audit::append(tx, &event).await?;
        Ok(true)
    }

    fn code(&self, grant: &Grant) -> AuthorizationCode {
        let is_sign_in = self.grant.origin == Origin::SignIn;
        AuthorizationCode {
            role: self.grant.role.clone(),
            organization: self.grant.organization.clone(),
            client: self.grant.client.clone(),
            redirect_uri: self.authorization.redirect_uri.as_str().to_owned(),
            challenge: self.authorization.parameters.code_challenge.clone(),
            resource: (!is_sign_in).then(|| self.grant.resource.clone()),
            scopes: self.grant.scopes.clone(),
            nonce: self.authorization.parameters.nonce.clone(),
            user: grant.user.clone().expect("the grant was made for a person"),
            session: self.grant.session.clone(),
            grant: grant.id.clone(),
            facts: self.facts.clone(),
            expires_at: self.visit.now.plus(LIFETIME),
        }
    }
}

const NOT_ACTIVE: OAuthError = OAuthError::new(
    OAuthErrorCode::AccessDenied,
    "the person is no longer active",
);
