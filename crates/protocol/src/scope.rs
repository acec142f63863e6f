//! Scope sets ([RFC 6749] §3.3).
//!
//! A scope is an opaque, case-sensitive word; a set of them travels as one space-separated string.
//! Whatever enters a [`ScopeSet`] has the RFC's character set and the limits below, so it can be
//! written into a token, a challenge or a page without further checks.
//!
//! **Deviation:** runs of spaces, and spaces at either end, are tolerated when reading.
//!
//! [RFC 6749]: https://www.rfc-editor.org/rfc/rfc6749

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most scopes one set holds.
pub const MAX_SCOPES: usize = 64;

/// The longest `scope` string that is read, in bytes.
pub const MAX_SCOPE_BYTES: usize = 4096;

/// A set of scopes in the order they were named first, without duplicates.
///
/// Two sets are equal when they hold the same scopes, in whatever order. [`Display`](fmt::Display)
/// and serde write the space-separated form.
#[derive(Clone, Debug, Default)]
pub struct ScopeSet(Vec<Box<str>>);

/// Why a text is not a scope set.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// A scope is empty or has a character outside `%x21 / %x23-5B / %x5D-7E`.
    #[error(
        "a scope has a character that is not allowed: use visible ASCII without quote and backslash"
    )]
    Malformed,
    /// More than [`MAX_SCOPES`] scopes, or more than [`MAX_SCOPE_BYTES`] bytes.
    #[error("too many scopes: at most {MAX_SCOPES} scopes and {MAX_SCOPE_BYTES} bytes")]
    TooLarge,
}

impl ScopeSet {
    /// Reads a space-separated `scope` value; the empty string is the empty set.
    ///
    /// # Errors
    /// [`ScopeError`]; over the wire both variants are `invalid_scope`.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.len() > MAX_SCOPE_BYTES {
            return Err(ScopeError::TooLarge);
        }
        Self::from_scopes(text.split(' ').filter(|scope| !scope.is_empty()))
    }

    /// Collects scopes that are listed one by one, as in a manifest.
    ///
    /// # Errors
    /// [`ScopeError`], as for [`ScopeSet::parse`]; an element with a space in it is malformed.
    pub fn from_scopes<S: AsRef<str>>(
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Self, ScopeError> {
        let mut set = Self::default();
        let mut bytes = 0;
        for scope in scopes {
            let scope = scope.as_ref();
            if scope.is_empty() || !scope.bytes().all(is_scope_byte) {
                return Err(ScopeError::Malformed);
            }
            if set.insert(scope) {
                bytes += scope.len() + 1;
            }
            if set.len() > MAX_SCOPES || bytes > MAX_SCOPE_BYTES + 1 {
                return Err(ScopeError::TooLarge);
            }
        }
        Ok(set)
    }

    /// Whether `scope` is in the set.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|own| own == scope)
    }

    /// Whether every scope of this set is in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|scope| other.contains(scope))
    }

    /// The scopes for which `keep` is true, in this set's order.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|scope| keep(scope)).cloned().collect())
    }

    /// The scopes in both sets, in this set's order.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.filter(|scope| other.contains(scope))
    }

    /// The scopes of this set that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.filter(|scope| !other.contains(scope))
    }

    /// The scopes of this set followed by the new ones of `other`.
    ///
    /// The limits are those of the inputs: the union of two full sets is longer than
    /// [`ScopeSet::parse`] would read.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut set = self.clone();
        for scope in other.iter() {
            set.insert(scope);
        }
        set
    }

    /// Iterates in order of first mention.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The number of scopes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set has no scope.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn insert(&mut self, scope: &str) -> bool {
        let is_new = !self.contains(scope);
        if is_new {
            self.0.push(scope.into());
        }
        is_new
    }
}

/// RFC 6749 §3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

impl PartialEq for ScopeSet {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.is_subset(other)
    }
}

impl Eq for ScopeSet {}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

impl FromStr for ScopeSet {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::parse(text)
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse(text).unwrap()
    }

    #[test]
    fn order_is_kept_and_duplicates_are_dropped() {
        assert_eq!(set("b a  b c ").to_string(), "b a c");
        assert_eq!(set("").len(), 0);
    }

    #[test]
    fn the_character_set_is_that_of_rfc_6749() {
        for bad in ["a\tb", "a\"b", "a\\b", "ä", "a\u{7f}"] {
            assert_eq!(ScopeSet::parse(bad), Err(ScopeError::Malformed), "{bad:?}");
        }
        assert_eq!(set("!#[]~").to_string(), "!#[]~");
        assert_eq!(ScopeSet::from_scopes(["a b"]), Err(ScopeError::Malformed));
        assert_eq!(ScopeSet::from_scopes([""]), Err(ScopeError::Malformed));
    }

    #[test]
    fn size_is_limited() {
        let many = (0..65).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(ScopeSet::parse(&many.join(" ")), Err(ScopeError::TooLarge));
        assert!(ScopeSet::parse(&many[1..].join(" ")).is_ok());
        assert!(ScopeSet::parse(&"a".repeat(4096)).is_ok());
        assert_eq!(
            ScopeSet::from_scopes(["a".repeat(4097)]),
            Err(ScopeError::TooLarge)
        );
    }

    #[test]
    fn json_form_is_one_string() {
        let json = serde_json::to_string(&set("a b")).unwrap();
        assert_eq!(json, "\"a b\"");
        assert_eq!(serde_json::from_str::<ScopeSet>(&json).unwrap(), set("b a"));
        assert!(serde_json::from_str::<ScopeSet>("[\"a\"]").is_err());
    }

    fn any_set() -> impl Strategy<Value = ScopeSet> {
        proptest::collection::vec("[a-f]", 0..6).prop_map(|v| ScopeSet::from_scopes(v).unwrap())
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_round_trips(text in "\\PC*") {
            if let Ok(set) = ScopeSet::parse(&text) {
                prop_assert_eq!(ScopeSet::parse(&set.to_string()).unwrap(), set);
            }
        }

        #[test]
        fn the_algebra_is_that_of_sets(a in any_set(), b in any_set()) {
            let both = a.intersection(&b);
            prop_assert!(both.is_subset(&a) && both.is_subset(&b));
            prop_assert_eq!(both.union(&a.difference(&b)), a.clone());
            prop_assert_eq!(a.union(&b), b.union(&a));
            prop_assert_eq!(a.is_subset(&b), a.difference(&b).is_empty());
            prop_assert_eq!(&both, &b.intersection(&a));
        }
    }
}
