//! The one schema, and validation against it.
//!
//! Cedar's records are closed, and nobody knows the arguments of every tool. So the type
//! `Arguments` is empty in the schema, and a text that reads arguments is validated against the
//! schema with exactly those arguments in it (ADR 0007).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use cedar_policy::{PolicySet, Schema, ValidationMode, ValidationResult, Validator};

/// The schema, in Cedar's own syntax.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

const NO_ARGUMENTS: &str = "type Arguments = {};";

/// A type a policy can read an argument as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ArgumentType {
    Text,
    Number,
    Flag,
}

impl ArgumentType {
    const fn cedar(self) -> &'static str {
        match self {
            Self::Text => "String",
            Self::Number => "Long",
            Self::Flag => "Bool",
        }
    }

    /// In words for an administrator.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a whole number",
            Self::Flag => "true or false",
        }
    }
}

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| validator(SCHEMA).expect("the embedded schema is a Cedar schema"));

/// Validates policies strictly, with these arguments of tool calls in the schema.
///
/// # Errors
/// What Cedar says about the arguments' names, if it does not accept them.
pub(crate) fn validate(
    policies: &PolicySet,
    arguments: &BTreeMap<String, ArgumentType>,
) -> Result<ValidationResult, String> {
    if arguments.is_empty() {
        return Ok(VALIDATOR.validate(policies, ValidationMode::Strict));
    }
    let mut record = String::from("type Arguments = {");
    for (name, argument) in arguments {
        let _ = write!(
            record,
            " \"{}\"?: {},",
            name.escape_debug(),
            argument.cedar()
        );
    }
    record.push_str(" };");
    let validator = validator(&SCHEMA.replace(NO_ARGUMENTS, &record))?;
    Ok(validator.validate(policies, ValidationMode::Strict))
}

fn validator(text: &str) -> Result<Validator, String> {
    match Schema::from_cedarschema_str(text) {
        Ok((schema, _warnings)) => Ok(Validator::new(schema)),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_valid_and_has_a_place_for_arguments() {
        assert!(SCHEMA.contains(NO_ARGUMENTS));
        let actions = VALIDATOR.schema().actions().count();
        assert_eq!(actions, crate::Action::ALL.len());
    }

    #[test]
    fn an_argument_may_have_any_name() {
        let names = [
            "amount",
            "file-name",
            "a \"quoted\" one",
            "schlüssel",
            "in",
            "\0\u{202e}",
        ];
        let arguments = names
            .map(|name| (name.to_owned(), ArgumentType::Text))
            .into();

        let result = validate(&PolicySet::new(), &arguments);

        assert!(result.is_ok_and(|result| result.validation_passed()));
    }
}
