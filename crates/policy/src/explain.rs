//! Why a request is decided as it is: for an administrator, on the command line or the console.

use std::fmt;

use cedar_policy::Effect;
use serde::Serialize;

use crate::case::{Case, Outcome};
use crate::decide;
use crate::decision::Decision;
use crate::engine::Engine;
use crate::principal::Asker;
use crate::request::Request;
use crate::resource::Offered;
use crate::set::PolicyBook;
use crate::statement::Statement;

/// Policies for other principals that are listed, at most.
const MAX_OTHERS: usize = 20;

/// A decision with everything that led to it; [`Display`](fmt::Display) is for people.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The decision itself.
    pub decision: Decision,
    /// Version of the definitions.
    pub version: u64,
    /// Whether client and resource exist and are offered to the organization. If not, no policy
    /// was asked.
    pub is_offered: bool,
    /// Whether the groups of the principal are known; a client has none, and that is known.
    pub knows_groups: bool,
    /// The policies that could matter, in the order in which they were evaluated.
    pub policies: Vec<Examined>,
    /// Permits for this action and resource that are for somebody else, the first few.
    pub for_others: Vec<Examined>,
    /// Policies of the organization in all.
    pub policy_count: usize,
}

/// One policy and what it said.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Examined {
    /// As decisions and the audit log name it.
    pub id: String,
    /// Whether it is a permit or a forbid.
    pub effect: PolicyEffect,
    /// What it said.
    pub result: Examination,
    /// Its text.
    pub cedar: String,
}

/// What a policy does where it applies.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyEffect {
    /// Allows.
    Permit,
    /// Forbids.
    Forbid,
}

/// What one policy said about a request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Examination {
    /// It applies.
    Applies,
    /// Its scope or its conditions do not hold.
    DoesNotApply,
    /// It could not be evaluated, for this reason.
    Fails(String),
    /// It was not evaluated: a fact is unknown or cannot be read.
    NotEvaluated,
}

impl Engine {
    /// Decides a request and says why.
    #[must_use]
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        let mut explanation = Explanation {
            decision: self.decide(request),
            version: self.version(),
            is_offered: false,
            knows_groups: true,
            policies: Vec::new(),
            for_others: Vec::new(),
            policy_count: self
                .books
                .get(request.organization)
                .map_or(0, |b| b.statements.len()),
        };
        let opened = self.open(request).ok();
        let found = opened.zip(Offered::find(&self.offers, request).ok());
        if let Some(((book, asker), resource)) = found {
            explanation.is_offered = true;
            explanation.knows_groups = !asker.has_unknown_groups;
            explanation.policies = examine(book, &asker, request, &resource);
            explanation.for_others = others(book, &asker, request, &resource);
        }
        explanation
    }
}

fn examine(
    book: &PolicyBook,
    asker: &Asker<'_>,
    request: &Request<'_>,
    resource: &Offered<'_>,
) -> Vec<Examined> {
    let candidates = decide::candidates(book, asker, request, resource);
    let evaluated = decide::slice(book, asker, request, resource)
        .ok()
        .and_then(|slice| Case::new(request, asker, resource, slice).ok())
        .and_then(|case| case.outcomes(case.sign_in()).ok());
    let results = evaluated
        .unwrap_or_default()
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Applies => Examination::Applies,
            Outcome::DoesNotApply => Examination::DoesNotApply,
            Outcome::Fails(message) => Examination::Fails(message),
        });
    let results = results.chain(std::iter::repeat(Examination::NotEvaluated));
    candidates
        .into_iter()
        .zip(results)
        .map(|(one, result)| examined(one, result))
        .collect()
}

fn others(
    book: &PolicyBook,
    asker: &Asker<'_>,
    request: &Request<'_>,
    resource: &Offered<'_>,
) -> Vec<Examined> {
    let keys = book.index.keys(resource.kind(), &resource.path);
    let own = decide::candidates(book, asker, request, resource);
    let all = book.index.for_anybody(request.action, &keys).into_iter();
    let others = all
        .map(|number| &book.statements[number])
        .filter(|statement| own.iter().all(|own| own.id != statement.id));
    let permits = others.filter(|statement| statement.effect == Effect::Permit);
    permits
        .take(MAX_OTHERS)
        .map(|one| examined(one, Examination::DoesNotApply))
        .collect()
}

fn examined(statement: &Statement, result: Examination) -> Examined {
    Examined {
        id: statement.id.clone(),
        effect: match statement.effect {
            Effect::Permit => PolicyEffect::Permit,
            Effect::Forbid => PolicyEffect::Forbid,
        },
        result,
        cedar: statement.cedar.clone(),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.decision)?;
        if !self.is_offered {
            return writeln!(f, "no policy was asked");
        }
        if !self.knows_groups {
            writeln!(f, "groups: unknown")?;
        }
        let count = self.policies.len();
        writeln!(
            f,
            "{count} of {} policies can matter to this request",
            self.policy_count
        )?;
        for policy in &self.policies {
            writeln!(f, "  {policy}")?;
        }
        if !self.decision.is_allow() && !self.for_others.is_empty() {
            writeln!(f, "allowed to others by")?;
            for policy in &self.for_others {
                writeln!(f, "  {}", policy.id)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Examined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.effect {
            PolicyEffect::Permit => "permit",
            PolicyEffect::Forbid => "forbid",
        };
        write!(f, "{effect} {}: ", self.id)?;
        match &self.result {
            Examination::Applies => f.write_str("applies"),
            Examination::DoesNotApply => f.write_str("does not apply"),
            Examination::Fails(message) => write!(f, "fails: {message}"),
            Examination::NotEvaluated => f.write_str("not evaluated"),
        }
    }
}
