//! The numbers of a public key, read from and checked against RFC 7518 §6 and RFC 8037 §2.

use serde_json::{Map, Value};

use super::{Algorithm, JwkError};
use crate::digest::from_base64url;

/// The numbers of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Material {
    Ec {
        curve: Curve,
        x: Vec<u8>,
        y: Vec<u8>,
    },
    Ed25519 {
        x: Vec<u8>,
    },
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

/// A curve of ECDSA.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Curve {
    P256,
    P384,
}

impl Material {
    /// Reads the members that `kty` calls for.
    pub(super) fn parse(kty: &str, members: &Map<String, Value>) -> Result<Self, JwkError> {
        let bytes = |name, len| fixed(members, name, len);
        match kty {
            "EC" => {
                let curve = Curve::parse(text(members, "crv")?)?;
                let (x, y) = (bytes("x", curve.bytes())?, bytes("y", curve.bytes())?);
                Ok(Self::Ec { curve, x, y })
            }
            "OKP" if text(members, "crv")? == "Ed25519" => Ok(Self::Ed25519 { x: bytes("x", 32)? }),
            "RSA" => Self::rsa(&decoded(members, "n")?, &decoded(members, "e")?),
            _ => Err(JwkError::Unsupported),
        }
    }

    /// Requirements Q-27: at least 2048 bits. The exponent is odd, more than 1 and at most 32 bits:
    /// a huge one makes each verification a burden.
    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Result<Self, JwkError> {
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        let bits = n
            .first()
            .map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
        let odd = e.last().is_some_and(|last| last & 1 == 1);
        if !(2048..=8192).contains(&bits) || e.len() > 4 || e == [1] || !odd {
            return Err(JwkError::Malformed);
        }
        Ok(Self::Rsa {
            n: n.to_vec(),
            e: e.to_vec(),
        })
    }

    /// The algorithms these numbers fit.
    pub(super) const fn algorithms(&self) -> &'static [Algorithm] {
        match self {
            Self::Ec {
                curve: Curve::P256, ..
            } => &[Algorithm::Es256],
            Self::Ec {
                curve: Curve::P384, ..
            } => &[Algorithm::Es384],
            Self::Ed25519 { .. } => &[Algorithm::EdDsa],
            Self::Rsa { .. } => &[Algorithm::Rs256, Algorithm::Ps256],
        }
    }
}

impl Curve {
    fn parse(name: &str) -> Result<Self, JwkError> {
        let known = [Self::P256, Self::P384]
            .into_iter()
            .find(|curve| curve.name() == name);
        known.ok_or(JwkError::Unsupported)
    }

    /// The `crv` value.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// Bytes of one coordinate.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

/// A required member that is a string.
pub(super) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, JwkError> {
    members
        .get(name)
        .and_then(Value::as_str)
        .ok_or(JwkError::Malformed)
}

fn decoded(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, JwkError> {
    from_base64url(text(members, name)?).map_err(|_| JwkError::Malformed)
}

fn fixed(members: &Map<String, Value>, name: &str, len: usize) -> Result<Vec<u8>, JwkError> {
    let bytes = decoded(members, name)?;
    if bytes.len() == len {
        Ok(bytes)
    } else {
        Err(JwkError::Malformed)
    }
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let start = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len());
    &bytes[start..]
}
