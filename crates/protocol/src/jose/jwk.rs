//! Public JSON Web Keys ([RFC 7517], [RFC 8037]) and their thumbprints ([RFC 7638]).
//!
//! **Deviation:** leading zero bytes of an RSA modulus or exponent are dropped instead of refused,
//! because some issuers write them; the thumbprint is that of the form without.
//!
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
//! [RFC 8037]: https://www.rfc-editor.org/rfc/rfc8037

use serde_json::{Map, Value, json};

use super::material::{Material, text};
use super::{Algorithm, VerificationKey};
use crate::digest::{base64url, sha256};

/// Members that only a private or symmetric key has (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key of a kind that [`Algorithm`] knows, meant for signatures.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Jwk {
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    material: Material,
}

/// Why a JWK is not a key we can verify with.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkError {
    /// It holds private or symmetric key material: whoever published it has lost it.
    #[error("the key is private or symmetric: publish public keys only")]
    NotPublic,
    /// Its type, curve, algorithm or use is not for the signatures we verify.
    #[error("the key is not for a signature algorithm that is accepted here")]
    Unsupported,
    /// A member is missing, of a wrong form or out of range.
    #[error("the key is malformed")]
    Malformed,
}

impl Jwk {
    /// Reads one key.
    ///
    /// # Errors
    /// [`JwkError`]; a reader of a set skips what is unsupported or malformed (RFC 7517 §5).
    pub fn parse(members: &Map<String, Value>) -> Result<Self, JwkError> {
        let kty = text(members, "kty")?;
        if kty == "oct"
            || PRIVATE_MEMBERS
                .iter()
                .any(|name| members.contains_key(*name))
        {
            return Err(JwkError::NotPublic);
        }
        if !is_for_signatures(members) {
            return Err(JwkError::Unsupported);
        }
        let material = Material::parse(kty, members)?;
        let key = Self {
            kid: optional_text(members, "kid")?,
            algorithm: None,
            material,
        };
        match optional_text(members, "alg")? {
            None => Ok(key),
            Some(name) => key.for_algorithm(name.parse().map_err(|_| JwkError::Unsupported)?),
        }
    }

    /// A key we made.
    pub(super) const fn new(kid: String, algorithm: Algorithm, material: Material) -> Self {
        Self {
            kid: Some(kid),
            algorithm: Some(algorithm),
            material,
        }
    }

    fn for_algorithm(self, algorithm: Algorithm) -> Result<Self, JwkError> {
        if self.material.algorithms().contains(&algorithm) {
            Ok(Self {
                algorithm: Some(algorithm),
                ..self
            })
        } else {
            Err(JwkError::Unsupported)
        }
    }

    /// The key's name in its set.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithms the key may be used with: the one it names, or those its numbers fit.
    #[must_use]
    pub fn algorithms(&self) -> &[Algorithm] {
        match &self.algorithm {
            Some(algorithm) => std::slice::from_ref(algorithm),
            None => self.material.algorithms(),
        }
    }

    /// Prepares the key for verifying signatures of one algorithm.
    ///
    /// # Errors
    /// [`JwkError::Unsupported`] if the key is not for `algorithm`, [`JwkError::Malformed`] if its
    /// numbers are no key, such as a point that is not on the curve.
    pub fn verification_key(&self, algorithm: Algorithm) -> Result<VerificationKey, JwkError> {
        if !self.algorithms().contains(&algorithm) {
            return Err(JwkError::Unsupported);
        }
        VerificationKey::new(self.kid.clone(), algorithm, &self.material)
    }

    /// The RFC 7638 thumbprint with SHA-256, base64url: the `jkt` of a key-bound token.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // RFC 7638 §3.2: the required members in lexicographic order, without space.
        let canonical = match &self.material {
            Material::Ec { curve, x, y } => format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                curve.name(),
                base64url(x),
                base64url(y)
            ),
            Material::Ed25519 { x } => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url(x))
            }
            Material::Rsa { n, e } => {
                format!(
                    r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
                    base64url(e),
                    base64url(n)
                )
            }
        };
        base64url(&sha256(canonical.as_bytes()))
    }

    /// The key as a member of a JWK set, with `use`, and `kid` and `alg` where it has them.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut key = match &self.material {
            Material::Ec { curve, x, y } => json!({
                "kty": "EC", "crv": curve.name(), "x": base64url(x), "y": base64url(y),
            }),
            Material::Ed25519 { x } => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(x)})
            }
            Material::Rsa { n, e } => json!({"kty": "RSA", "n": base64url(n), "e": base64url(e)}),
        };
        key["use"] = "sig".into();
        if let Some(kid) = &self.kid {
            key["kid"] = kid.as_str().into();
        }
        if let Some(algorithm) = self.algorithm {
            key["alg"] = algorithm.as_str().into();
        }
        key
    }
}

fn is_for_signatures(members: &Map<String, Value>) -> bool {
    let used_to_sign = members.get("use").is_none_or(|value| value == "sig");
    let may_verify = members.get("key_ops").is_none_or(|operations| {
        operations
            .as_array()
            .is_some_and(|list| list.iter().any(|one| one == "verify"))
    });
    used_to_sign && may_verify
}

fn optional_text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, JwkError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JwkError::Malformed),
    }
}
