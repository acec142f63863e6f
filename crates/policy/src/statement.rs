//! Cedar text, read and checked: one [`Statement`] for each policy in it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use cedar_policy::ffi::DetailedError;
use cedar_policy::pst::Template;
use cedar_policy::{
    Effect, EntityUid, Policy, PolicyId, PolicySet, ValidationResult, ValidationWarning, pst,
};

use crate::depth;
use crate::entity::Kind;
use crate::facts::{self, Facts};
use crate::permit::Permit;
use crate::problem::Finding;
use crate::schema::{self, ArgumentType};
use crate::scope::{Scope, ScopeKey};

/// Longest text that is read, in bytes.
const MAX_TEXT: usize = 64 * 1024;
const TOO_DEEP: &str =
    "it nests too deeply: use a set, as in [\"a\", \"b\"].contains(…), or several policies";
const NO_TEMPLATES: &str = "templates are not supported: replace ?principal and ?resource";

/// One Cedar policy.
#[derive(Debug)]
pub(crate) struct Statement {
    /// How the audit log names it.
    pub(crate) id: String,
    pub(crate) effect: Effect,
    /// Its text.
    pub(crate) cedar: String,
    pub(crate) scope: Scope,
    /// Whether it depends on group memberships.
    pub(crate) needs_groups: bool,
    /// Every entity that an administrator's policy names, in its scope or its conditions.
    pub(crate) entities: Vec<EntityUid>,
    /// Parsed at once if an administrator wrote it, on first use if we did.
    body: OnceLock<Result<Body, String>>,
}

/// What a policy is to Cedar.
#[derive(Debug)]
pub(crate) struct Body {
    /// This policy and no other: evaluating one by one tells which of them applied or failed.
    pub(crate) policies: PolicySet,
    pub(crate) facts: Facts,
    pub(crate) sign_in: SignIn,
}

/// A policy of a slice, ready to be evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready<'a> {
    pub(crate) statement: &'a Statement,
    pub(crate) body: &'a Body,
}

/// The sign-in that a policy asks for, as its annotations say.
#[derive(Debug, Default)]
pub(crate) struct SignIn {
    /// Values of `@step_up_acr`.
    pub(crate) acr_values: Vec<String>,
    /// Value of `@step_up_max_age`, in seconds.
    pub(crate) max_age: Option<u64>,
}

impl Statement {
    /// A permit of an assignment.
    pub(crate) fn of_permit(permit: &Permit<'_>) -> Self {
        let scope = permit.scope();
        let is_group = |key: &ScopeKey| matches!(key, ScopeKey::Entity(Kind::Group, _));
        Self {
            id: permit.id.clone(),
            effect: Effect::Permit,
            cedar: permit.cedar(),
            needs_groups: scope.principals.iter().any(is_group),
            scope,
            entities: Vec::new(),
            body: OnceLock::new(),
        }
    }

    /// What Cedar evaluates.
    ///
    /// # Errors
    /// The text is not Cedar, although we wrote it: the request must be denied.
    pub(crate) fn body(&self) -> Result<&Body, &str> {
        let parse = || {
            let id = Some(PolicyId::new(&self.id));
            let policy = Policy::parse(id, &self.cedar).map_err(|error| error.to_string())?;
            Body::of(&policy, &tree(&policy)?).map_err(|messages| messages.join("; "))
        };
        self.body
            .get_or_init(parse)
            .as_ref()
            .map_err(String::as_str)
    }
}

impl Body {
    fn of(policy: &Policy, tree: &Template) -> Result<Self, Vec<String>> {
        let policies = PolicySet::from_policies([policy.clone()]);
        Ok(Self {
            policies: policies.map_err(|error| vec![error.to_string()])?,
            facts: facts::of(tree)?,
            sign_in: SignIn::of(policy).map_err(|message| vec![message])?,
        })
    }
}

impl SignIn {
    fn of(policy: &Policy) -> Result<Self, String> {
        let acr_values = policy.annotation("step_up_acr").unwrap_or_default();
        let max_age = policy
            .annotation("step_up_max_age")
            .map(str::parse)
            .transpose();
        Ok(Self {
            acr_values: acr_values.split_whitespace().map(str::to_owned).collect(),
            max_age: max_age
                .map_err(|_| "@step_up_max_age is a number of seconds, as in \"300\"")?,
        })
    }
}

fn tree(policy: &Policy) -> Result<Template, String> {
    match policy.to_pst().map_err(|error| error.to_string())? {
        pst::Policy::Static(tree) => Ok(tree.body().clone()),
        pst::Policy::Linked(_) => Err(NO_TEMPLATES.to_owned()),
    }
}

