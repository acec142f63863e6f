//! The JOSE header of a signed token (RFC 7515 §4).

use serde_json::{Map, Value};

use super::{Algorithm, JwtError};
use crate::json;

/// Largest header that is read, in bytes of JSON.
const MAX_BYTES: usize = 2048;
/// Deepest header: a `jwk` member with an `x5c` in it.
const MAX_DEPTH: usize = 4;

/// A header whose form was checked; until the signature verifies, what it says is a claim of anybody.
#[derive(Clone, Debug)]
pub struct Header {
    algorithm: Algorithm,
    members: Map<String, Value>,
}

impl Header {
    /// Reads the decoded header of a compact token.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, JwtError> {
        if bytes.len() > MAX_BYTES {
            return Err(JwtError::TooLarge);
        }
        let members = json::parse_object(bytes, MAX_DEPTH).map_err(JwtError::MalformedHeader)?;
        // Critical members change what a signature means (RFC 7515 §4.1.11). We understand none.
        if members.contains_key("crit") || members.contains_key("b64") {
            return Err(JwtError::CriticalHeader);
        }
        if members.contains_key("enc") || members.contains_key("zip") {
            return Err(JwtError::Encrypted);
        }
        for name in ["typ", "kid"] {
            if members.get(name).is_some_and(|value| !value.is_string()) {
                return Err(JwtError::HeaderMember(name));
            }
        }
        let algorithm = members.get("alg").and_then(Value::as_str);
        let algorithm = algorithm.ok_or(JwtError::HeaderMember("alg"))?.parse()?;
        Ok(Self { algorithm, members })
    }

    /// The algorithm the token says it is signed with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The type as it is written.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.text("typ")
    }

    /// Which key the token says it is signed with.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.text("kid")
    }

    /// Whether the type is `expected`, in any case and with or without `application/` before it
    /// (RFC 7515 §4.1.9, requirements AS-93). A token without a type has no type.
    #[must_use]
    pub fn has_type(&self, expected: &str) -> bool {
        self.typ()
            .is_some_and(|typ| bare_type(typ).eq_ignore_ascii_case(expected))
    }

    /// Any other member.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }
}

fn bare_type(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => typ,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<Header, JwtError> {
        Header::parse(text.as_bytes())
    }

    /// AS-93.
    #[test]
    fn a_type_is_compared_without_case_and_prefix() {
        let typed = |typ: &str| header(&format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#)).unwrap();
        for typ in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/At+Jwt",
        ] {
            assert!(typed(typ).has_type("at+jwt"), "{typ}");
        }
        for typ in [
            "",
            "jwt",
            "at+jwt ",
            "application/",
            "application/application/at+jwt",
        ] {
            assert!(!typed(typ).has_type("at+jwt"), "{typ}");
        }
        assert!(!header(r#"{"alg":"ES256"}"#).unwrap().has_type("at+jwt"));
    }

    /// RFC 7515 §4.1.11, RFC 7797.
    #[test]
    fn critical_members_are_refused() {
        for members in [
            r#""crit":["exp"]"#,
            r#""crit":[]"#,
            r#""b64":false"#,
            r#""b64":true"#,
        ] {
            let result = header(&format!(r#"{{"alg":"ES256",{members}}}"#));
            assert!(matches!(result, Err(JwtError::CriticalHeader)), "{members}");
        }
    }

    #[test]
    fn a_header_without_a_form_is_refused() {
        for text in [
            r"{}",
            r#"{"alg":1}"#,
            r#"{"alg":"ES256","typ":1}"#,
            r#"{"alg":"ES256","kid":null}"#,
            r#"{"alg":"none"}"#,
            r#"{"alg":"ES256","alg":"ES256"}"#,
            r#"["alg"]"#,
            r#"{"alg":"ES256","enc":"A128GCM"}"#,
        ] {
            assert!(header(text).is_err(), "{text}");
        }
        let long = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "x".repeat(MAX_BYTES));
        assert!(matches!(header(&long), Err(JwtError::TooLarge)));
    }
}
