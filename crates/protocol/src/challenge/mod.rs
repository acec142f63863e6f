//! `WWW-Authenticate` challenges ([RFC 9110] §11.6.1): building ours, reading those of others.
//!
//! A challenge is one scheme with parameters. What is built here is always well-formed: values are
//! quoted and escaped, and cannot break out of the header. Reading accepts several challenges in
//! one header, quoted strings and any case of names, and refuses what has two meanings.
//!
//! [RFC 9110]: https://www.rfc-editor.org/rfc/rfc9110

use std::fmt;

mod parse;
mod refusal;

pub use parse::MalformedChallenge;
pub use refusal::Refusal;

/// One challenge of a `WWW-Authenticate` header. [`Display`](fmt::Display) is its wire form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Challenge {
    scheme: String,
    token68: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// A `Bearer` challenge without parameters (RFC 6750 §3).
    #[must_use]
    pub fn bearer() -> Self {
        Self::of("Bearer")
    }

    /// What a token endpoint answers to wrong `Basic` credentials (AS-56).
    #[must_use]
    pub fn basic(realm: &str) -> Self {
        Self::of("Basic")
            .with("realm", realm)
            .with("charset", "UTF-8")
    }

    fn of(scheme: &str) -> Self {
        Self {
            scheme: scheme.to_owned(),
            token68: None,
            parameters: Vec::new(),
        }
    }

    /// Adds a parameter. Characters that a header cannot carry become `?`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        let visible = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
        self.parameters
            .push((name.to_owned(), value.chars().map(visible).collect()));
        self
    }

    /// Reads every challenge of one header value.
    ///
    /// # Errors
    /// [`MalformedChallenge`] for anything outside the grammar, a parameter that is there twice, or
    /// a header beyond 8 KiB or 16 challenges.
    pub fn parse_all(header: &str) -> Result<Vec<Self>, MalformedChallenge> {
        parse::challenges(header)
    }

    /// The authentication scheme as it was written; compare with [`Challenge::is`].
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether this is a challenge of `scheme`, in any case.
    #[must_use]
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// A parameter's value without quotes; names compare in any case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut own = self.parameters.iter();
        own.find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The bare credentials some schemes send instead of parameters.
    #[must_use]
    pub fn token68(&self) -> Option<&str> {
        self.token68.as_deref()
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        if let Some(token68) = &self.token68 {
            write!(f, " {token68}")?;
        }
        for (index, (name, value)) in self.parameters.iter().enumerate() {
            let separator = if index == 0 { " " } else { ", " };
            write!(f, "{separator}{name}=\"")?;
            for c in value.chars() {
                if matches!(c, '"' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{c}")?;
            }
            f.write_str("\"")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_quoted_and_cannot_break_out() {
        let challenge = Challenge::bearer()
            .with("realm", "a\"b\\c\r\nX: y")
            .with("scope", "ä");
        assert_eq!(
            challenge.to_string(),
            r#"Bearer realm="a\"b\\c??X: y", scope="?""#
        );
    }

    #[test]
    fn basic_names_its_realm() {
        let header = Challenge::basic("symbolon").to_string();
        assert_eq!(header, "Basic realm=\"symbolon\", charset=\"UTF-8\"");
    }

    proptest! {
        #[test]
        fn what_is_built_is_read_back(values in proptest::collection::vec("\\PC{0,20}", 0..3)) {
            let names = ["realm", "scope", "error"];
            let challenge = names.into_iter().zip(&values)
                .fold(Challenge::bearer(), |challenge, (name, value)| challenge.with(name, value));
            let header = format!("{challenge}, {}", Challenge::basic("x"));
            let read = Challenge::parse_all(&header).unwrap();
            prop_assert_eq!(read, [challenge, Challenge::basic("x")]);
        }
    }
}