/// Reads and checks a text; `name` turns a policy's `@id`, its position and the number of policies
/// into its id.
///
/// # Errors
/// Everything that is wrong with the text.
pub(crate) fn parse(
    text: &str,
    name: impl Fn(Option<&str>, usize, usize) -> String,
) -> Result<Vec<Statement>, Vec<Finding>> {
    let policies = parse_policies(text, name)?;
    let mut statements = Vec::new();
    let mut findings = Vec::new();
    for policy in &policies {
        match statement(policy) {
            Ok(statement) => statements.push(statement),
            Err(messages) => {
                let start = policy
                    .to_cedar()
                    .and_then(|own| text.find(&own))
                    .unwrap_or(0);
                findings.extend(messages.into_iter().map(|m| Finding::at(text, start, m)));
            }
        }
    }
    if findings.is_empty() {
        findings = validate(text, policies, &statements);
    }
    if findings.is_empty() {
        Ok(statements)
    } else {
        Err(findings)
    }
}

fn parse_policies(
    text: &str,
    name: impl Fn(Option<&str>, usize, usize) -> String,
) -> Result<Vec<Policy>, Vec<Finding>> {
    if text.len() > MAX_TEXT {
        return Err(vec![Finding::anywhere(format!(
            "longer than {MAX_TEXT} bytes: split it"
        ))]);
    }
    if let Some(offset) = depth::find_too_deep(text) {
        return Err(vec![Finding::at(text, offset, TOO_DEEP)]);
    }
    let set: PolicySet = text.parse().map_err(|errors: cedar_policy::ParseErrors| {
        let errors = errors.iter().map(DetailedError::from);
        errors
            .map(|error| Finding::from_cedar(text, &error))
            .collect::<Vec<_>>()
    })?;
    if let Some(template) = set.templates().next() {
        let start = text.find(&template.to_cedar()).unwrap_or(0);
        return Err(vec![Finding::at(text, start, NO_TEMPLATES)]);
    }
    let count = set.num_of_policies();
    if count == 0 {
        return Err(vec![Finding::anywhere(
            "it has no policy: write a permit or a forbid",
        )]);
    }
    let renamed = set.policies().enumerate().map(|(position, policy)| {
        policy.new_id(PolicyId::new(name(
            policy.annotation("id"),
            position,
            count,
        )))
    });
    Ok(renamed.collect())
}

fn statement(policy: &Policy) -> Result<Statement, Vec<String>> {
    let tree = tree(policy).map_err(|message| vec![message])?;
    let entities = policy.entity_literals();
    Ok(Statement {
        id: policy.id().to_string(),
        effect: policy.effect(),
        cedar: policy.to_cedar().unwrap_or_default(),
        scope: Scope::of(&tree),
        needs_groups: entities
            .iter()
            .any(|uid| Kind::of(uid) == Some(Kind::Group)),
        entities,
        body: OnceLock::from(Ok(Body::of(policy, &tree)?)),
    })
}

fn validate(text: &str, policies: Vec<Policy>, statements: &[Statement]) -> Vec<Finding> {
    let arguments = match arguments(statements) {
        Ok(arguments) => arguments,
        Err(finding) => return vec![finding],
    };
    let set = match PolicySet::from_policies(policies) {
        Ok(set) => set,
        Err(error) => return vec![Finding::anywhere(format!("{error}: give each its own @id"))],
    };
    match schema::validate(&set, &arguments) {
        Ok(result) => findings(text, &result),
        Err(message) => vec![Finding::anywhere(message)],
    }
}

/// The arguments that the policies of one text read; all must agree on their types.
fn arguments(statements: &[Statement]) -> Result<BTreeMap<String, ArgumentType>, Finding> {
    let mut arguments = BTreeMap::new();
    let bodies = statements
        .iter()
        .filter_map(|statement| statement.body().ok());
    for (name, read_as) in bodies.flat_map(|body| &body.facts.arguments) {
        let known: &mut Option<ArgumentType> = arguments.entry(name.clone()).or_default();
        if known.is_some() && read_as.is_some() && known != read_as {
            let message = format!("argument {name:?} is compared as two types");
            return Err(Finding::anywhere(message));
        }
        *known = known.or(*read_as);
    }
    // Where only its presence is looked at, any type will do.
    let typed = |(name, known): (String, Option<_>)| (name, known.unwrap_or(ArgumentType::Flag));
    Ok(arguments.into_iter().map(typed).collect())
}

fn findings(text: &str, result: &ValidationResult) -> Vec<Finding> {
    let errors = result.validation_errors().map(DetailedError::from);
    let warnings = result
        .validation_warnings()
        .filter(|warning| is_mistake(warning));
    errors
        .chain(warnings.map(DetailedError::from))
        .map(|error| Finding::from_cedar(text, &error))
        .collect()
}

/// A policy that never applies is a forbid that protects nothing, and text that does not read as
/// it looks hides what it does. Mixed scripts are what names of groups in many languages have.
fn is_mistake(warning: &ValidationWarning) -> bool {
    !matches!(
        warning,
        ValidationWarning::MixedScriptString(_)
            | ValidationWarning::MixedScriptIdentifier(_)
            | ValidationWarning::ConfusableIdentifier(_)
    )
}
