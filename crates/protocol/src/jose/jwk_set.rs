//! JWK sets (RFC 7517 §5): the keys of one issuer or one client.

use serde_json::Value;

use super::{Algorithm, Jwk, JwkError, VerificationKey};
use crate::json::{self, JsonError};

/// Largest set that is read, in bytes.
pub const MAX_SET_BYTES: usize = 64 * 1024;
/// Most keys of a set, usable or not.
pub const MAX_SET_KEYS: usize = 64;
/// Deepest set: keys, one key, its `x5c`, with room for extensions.
const MAX_DEPTH: usize = 8;

/// The usable keys of a set, each prepared for verification.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    keys: Vec<VerificationKey>,
}

/// Why a whole set was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkSetError {
    /// More than [`MAX_SET_BYTES`] or [`MAX_SET_KEYS`].
    #[error("the key set is too large: at most {MAX_SET_KEYS} keys and {MAX_SET_BYTES} bytes")]
    TooLarge,
    /// Not JSON as we read it.
    #[error("the key set is not readable: {0}")]
    Json(#[from] JsonError),
    /// No `keys` array of objects.
    #[error("the key set has no \"keys\" array of objects")]
    NotAKeySet,
    /// It shows a private or symmetric key: nobody should trust its other keys either.
    #[error("the key set shows a private or symmetric key: publish public keys only")]
    NotPublic,
}

/// Why no key was selected for a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// No usable key has the token's `kid`; a newer set may have it.
    #[error("the issuer has no usable key with the kid of the token")]
    UnknownKid,
    /// The token names no key, and several fit.
    #[error("the token names no key and several keys of the issuer fit")]
    Ambiguous,
    /// No key fits the token's algorithm.
    #[error("the issuer has no key for the algorithm of the token")]
    NoUsableKey,
}

impl JwkSet {
    /// Reads a set. Keys that are not for the signatures we verify, or are malformed, are skipped
    /// (RFC 7517 §5); a set may turn out empty.
    ///
    /// # Errors
    /// [`JwkSetError`]; the set before this one, if any, stays the one to use.
    pub fn parse(bytes: &[u8]) -> Result<Self, JwkSetError> {
        if bytes.len() > MAX_SET_BYTES {
            return Err(JwkSetError::TooLarge);
        }
        let members = json::parse_object(bytes, MAX_DEPTH)?;
        let keys = members
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(JwkSetError::NotAKeySet)?;
        if keys.len() > MAX_SET_KEYS {
            return Err(JwkSetError::TooLarge);
        }
        let mut set = Self::default();
        for key in keys {
            match Jwk::parse(key.as_object().ok_or(JwkSetError::NotAKeySet)?) {
                Ok(jwk) => set.insert(&jwk),
                Err(JwkError::NotPublic) => return Err(JwkSetError::NotPublic),
                Err(JwkError::Unsupported | JwkError::Malformed) => {}
            }
        }
        Ok(set)
    }

    /// Collects keys that were read one by one, such as our own.
    #[must_use]
    pub fn from_keys<'a>(keys: impl IntoIterator<Item = &'a Jwk>) -> Self {
        let mut set = Self::default();
        for key in keys {
            set.insert(key);
        }
        set
    }

    fn insert(&mut self, jwk: &Jwk) {
        for algorithm in jwk.algorithms() {
            if let Ok(key) = jwk.verification_key(*algorithm)
                && !self.keys.iter().any(|own| own.is_same(&key))
            {
                self.keys.push(key);
            }
        }
    }

    /// The one key that may have signed a token with this `kid` and algorithm.
    ///
    /// With a `kid`, that key and no other; without, only where exactly one key fits: trying keys in
    /// turn would make every key of the set as strong as its weakest.
    ///
    /// # Errors
    /// [`SelectError`]; after [`SelectError::UnknownKid`] the set may be fetched again, within limits.
    pub fn select(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&VerificationKey, SelectError> {
        let named = |key: &&VerificationKey| kid.is_none() || key.kid() == kid;
        if kid.is_some() && !self.keys.iter().any(|key| named(&key)) {
            return Err(SelectError::UnknownKid);
        }
        let mut fitting = self
            .keys
            .iter()
            .filter(named)
            .filter(|key| key.algorithm() == algorithm);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(SelectError::Ambiguous),
            (None, _) => Err(SelectError::NoUsableKey),
        }
    }

    /// Whether no key of the set is usable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
