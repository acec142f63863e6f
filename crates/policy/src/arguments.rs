//! The arguments of a tool call that policies name (ADR 0007).
//!
//! Only arguments that a policy of the slice names are looked at. One that is sent as another type
//! than the policy reads it as denies the call: leaving it out would let `"5000"` pass a forbid
//! that was written for `5000`.

use std::collections::BTreeMap;

use cedar_policy::RestrictedExpression;
use serde_json::Value;

use crate::decision::{DenyReason, UnknownFact};
use crate::reads::Reads;
use crate::request::{Action, Request};
use crate::schema::ArgumentType;
use crate::statement::Ready;

/// Named arguments, converted.
#[derive(Debug, Default)]
pub(crate) struct Arguments(Vec<(String, RestrictedExpression)>);

impl Arguments {
    /// Takes the arguments that the slice names from a request.
    ///
    /// # Errors
    /// [`DenyReason::UnknownFacts`] when nobody said what the arguments are,
    /// [`DenyReason::ArgumentType`] when one has another type than a policy reads.
    pub(crate) fn of(
        request: &Request<'_>,
        reads: Reads,
        slice: &[Ready<'_>],
    ) -> Result<Self, DenyReason> {
        if request.action != Action::CallTool || !reads.intersects(Reads::ARGUMENTS) {
            return Ok(Self::default());
        }
        let Some(sent) = request.context.arguments else {
            return Err(DenyReason::UnknownFacts(UnknownFact::Arguments));
        };
        let mut named = BTreeMap::new();
        for (name, read_as) in slice.iter().flat_map(|one| &one.body.facts.arguments) {
            if let Some(value) = sent.get(name) {
                let value = convert(name, value, *read_as)?;
                // A policy that only looks at the presence leaves the value to one that reads it.
                if read_as.is_some() || !named.contains_key(name) {
                    named.insert(name.clone(), value);
                }
            }
        }
        Ok(Self(named.into_iter().collect()))
    }

    pub(crate) fn record(&self) -> Option<RestrictedExpression> {
        RestrictedExpression::new_record(self.0.iter().cloned()).ok()
    }
}

fn convert(
    name: &str,
    value: &Value,
    read_as: Option<ArgumentType>,
) -> Result<RestrictedExpression, DenyReason> {
    let converted = match (read_as, value) {
        (None, _) => Some(RestrictedExpression::new_bool(true)),
        (Some(ArgumentType::Text), Value::String(text)) => {
            Some(RestrictedExpression::new_string(text.clone()))
        }
        (Some(ArgumentType::Number), Value::Number(number)) => {
            number.as_i64().map(RestrictedExpression::new_long)
        }
        (Some(ArgumentType::Flag), Value::Bool(flag)) => {
            Some(RestrictedExpression::new_bool(*flag))
        }
        _ => None,
    };
    converted.ok_or_else(|| DenyReason::ArgumentType {
        name: name.to_owned(),
        expected: read_as.map_or("anything", ArgumentType::words),
        found: words(value),
    })
}

const fn words(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "another number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
