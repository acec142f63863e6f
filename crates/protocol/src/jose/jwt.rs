//! Signed tokens in compact form (RFC 7515 §7.1, RFC 7519 §7.2), before and after verification.

use serde_json::{Map, Value};

use super::claims::Claims;
use super::{
    Algorithm, BadSignature, Header, JwkSet, SelectError, UnsupportedAlgorithm, VerificationKey,
};
use crate::digest::from_base64url;
use crate::json::{self, JsonError};

/// Largest token that is read, in bytes of its compact form.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// Deepest claims.
const MAX_DEPTH: usize = 16;

/// A token that has the form of a signed JWT. Nothing it says may be believed yet.
#[derive(Clone, Debug)]
pub struct UnverifiedJwt<'a> {
    signing_input: &'a str,
    header: Header,
    claims: Map<String, Value>,
    signature: Vec<u8>,
}

/// A token whose signature verified with a key of the caller's choice. What its claims must be is
/// not checked yet: that is for the module of its type.
#[derive(Clone, Debug)]
pub struct VerifiedJwt {
    header: Header,
    claims: Map<String, Value>,
}

/// Why a token was not accepted as a signed JWT.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// Larger than 16 KiB, or its header larger than 2 KiB.
    #[error("the token is too large: at most {MAX_TOKEN_BYTES} bytes")]
    TooLarge,
    /// Not three base64url parts with dots between them.
    #[error("not a JWT in compact form")]
    NotCompact,
    /// An encrypted token (JWE).
    #[error("encrypted or compressed tokens are not accepted")]
    Encrypted,
    /// The header is not a JSON object as we read it.
    #[error("the header is not readable: {0}")]
    MalformedHeader(JsonError),
    /// The claims are not a JSON object as we read it.
    #[error("the claims are not readable: {0}")]
    MalformedClaims(JsonError),
    /// A header member is missing or not a string.
    #[error("header member {0:?} is missing or not a string")]
    HeaderMember(&'static str),
    /// `alg` is not on the list, for example `none` or `HS256`.
    #[error("alg is {0}")]
    Algorithm(#[from] UnsupportedAlgorithm),
    /// `crit` or `b64` is there.
    #[error("critical header members are not accepted")]
    CriticalHeader,
    /// No key to verify with; see [`SelectError::UnknownKid`].
    #[error(transparent)]
    Key(#[from] SelectError),
    /// The signature is wrong, or the key is for another algorithm.
    #[error(transparent)]
    BadSignature(#[from] BadSignature),
}

impl JwtError {
    /// Whether the token was not read because of its size or depth: `invalid_request` rather than
    /// `invalid_grant` (requirements N-149).
    #[must_use]
    pub const fn is_oversized(self) -> bool {
        matches!(
            self,
            Self::TooLarge
                | Self::MalformedHeader(JsonError::TooDeep)
                | Self::MalformedClaims(JsonError::TooDeep)
        )
    }
}

impl<'a> UnverifiedJwt<'a> {
    /// Reads the compact form.
    ///
    /// # Errors
    /// [`JwtError`]: every variant but those about keys and signatures.
    pub fn parse(text: &'a str) -> Result<Self, JwtError> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(JwtError::TooLarge);
        }
        let parts: Vec<&str> = text.splitn(6, '.').collect();
        let [header, claims, signature] = parts[..] else {
            let encrypted = parts.len() == 5;
            return Err(if encrypted {
                JwtError::Encrypted
            } else {
                JwtError::NotCompact
            });
        };
        let decoded = |part| from_base64url(part).map_err(|_| JwtError::NotCompact);
        Ok(Self {
            signing_input: &text[..header.len() + 1 + claims.len()],
            header: Header::parse(&decoded(header)?)?,
            claims: json::parse_object(&decoded(claims)?, MAX_DEPTH)
                .map_err(JwtError::MalformedClaims)?,
            signature: decoded(signature)?,
        })
    }

    /// The header, as whoever sent the token wrote it.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The type as it is written.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.header.typ()
    }

    /// Whether the header says this type; see [`Header::has_type`].
    #[must_use]
    pub fn has_type(&self, expected: &str) -> bool {
        self.header.has_type(expected)
    }

    /// Which key the header names.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid()
    }

    /// Which algorithm the header names.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.header.algorithm()
    }

    /// A claim that is a string, as whoever sent the token wrote it: good for finding the row whose
    /// keys decide, never for anything else.
    #[must_use]
    pub fn unverified_claim_str(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// Verifies the signature with the one key of `keys` that fits the header.
    ///
    /// # Errors
    /// [`JwtError::Key`] or [`JwtError::BadSignature`].
    pub fn verify(&self, keys: &JwkSet) -> Result<VerifiedJwt, JwtError> {
        self.verify_with(keys.select(self.header.kid(), self.header.algorithm())?)
    }

    /// Verifies the signature with a key that was chosen without the header's `kid`.
    ///
    /// # Errors
    /// [`JwtError::BadSignature`], also if the key is for another algorithm than the header says.
    pub fn verify_with(&self, key: &VerificationKey) -> Result<VerifiedJwt, JwtError> {
        if key.algorithm() != self.header.algorithm() {
            return Err(BadSignature.into());
        }
        key.verify(self.signing_input.as_bytes(), &self.signature)?;
        Ok(VerifiedJwt {
            header: self.header.clone(),
            claims: self.claims.clone(),
        })
    }
}

impl VerifiedJwt {
    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The type as it is written.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.header.typ()
    }

    /// Whether the header says this type; see [`Header::has_type`].
    #[must_use]
    pub fn has_type(&self, expected: &str) -> bool {
        self.header.has_type(expected)
    }

    /// The claims, to be read one by one.
    #[must_use]
    pub const fn claims(&self) -> Claims<'_> {
        Claims::new(&self.claims)
    }
}
