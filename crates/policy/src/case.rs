//! One request with the policies that can matter to it, ready to be evaluated.

use cedar_policy::{Authorizer, Effect, Entities, Entity, EntityUid, Request as CedarRequest};

use crate::arguments::Arguments;
use crate::context::{self, SignInFacts};
use crate::decision::{Decision, DenyReason};
use crate::entity;
use crate::principal::Asker;
use crate::reads::Reads;
use crate::request::Request;
use crate::resource::Offered;
use crate::statement::Ready;

/// A request, its slice and its facts.
pub(crate) struct Case<'a> {
    request: &'a Request<'a>,
    principal: EntityUid,
    resource: &'a Offered<'a>,
    entities: Entities,
    arguments: Arguments,
    pub(crate) slice: Vec<Ready<'a>>,
    pub(crate) reads: Reads,
}

/// What one policy says about a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Applies,
    DoesNotApply,
    Fails(String),
}

impl<'a> Case<'a> {
    /// Gathers what the policies of the slice read.
    ///
    /// # Errors
    /// A fact is unknown or has a form that Cedar cannot hold: the request is denied.
    pub(crate) fn new(
        request: &'a Request<'a>,
        asker: &Asker<'_>,
        resource: &'a Offered<'a>,
        slice: Vec<Ready<'a>>,
    ) -> Result<Self, DenyReason> {
        let reads = reads(&slice);
        let arguments = Arguments::of(request, reads, &slice)?;
        let entities = entities(asker, resource).map_err(unbuildable)?;
        let principal = asker.uid().clone();
        Ok(Self {
            request,
            principal,
            resource,
            entities,
            arguments,
            slice,
            reads,
        })
    }

    pub(crate) fn sign_in(&self) -> SignInFacts<'a> {
        SignInFacts::of(self.request)
    }

    /// What each policy of the slice says, in its order, for a sign-in.
    pub(crate) fn outcomes(&self, sign_in: SignInFacts<'_>) -> Result<Vec<Outcome>, DenyReason> {
        let request = self.cedar(sign_in).map_err(unbuildable)?;
        let authorizer = Authorizer::new();
        Ok(self
            .slice
            .iter()
            .map(|one| {
                let response =
                    authorizer.is_authorized(&request, &one.body.policies, &self.entities);
                let diagnostics = response.diagnostics();
                if let Some(error) = diagnostics.errors().next() {
                    return Outcome::Fails(error.to_string());
                }
                match diagnostics.reason().next() {
                    Some(_) => Outcome::Applies,
                    None => Outcome::DoesNotApply,
                }
            })
            .collect())
    }

    fn cedar(&self, sign_in: SignInFacts<'_>) -> Result<CedarRequest, String> {
        let context = context::build(
            self.request,
            self.resource,
            sign_in,
            &self.arguments,
            self.reads,
        )?;
        let action = entity::action(self.request.action);
        let (principal, resource) = (self.principal.clone(), self.resource.uid().clone());
        CedarRequest::new(principal, action, resource, context, None)
            .map_err(|error| error.to_string())
    }

    /// Failure first, then forbid, then permit; nothing means no.
    pub(crate) fn conclude(&self, outcomes: &[Outcome]) -> Decision {
        let pairs = || self.slice.iter().zip(outcomes);
        let failed = pairs().find_map(|(one, outcome)| match outcome {
            Outcome::Fails(message) => Some((one.statement.id.clone(), message.clone())),
            Outcome::Applies | Outcome::DoesNotApply => None,
        });
        if let Some((policy, message)) = failed {
            let policies = vec![policy.clone()];
            return Decision::Deny {
                reason: DenyReason::Evaluation { policy, message },
                policies,
            };
        }
        let applying = |effect| {
            let applying = pairs().filter(move |(one, outcome)| {
                one.statement.effect == effect && **outcome == Outcome::Applies
            });
            applying
                .map(|(one, _)| one.statement.id.clone())
                .collect::<Vec<_>>()
        };
        let (forbids, permits) = (applying(Effect::Forbid), applying(Effect::Permit));
        match (forbids.is_empty(), permits.is_empty()) {
            (false, _) => Decision::Deny {
                reason: DenyReason::Forbidden,
                policies: forbids,
            },
            (true, false) => Decision::Allow { policies: permits },
            (true, true) => Decision::deny(DenyReason::NothingAllows),
        }
    }
}

/// What a slice reads.
pub(crate) fn reads(slice: &[Ready<'_>]) -> Reads {
    slice
        .iter()
        .fold(Reads::default(), |reads, one| reads | one.body.facts.reads)
}

fn unbuildable(message: String) -> DenyReason {
    DenyReason::Evaluation {
        policy: "(request)".to_owned(),
        message,
    }
}

fn entities(asker: &Asker<'_>, resource: &Offered<'_>) -> Result<Entities, String> {
    let entities: [Entity; 2] = [asker.entity()?, resource.entity()?];
    Entities::from_entities(entities, None).map_err(|error| error.to_string())
}
