//! The signature algorithms that exist here ([RFC 7518] §3.1, [RFC 8037] §3.1).
//!
//! [RFC 7518]: https://www.rfc-editor.org/rfc/rfc7518
//! [RFC 8037]: https://www.rfc-editor.org/rfc/rfc8037

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A signature algorithm; all of them are asymmetric (requirements AS-94, Q-27).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256; what we sign with unless told otherwise.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// Ed25519. Also read under its newer name `Ed25519` (RFC 9864 §2.2).
    EdDsa,
    /// RSASSA-PSS with SHA-256, 2048 to 8192 bits.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 to 8192 bits.
    Rs256,
}

/// A name that is not on the list of [`Algorithm`]; notably `none` and `HS256`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an accepted signature algorithm: use ES256, ES384, EdDSA, PS256 or RS256")]
pub struct UnsupportedAlgorithm;

impl Algorithm {
    /// Every algorithm, as metadata documents list them.
    pub const ALL: [Self; 5] = [
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
        Self::Ps256,
        Self::Rs256,
    ];

    /// The `alg` value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = UnsupportedAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnsupportedAlgorithm> {
        if name == "Ed25519" {
            return Ok(Self::EdDsa);
        }
        let known = Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name);
        known.ok_or(UnsupportedAlgorithm)
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AS-94, N-114.
    #[test]
    fn neither_none_nor_hmac_is_an_algorithm() {
        for name in [
            "none", "None", "HS256", "HS384", "HS512", "RS512", "es256", "",
        ] {
            assert_eq!(
                name.parse::<Algorithm>(),
                Err(UnsupportedAlgorithm),
                "{name}"
            );
        }
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
        }
    }
}
