//! The time window of a token: `iat`, `nbf`, `exp` (RFC 7519 §4.1), with the time passed in.

use std::time::Duration;

use super::claims::{ClaimError, Claims};
use crate::time::Timestamp;

/// How far the clock of another party may differ from ours (requirements AS-99).
pub const LEEWAY: Duration = Duration::from_secs(30);

/// The times of one token, read but not yet compared with the clock.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    issued_at: Timestamp,
    not_before: Option<Timestamp>,
    expires_at: Timestamp,
}

/// Why a token is not valid now.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidityError {
    /// A time is missing or not a number.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// `exp` has passed.
    #[error("expired at {expired_at}")]
    Expired {
        /// The time in `exp`.
        expired_at: Timestamp,
    },
    /// `iat` lies in the future: the clocks differ, or the token was prepared for later.
    #[error("issued in the future, at {issued_at}")]
    IssuedInFuture {
        /// The time in `iat`.
        issued_at: Timestamp,
    },
    /// `nbf` lies in the future.
    #[error("not valid before {not_before}")]
    NotYetValid {
        /// The time in `nbf`.
        not_before: Timestamp,
    },
    /// `auth_time` lies in the future: it would look fresh for too long.
    #[error("authenticated in the future, at {auth_time}")]
    AuthenticatedInFuture {
        /// The time in `auth_time`.
        auth_time: Timestamp,
    },
    /// From `iat` to `exp` is longer than allowed, or no time at all.
    #[error("valid for {} s, allowed are 1 to {} s", lifetime.as_secs(), limit.as_secs())]
    Lifetime {
        /// From `iat` to `exp`, zero if they are reversed.
        lifetime: Duration,
        /// The most that is allowed.
        limit: Duration,
    },
}

impl Validity {
    /// Reads `iat`, `exp` and, if it is there, `nbf`.
    ///
    /// # Errors
    /// [`ClaimError`] if one is missing or no number of seconds.
    pub fn read(claims: Claims<'_>) -> Result<Self, ClaimError> {
        Ok(Self {
            issued_at: claims.time("iat")?,
            not_before: claims.optional_time("nbf")?,
            expires_at: claims.time("exp")?,
        })
    }

    /// Checks that the token is valid at `now`, by a clock that may be `leeway` off.
    ///
    /// # Errors
    /// [`ValidityError::Expired`], [`ValidityError::IssuedInFuture`] or
    /// [`ValidityError::NotYetValid`].
    pub fn check(self, now: Timestamp, leeway: Duration) -> Result<Self, ValidityError> {
        let latest = now.plus(leeway);
        if now >= self.expires_at.plus(leeway) {
            return Err(ValidityError::Expired {
                expired_at: self.expires_at,
            });
        }
        if self.issued_at > latest {
            return Err(ValidityError::IssuedInFuture {
                issued_at: self.issued_at,
            });
        }
        match self.not_before {
            Some(not_before) if not_before > latest => {
                Err(ValidityError::NotYetValid { not_before })
            }
            _ => Ok(self),
        }
    }

    /// Checks that the token was made for a limited time.
    ///
    /// # Errors
    /// [`ValidityError::Lifetime`].
    pub fn check_lifetime(self, limit: Duration) -> Result<Self, ValidityError> {
        let lifetime = self.expires_at.since(self.issued_at);
        if lifetime.is_zero() || lifetime > limit {
            return Err(ValidityError::Lifetime { lifetime, limit });
        }
        Ok(self)
    }

    /// The time in `iat`.
    #[must_use]
    pub const fn issued_at(self) -> Timestamp {
        self.issued_at
    }

    /// The time in `exp`.
    #[must_use]
    pub const fn expires_at(self) -> Timestamp {
        self.expires_at
    }
}

/// Reads `auth_time`: when the person last proved who they are.
///
/// # Errors
/// [`ValidityError::AuthenticatedInFuture`], or the claim is no number of seconds.
pub fn auth_time(claims: Claims<'_>, now: Timestamp) -> Result<Option<Timestamp>, ValidityError> {
    match claims.optional_time("auth_time")? {
        Some(auth_time) if auth_time > now.plus(LEEWAY) => {
            Err(ValidityError::AuthenticatedInFuture { auth_time })
        }
        auth_time => Ok(auth_time),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_795_201_200;

    fn check(claims: Value) -> Result<Validity, ValidityError> {
        let Value::Object(members) = claims else {
            unreachable!("an object")
        };
        let now = Timestamp::from_unix_seconds(NOW);
        Validity::read(Claims::new(&members))?
            .check(now, LEEWAY)?
            .check_lifetime(Duration::from_secs(300))
    }

    /// AS-99: 30 s either way, and not one second more.
    #[test]
    fn the_leeway_is_thirty_seconds() {
        assert!(check(json!({"iat": NOW + 30, "exp": NOW + 60})).is_ok());
        assert!(check(json!({"iat": NOW + 31, "exp": NOW + 60})).is_err());
        assert!(check(json!({"iat": NOW - 60, "exp": NOW - 29})).is_ok());
        assert!(check(json!({"iat": NOW - 60, "exp": NOW - 30})).is_err());
        assert!(check(json!({"iat": NOW, "nbf": NOW + 30, "exp": NOW + 60})).is_ok());
        assert!(check(json!({"iat": NOW, "nbf": NOW + 31, "exp": NOW + 60})).is_err());
    }

    /// AS-99, N-125.
    #[test]
    fn the_lifetime_has_a_limit_and_a_direction() {
        assert!(check(json!({"iat": NOW, "exp": NOW + 300})).is_ok());
        assert!(check(json!({"iat": NOW, "exp": NOW + 301})).is_err());
        assert!(check(json!({"iat": NOW + 10, "exp": NOW + 10})).is_err());
        assert!(check(json!({"iat": NOW + 10, "exp": NOW + 5})).is_err());
    }
}
