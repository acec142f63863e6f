//! Key confirmation: which key the presenter of a token must hold ([RFC 7800], [RFC 9449] §6,
//! [RFC 8705] §3.1).
//!
//! [RFC 7800]: https://www.rfc-editor.org/rfc/rfc7800
//! [RFC 8705]: https://www.rfc-editor.org/rfc/rfc8705
//! [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use crate::digest::from_base64url;

/// The claim's name.
pub const CLAIM: &str = "cnf";

/// A `cnf` claim: exactly one way to bind a token to a key.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Confirmation {
    /// The RFC 7638 thumbprint of the DPoP key (`jkt`), 43 base64url characters.
    Jkt(String),
    /// The SHA-256 of the TLS client certificate (`x5t#S256`), 43 base64url characters.
    CertificateThumbprint(String),
}

/// Why a `cnf` claim cannot be honoured; the token must then be refused, because ignoring the claim
/// would turn a bound token into a bearer token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfirmationError {
    /// Not an object, or a thumbprint that is not base64url of 32 bytes.
    #[error("claim \"cnf\" is malformed")]
    Malformed,
    /// No member that we can check (requirements N-138).
    #[error("claim \"cnf\" has no member that is known here: use jkt or x5t#S256")]
    Unknown,
    /// Bound to a DPoP key and to a certificate (requirements ID-72).
    #[error("claim \"cnf\" has both jkt and x5t#S256")]
    Both,
}

impl Confirmation {
    /// Reads the value of a `cnf` claim. Members beside the known one are ignored (RFC 7800 §3.1).
    ///
    /// # Errors
    /// [`ConfirmationError`].
    pub fn parse(value: &Value) -> Result<Self, ConfirmationError> {
        let members = value.as_object().ok_or(ConfirmationError::Malformed)?;
        match (members.get("jkt"), members.get("x5t#S256")) {
            (None, None) => Err(ConfirmationError::Unknown),
            (Some(_), Some(_)) => Err(ConfirmationError::Both),
            (Some(jkt), None) => thumbprint(jkt).map(Self::Jkt),
            (None, Some(certificate)) => thumbprint(certificate).map(Self::CertificateThumbprint),
        }
    }
}

fn thumbprint(value: &Value) -> Result<String, ConfirmationError> {
    let text = value.as_str().ok_or(ConfirmationError::Malformed)?;
    match from_base64url(text) {
        Ok(bytes) if bytes.len() == 32 => Ok(text.to_owned()),
        _ => Err(ConfirmationError::Malformed),
    }
}

impl Serialize for Confirmation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(1))?;
        match self {
            Self::Jkt(jkt) => members.serialize_entry("jkt", jkt)?,
            Self::CertificateThumbprint(hash) => members.serialize_entry("x5t#S256", hash)?,
        }
        members.end()
    }
}

impl<'de> Deserialize<'de> for Confirmation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const THUMBPRINT: &str = "odZFPNXSWsONsoFpobwsJYpWUWtQlOw5Z-paEmAG1yQ";

    #[test]
    fn a_confirmation_reads_what_it_writes() {
        for value in [
            json!({ "jkt": THUMBPRINT }),
            json!({ "x5t#S256": THUMBPRINT }),
        ] {
            let confirmation = Confirmation::parse(&value).unwrap();
            assert_eq!(serde_json::to_value(confirmation).unwrap(), value);
        }
    }

    /// AS-106, ID-72, N-138.
    #[test]
    fn what_cannot_be_checked_is_refused() {
        let parse = |value| Confirmation::parse(&value).unwrap_err();
        assert_eq!(parse(json!({"kid": "a"})), ConfirmationError::Unknown);
        assert_eq!(parse(json!({})), ConfirmationError::Unknown);
        assert_eq!(parse(json!(null)), ConfirmationError::Malformed);
        assert_eq!(parse(json!({"jkt": "short"})), ConfirmationError::Malformed);
        assert_eq!(
            parse(json!({"jkt": [THUMBPRINT]})),
            ConfirmationError::Malformed
        );
        let both = json!({"jkt": THUMBPRINT, "x5t#S256": THUMBPRINT});
        assert_eq!(parse(both), ConfirmationError::Both);
    }
}
