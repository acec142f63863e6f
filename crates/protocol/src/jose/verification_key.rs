//! A public key that is ready to verify signatures.
//!
//! The key is parsed once, when its set is read; a verification then costs the signature arithmetic
//! and nothing else.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    VerificationAlgorithm,
};

use super::material::{Curve, Material};
use super::{Algorithm, JwkError};

/// A prepared public key for one algorithm; cheap to share, safe to use from many threads.
#[derive(Clone, Debug)]
pub struct VerificationKey {
    kid: Option<String>,
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

/// The signature is not one of this key over this message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

impl VerificationKey {
    pub(super) fn new(
        kid: Option<String>,
        algorithm: Algorithm,
        material: &Material,
    ) -> Result<Self, JwkError> {
        let key = match (material, algorithm) {
            (
                Material::Ec {
                    curve: Curve::P256,
                    x,
                    y,
                },
                Algorithm::Es256,
            ) => point(&ECDSA_P256_SHA256_FIXED, x, y),
            (
                Material::Ec {
                    curve: Curve::P384,
                    x,
                    y,
                },
                Algorithm::Es384,
            ) => point(&ECDSA_P384_SHA384_FIXED, x, y),
            (Material::Ed25519 { x }, Algorithm::EdDsa) => ParsedPublicKey::new(&ED25519, x).ok(),
            (Material::Rsa { n, e }, Algorithm::Rs256) => RsaPublicKeyComponents { n, e }
                .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
                .ok(),
            (Material::Rsa { n, e }, Algorithm::Ps256) => RsaPublicKeyComponents { n, e }
                .to_parsed_public_key(&RSA_PSS_2048_8192_SHA256)
                .ok(),
            _ => return Err(JwkError::Unsupported),
        };
        Ok(Self {
            kid,
            algorithm,
            key: key.ok_or(JwkError::Malformed)?,
        })
    }

    /// The key's name in its set.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one algorithm it verifies.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Checks a signature in its JWS form: `R || S` for ECDSA (RFC 7518 §3.4).
    ///
    /// # Errors
    /// [`BadSignature`], also for a signature of a wrong length.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        self.key
            .verify_sig(message, signature)
            .map_err(|_| BadSignature)
    }

    /// Whether both are the same key for the same algorithm under the same name.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.kid == other.kid
            && self.algorithm == other.algorithm
            && self.key.as_ref() == other.key.as_ref()
    }
}

fn point(
    algorithm: &'static dyn VerificationAlgorithm,
    x: &[u8],
    y: &[u8],
) -> Option<ParsedPublicKey> {
    // SEC 1 §2.3.4: 4 says that both coordinates follow.
    ParsedPublicKey::new(algorithm, [&[4], x, y].concat()).ok()
}
