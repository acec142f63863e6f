//! Claims read one by one, each with its type (RFC 7519 §4).
//!
//! A claim of a wrong type is an error and never "absent": a token that says something we cannot read
//! is refused. `null` counts as absent where a claim is optional, because some issuers write it.

use serde_json::{Map, Value};

use super::numeric_date;
use crate::issuer::TenantClaim;
use crate::time::Timestamp;

/// Longest identifier (`sub`, `jti`) that is read, in bytes: it must fit a database index.
const MAX_IDENTIFIER_BYTES: usize = 512;
/// How much of a claim's value an error may show, in characters.
const EXCERPT: usize = 80;

/// The claims of one token.
#[derive(Clone, Copy, Debug)]
pub struct Claims<'a>(&'a Map<String, Value>);

/// A claim that is missing or not of its type.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// A required claim is absent.
    #[error("claim {claim:?} is missing")]
    Missing {
        /// Its name.
        claim: &'static str,
    },
    /// A claim has another type or form than it must.
    #[error("claim {claim:?} is malformed")]
    Malformed {
        /// Its name.
        claim: &'static str,
    },
}

impl<'a> Claims<'a> {
    pub(super) const fn new(members: &'a Map<String, Value>) -> Self {
        Self(members)
    }

    /// All claims.
    #[must_use]
    pub const fn members(self) -> &'a Map<String, Value> {
        self.0
    }

    /// A claim of any type; absent if it is `null`.
    #[must_use]
    pub fn value(self, claim: &str) -> Option<&'a Value> {
        self.0.get(claim).filter(|value| !value.is_null())
    }

    /// An optional string.
    ///
    /// # Errors
    /// [`ClaimError::Malformed`] for another type.
    pub fn optional_text(self, claim: &'static str) -> Result<Option<&'a str>, ClaimError> {
        let text = |value: &'a Value| value.as_str().ok_or(ClaimError::Malformed { claim });
        self.value(claim).map(text).transpose()
    }

    /// A required string that is not empty.
    ///
    /// # Errors
    /// [`ClaimError::Missing`] or [`ClaimError::Malformed`].
    pub fn text(self, claim: &'static str) -> Result<&'a str, ClaimError> {
        match self.optional_text(claim)? {
            None => Err(ClaimError::Missing { claim }),
            Some("") => Err(ClaimError::Malformed { claim }),
            Some(text) => Ok(text),
        }
    }

    /// A required identifier such as `sub` or `jti`: 1 to 512 bytes, no control characters.
    ///
    /// # Errors
    /// [`ClaimError::Missing`] or [`ClaimError::Malformed`].
    pub fn identifier(self, claim: &'static str) -> Result<&'a str, ClaimError> {
        let text = self.text(claim)?;
        if text.len() > MAX_IDENTIFIER_BYTES || text.chars().any(char::is_control) {
            return Err(ClaimError::Malformed { claim });
        }
        Ok(text)
    }

    /// An optional string or array of strings; a lone string counts as an array of one.
    ///
    /// # Errors
    /// [`ClaimError::Malformed`] for any other type and for an empty array.
    pub fn optional_texts(self, claim: &'static str) -> Result<Option<Vec<String>>, ClaimError> {
        let texts = |value: &Value| match value {
            Value::String(text) => Some(vec![text.clone()]),
            Value::Array(items) if !items.is_empty() => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        };
        let checked = |value| texts(value).ok_or(ClaimError::Malformed { claim });
        self.value(claim).map(checked).transpose()
    }

    /// An optional `NumericDate`.
    ///
    /// # Errors
    /// [`ClaimError::Malformed`] unless it is a number of seconds between the years 1970 and 9999.
    pub fn optional_time(self, claim: &'static str) -> Result<Option<Timestamp>, ClaimError> {
        let time = |value| numeric_date::from_value(value).ok_or(ClaimError::Malformed { claim });
        self.value(claim).map(time).transpose()
    }

    /// A required `NumericDate`.
    ///
    /// # Errors
    /// [`ClaimError::Missing`] or [`ClaimError::Malformed`].
    pub fn time(self, claim: &'static str) -> Result<Timestamp, ClaimError> {
        self.optional_time(claim)?
            .ok_or(ClaimError::Missing { claim })
    }

    /// An optional boolean. The strings `true` and `false` are read too: some issuers write them.
    ///
    /// # Errors
    /// [`ClaimError::Malformed`] for anything else.
    pub fn optional_bool(self, claim: &'static str) -> Result<Option<bool>, ClaimError> {
        match self.value(claim) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(_) => Err(ClaimError::Malformed { claim }),
        }
    }

    /// An optional object.
    ///
    /// # Errors
    /// [`ClaimError::Malformed`] for another type.
    pub fn optional_object(self, claim: &'static str) -> Result<Option<Value>, ClaimError> {
        match self.value(claim) {
            Some(value) if !value.is_object() => Err(ClaimError::Malformed { claim }),
            value => Ok(value.cloned()),
        }
    }

    /// Whether the tenant said so; true where no tenant is expected (requirements AS-96).
    #[must_use]
    pub fn has_tenant(self, expected: Option<TenantClaim<'_>>) -> bool {
        expected.is_none_or(|tenant| {
            self.value(tenant.claim).and_then(Value::as_str) == Some(tenant.value)
        })
    }
}

/// The start of a claim's value, short enough for an error message.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with<T>(value: Value, read: impl FnOnce(Claims<'_>) -> T) -> T {
        let Value::Object(members) = json!({ "c": value }) else {
            unreachable!("it is an object")
        };
        read(Claims::new(&members))
    }

    const MALFORMED: ClaimError = ClaimError::Malformed { claim: "c" };

    #[test]
    fn a_wrong_type_is_not_an_absent_claim() {
        assert_eq!(
            with(json!(1), |c| c.optional_text("c").map(drop)),
            Err(MALFORMED)
        );
        assert_eq!(with(json!([]), |c| c.optional_texts("c")), Err(MALFORMED));
        assert_eq!(
            with(json!(["a", 1]), |c| c.optional_texts("c")),
            Err(MALFORMED)
        );
        assert_eq!(with(json!("1"), |c| c.optional_time("c")), Err(MALFORMED));
        assert_eq!(with(json!("yes"), |c| c.optional_bool("c")), Err(MALFORMED));
        assert_eq!(
            with(json!("{}"), |c| c.optional_object("c")),
            Err(MALFORMED)
        );
        assert_eq!(
            with(json!(null), |c| c.optional_text("c").map(drop)),
            Ok(())
        );
    }

    #[test]
    fn an_identifier_is_short_and_printable() {
        for bad in ["", "a\nb", "a\0", &"x".repeat(MAX_IDENTIFIER_BYTES + 1)] {
            assert_eq!(
                with(json!(bad), |c| c.identifier("c").map(drop)),
                Err(MALFORMED),
                "{bad:?}"
            );
        }
        assert!(with(json!("Zoë|42"), |c| c.identifier("c").is_ok()));
    }
}
