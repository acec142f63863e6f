//! Whether a caller may do what a message asks for (design §4 rule 2, §6 D; requirements RS-42 to
//! RS-47).
//!
//! First the scopes of the token, because a client can ask for more; then policy, asked in one
//! place. A denial that another token would not change is not dressed up as one that it would.

use serde_json::{Map, Value};
use symbolon_policy::{Action, Decision, DenyReason, Resource, Target, UnknownFact};
use symbolon_protocol::challenge::Refusal;
use symbolon_protocol::mcp;
use symbolon_protocol::scope::ScopeSet;

use crate::operation::Operation;
use crate::position::Position;
use crate::protected_resource::basic_scopes;

/// Policies that allowed an operation, for the audit trail.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Allowed {
    /// Their ids, each once.
    pub(crate) policies: Vec<String>,
}

/// Why an operation is denied.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Denied {
    /// What the caller can do about it.
    pub(crate) remedy: Remedy,
    /// Why, for the administrator.
    pub(crate) reason: String,
    /// The policies that denied it.
    pub(crate) policies: Vec<String>,
}

/// What would help a denied caller.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Remedy {
    /// A token with these scopes: everything the operation needs.
    Scopes(ScopeSet),
    /// Another sign-in.
    SignIn {
        /// Acceptable classes, space-separated.
        acr_values: Option<String>,
        /// Seconds it may be old.
        max_age: Option<u64>,
    },
    /// Nothing (RS-47).
    Nothing,
}

impl Denied {
    /// The refusal that the caller is told.
    pub(crate) fn refusal(&self) -> Refusal<'_> {
        match &self.remedy {
            Remedy::Scopes(scope) => Refusal::InsufficientScope { scope },
            Remedy::SignIn {
                acr_values,
                max_age,
            } => Refusal::InsufficientUserAuthentication {
                acr_values: acr_values.as_deref(),
                max_age: *max_age,
            },
            Remedy::Nothing => Refusal::Policy,
        }
    }

    fn for_want_of(scopes: ScopeSet) -> Self {
        let reason = format!("the token lacks scopes: {scopes} needed");
        Self {
            remedy: Remedy::Scopes(scopes),
            reason,
            policies: Vec::new(),
        }
    }
}

/// Decides an operation. `body` is the message it was read from.
///
/// # Errors
/// [`Denied`]: nothing may be forwarded.
pub(crate) fn authorize(
    position: Position<'_>,
    operation: &Operation<'_>,
    body: &[u8],
) -> Result<Allowed, Denied> {
    let server = &position.server.id;
    match operation {
        Operation::CallTool(name) => {
            position.require_scopes(name)?;
            position.decide(Action::CallTool, Resource::Tool { server, name }, body)
        }
        Operation::ReadResources(uris) => {
            let mut allowed = Allowed::default();
            for uri in uris {
                let resource = Resource::Server { server, name: uri };
                allowed.add(position.decide(Action::ReadResource, resource, body)?);
            }
            Ok(allowed)
        }
        Operation::GetPrompt(name) => {
            position.decide(Action::GetPrompt, Resource::Server { server, name }, body)
        }
        Operation::UseServer => position.may_use_server(),
    }
}

impl Position<'_> {
    /// RS-43, RS-44: everything the tool needs, with what the granted scopes imply.
    fn require_scopes(&self, tool: &str) -> Result<(), Denied> {
        let required = self.server.required_scopes("tools/call", Some(tool));
        let granted = &self.caller.token().scopes;
        if required.is_subset(granted) || required.is_subset(&self.server.expand(granted)) {
            Ok(())
        } else {
            Err(Denied::for_want_of(required))
        }
    }

    /// Whether the grant behind the token still stands: policy would give at least one of its scopes
    /// again. How fresh the sign-in was is a question for the token's issue and for each call.
    fn may_use_server(&self) -> Result<Allowed, Denied> {
        let scopes = self.caller.token().scopes.intersection(&self.server.scopes);
        let mut denied = Denied::for_want_of(basic_scopes(self.server));
        for scope in scopes.iter() {
            let target = Target::Server(&self.server.id);
            match self.decide(Action::GrantAccess, Resource::Scope { target, scope }, &[]) {
                Ok(allowed) => return Ok(allowed),
                Err(Denied {
                    remedy: Remedy::SignIn { .. },
                    policies,
                    ..
                }) => {
                    return Ok(Allowed { policies });
                }
                Err(error) => denied = error,
            }
        }
        Err(denied)
    }

    /// The one place where policy is asked about a message.
    fn decide(
        &self,
        action: Action,
        resource: Resource<'_>,
        body: &[u8],
    ) -> Result<Allowed, Denied> {
        let mut arguments = None;
        loop {
            let request = self.request(action, resource, arguments.as_ref());
            match self.engine.decide(&request) {
                // Arguments are read only where a policy names one; most calls are never parsed twice.
                Decision::Deny { reason, .. }
                    if arguments.is_none() && wants_arguments(&reason) =>
                {
                    arguments = Some(arguments_of(body).ok_or_else(unreadable_arguments)?);
                }
                decision => return conclude(decision),
            }
        }
    }
}

impl Allowed {
    fn add(&mut self, other: Self) {
        for policy in other.policies {
            if !self.policies.contains(&policy) {
                self.policies.push(policy);
            }
        }
    }
}

fn conclude(decision: Decision) -> Result<Allowed, Denied> {
    match decision {
        Decision::Allow { policies } => Ok(Allowed { policies }),
        Decision::StepUp {
            policies,
            acr_values,
            max_age,
        } => Err(Denied {
            remedy: Remedy::SignIn {
                acr_values,
                max_age,
            },
            reason: "policy asks for a fresher or stronger sign-in".to_owned(),
            policies,
        }),
        Decision::Deny { reason, policies } => Err(Denied {
            remedy: Remedy::Nothing,
            reason: reason.to_string(),
            policies,
        }),
    }
}

fn wants_arguments(reason: &DenyReason) -> bool {
    matches!(reason, DenyReason::UnknownFacts(UnknownFact::Arguments))
}

/// The arguments of a call; a call without any has none.
fn arguments_of(body: &[u8]) -> Option<Map<String, Value>> {
    mcp::arguments(body).ok().map(Option::unwrap_or_default)
}

fn unreadable_arguments() -> Denied {
    let reason = "a policy reads the arguments of the call, which are no object".to_owned();
    Denied {
        remedy: Remedy::Nothing,
        reason,
        policies: Vec::new(),
    }
}
