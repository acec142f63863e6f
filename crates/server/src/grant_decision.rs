//! Asking policy about each requested scope (design §4 rule 2, §7).

use symbolon_policy::{Action, Context, Decision, Engine, Principal, Request, Resource, Target};
use symbolon_protocol::ids::{ClientId, OrganizationId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::oauth_error::OAuthErrorCode;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::AuthenticationFacts;

use crate::subject::Person;
use crate::token::{Denied, Exchange, StepUp};

/// Who asks, through which client.
pub(crate) struct Asker<'a> {
    pub(crate) organization: &'a OrganizationId,
    pub(crate) person: &'a Person,
    pub(crate) role: &'a IssuerRole,
    pub(crate) client: &'a ClientId,
    pub(crate) client_authentication: &'a str,
    pub(crate) facts: &'a AuthenticationFacts,
}

impl<'a> Asker<'a> {
    /// The person of a token request, through its authenticated client.
    pub(crate) fn new(
        exchange: &'a Exchange,
        organization: &'a OrganizationId,
        person: &'a Person,
        facts: &'a AuthenticationFacts,
    ) -> Self {
        Self {
            organization,
            person,
            role: &exchange.issuer.role,
            client: exchange.client.id(),
            client_authentication: exchange.client.method(),
            facts,
        }
    }

    fn request(
        &'a self,
        action: Action,
        resource: Resource<'a>,
        scopes: &'a ScopeSet,
        now: Timestamp,
    ) -> Request<'a> {
        Request {
            organization: self.organization,
            principal: Principal::User {
                id: &self.person.user.id,
                email: self.person.user.email.as_deref(),
                groups: self.person.policy_groups(),
            },
            action,
            resource,
            context: Context {
                client: Some((self.role, self.client)),
                client_authentication: Some(self.client_authentication),
                scopes,
                acr: self.facts.acr.as_deref(),
                amr: &self.facts.amr,
                auth_time: self.facts.auth_time,
                source_address: None,
                sender_constraint: None,
                arguments: None,
            },
            now,
        }
    }
}

/// The scopes policy allows, and why the others fell.
#[derive(Debug, Default)]
pub(crate) struct ScopeDecision {
    /// Allowed scopes, in the order they were requested.
    pub(crate) scopes: ScopeSet,
    /// Policies that decided, each once.
    pub(crate) policies: Vec<String>,
    step_up: Option<StepUp>,
    reasons: Vec<String>,
}

/// Decides each scope by itself.
pub(crate) fn decide_scopes(
    engine: &Engine,
    asker: &Asker<'_>,
    action: Action,
    target: Target<'_>,
    requested: &ScopeSet,
    now: Timestamp,
) -> ScopeDecision {
    let mut decision = ScopeDecision::default();
    decision.scopes = requested.filter(|scope| {
        let resource = Resource::Scope { target, scope };
        decision.add(
            scope,
            engine.decide(&asker.request(action, resource, requested, now)),
        )
    });
    decision
}

impl ScopeDecision {
    /// Notes one scope's decision; whether it is allowed.
    fn add(&mut self, scope: &str, decision: Decision) -> bool {
        let is_allowed = decision.is_allow();
        match decision {
            Decision::Allow { policies } => self.note(policies),
            Decision::StepUp {
                policies,
                acr_values,
                max_age,
            } => {
                self.step_up.get_or_insert(StepUp {
                    acr_values,
                    max_age,
                });
                self.note(policies);
            }
            Decision::Deny { reason, policies } => {
                self.reasons.push(format!("{scope}: {reason}"));
                self.note(policies);
            }
        }
        is_allowed
    }

    fn note(&mut self, policies: Vec<String>) {
        for policy in policies {
            if !self.policies.contains(&policy) {
                self.policies.push(policy);
            }
        }
    }

    /// The decision if it grants anything, otherwise what to answer.
    ///
    /// # Errors
    /// `insufficient_user_authentication` when another sign-in alone would help (ID-40), otherwise
    /// `access_denied`; a caller whose endpoint knows another code replaces it.
    pub(crate) fn into_granted(self) -> Result<Self, Denied> {
        if !self.scopes.is_empty() {
            return Ok(self);
        }
        let reason = match self.reasons.is_empty() {
            true => "policy asks for a fresher or stronger sign-in".to_owned(),
            false => self.reasons.join("; "),
        };
        let code = match self.step_up {
            Some(_) => OAuthErrorCode::InsufficientUserAuthentication,
            None => OAuthErrorCode::AccessDenied,
        };
        let mut denied = Denied::new(code, reason).by(self.policies);
        denied.step_up = self.step_up;
        Err(denied)
    }
}
