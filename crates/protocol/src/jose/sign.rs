//! Our own signing keys and the tokens they sign.
//!
//! A key is parsed once and kept ready; a signature then costs the arithmetic and nothing else. The
//! private part leaves a [`SigningKey`] never; it is generated as PKCS#8 so that storage can seal it.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
    RsaKeyPair,
};
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::material::{Curve, Material};
use super::{Algorithm, Jwk, JwkError};
use crate::digest::base64url;
use crate::ids::KeyId;

/// A private key that is ready to sign tokens; its `Debug` shows the public part only.
pub struct SigningKey {
    kid: KeyId,
    algorithm: Algorithm,
    pair: Pair,
    public: Jwk,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

/// Why a key could not be made, read or used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The system could not generate a key.
    #[error("the key could not be generated")]
    NotGenerated,
    /// The bytes are not PKCS#8 of a key for the algorithm.
    #[error("the bytes are not a PKCS#8 key for {0}")]
    NotAKey(Algorithm),
    /// The claims are not a JSON object.
    #[error("the claims cannot be written as JSON")]
    Claims,
    /// The signature arithmetic failed.
    #[error("the signature could not be made")]
    NotSigned,
}

/// What we write into a header, in this order.
#[derive(Serialize)]
struct OwnHeader<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

impl SigningKey {
    /// Makes a key and returns it as PKCS#8, to be sealed and read by [`SigningKey::from_pkcs8`].
    /// RSA keys have 2048 bits and take about a second.
    ///
    /// # Errors
    /// [`SigningError::NotGenerated`].
    pub fn generate(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, SigningError> {
        let der: Pkcs8V1Der<'_> = match algorithm {
            Algorithm::Es256 => return generate_ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => return generate_ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::EdDsa => Ed25519KeyPair::generate().and_then(|pair| pair.as_der()),
            Algorithm::Ps256 | Algorithm::Rs256 => {
                RsaKeyPair::generate(KeySize::Rsa2048).and_then(|pair| pair.as_der())
            }
        }
        .map_err(|_| SigningError::NotGenerated)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// Prepares a key.
    ///
    /// # Errors
    /// [`SigningError::NotAKey`].
    pub fn from_pkcs8(
        algorithm: Algorithm,
        kid: KeyId,
        pkcs8: &[u8],
    ) -> Result<Self, SigningError> {
        let pair = Pair::from_pkcs8(algorithm, pkcs8);
        let pair = pair.ok_or(SigningError::NotAKey(algorithm))?;
        let material = pair
            .material()
            .map_err(|_| SigningError::NotAKey(algorithm))?;
        let public = Jwk::new(kid.to_string(), algorithm, material);
        Ok(Self {
            kid,
            algorithm,
            pair,
            public,
        })
    }

    /// The key's name.
    #[must_use]
    pub const fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// The algorithm it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public part.
    #[must_use]
    pub const fn jwk(&self) -> &Jwk {
        &self.public
    }

    /// The public part as a member of a JWK set, with `kid`, `alg` and `use`.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        self.public.to_json()
    }

    /// Signs `claims` as a token of type `typ`, in compact form.
    ///
    /// # Errors
    /// [`SigningError::Claims`] or [`SigningError::NotSigned`].
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, SigningError> {
        let header = OwnHeader {
            alg: self.algorithm.as_str(),
            typ,
            kid: self.kid.as_str(),
        };
        let header = serde_json::to_vec(&header).map_err(|_| SigningError::Claims)?;
        let claims = serde_json::to_vec(claims).map_err(|_| SigningError::Claims)?;
        let mut token = format!("{}.{}", base64url(&header), base64url(&claims));
        let signature = self
            .pair
            .sign(token.as_bytes())
            .ok_or(SigningError::NotSigned)?;
        token.push('.');
        token.push_str(&base64url(&signature));
        Ok(token)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public).finish()
    }
}

impl Pair {
    fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Option<Self> {
        let ecdsa = |curve| EcdsaKeyPair::from_pkcs8(curve, pkcs8).ok().map(Self::Ecdsa);
        let rsa = |encoding| {
            RsaKeyPair::from_pkcs8(pkcs8)
                .ok()
                .map(|pair| Self::Rsa(pair, encoding))
        };
        match algorithm {
            Algorithm::Es256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
                .ok()
                .map(Self::Ed25519),
            Algorithm::Ps256 => rsa(&RSA_PSS_SHA256),
            Algorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
        }
    }

    fn material(&self) -> Result<Material, JwkError> {
        match self {
            Self::Ecdsa(pair) => {
                let is_p256 = pair.algorithm() == &ECDSA_P256_SHA256_FIXED_SIGNING;
                let curve = if is_p256 { Curve::P256 } else { Curve::P384 };
                let point = pair.public_key().as_ref();
                // SEC 1 §2.3.3: one byte that says "uncompressed", then both coordinates.
                let (x, y) = point[1..].split_at(curve.bytes());
                Ok(Material::Ec {
                    curve,
                    x: x.to_vec(),
                    y: y.to_vec(),
                })
            }
            Self::Ed25519(pair) => Ok(Material::Ed25519 {
                x: pair.public_key().as_ref().to_vec(),
            }),
            Self::Rsa(pair, _) => {
                let public = pair.public_key();
                Material::rsa(
                    public.modulus().big_endian_without_leading_zero(),
                    public.exponent().big_endian_without_leading_zero(),
                )
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(pair) => pair
                .sign(&random, message)
                .ok()
                .map(|s| s.as_ref().to_vec()),
            Self::Ed25519(pair) => pair.try_sign(message).ok().map(|s| s.as_ref().to_vec()),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)
                    .ok()
                    .map(|()| signature)
            }
        }
    }
}

fn generate_ecdsa(
    curve: &'static EcdsaSigningAlgorithm,
) -> Result<Zeroizing<Vec<u8>>, SigningError> {
    let document = EcdsaKeyPair::generate_pkcs8(curve, &SystemRandom::new());
    let document = document.map_err(|_| SigningError::NotGenerated)?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}
