//! Client assertions: `private_key_jwt` ([RFC 7523] §3, requirements AS-52 to AS-55).
//!
//! **Deviation:** `aud` must be our issuer identifier as a lone string, although RFC 7523 also names
//! the token endpoint and permits arrays: either lets one server use at another what it was sent (ADR 0008).
//!
//! [RFC 7523]: https://www.rfc-editor.org/rfc/rfc7523

use std::time::Duration;

use crate::ids::ClientId;
use crate::issuer::Issuer;
use crate::jose::VerifiedJwt;
use crate::jose::claims::{ClaimError, excerpt};
pub use crate::jose::validity::LEEWAY;
use crate::jose::validity::{Validity, ValidityError};
use crate::time::Timestamp;

/// The explicit type; `JWT` and none at all are accepted too (requirements AS-53).
pub const TYP: &str = "client-authentication+jwt";

/// The longest that an assertion may be valid: how long its `jti` must be remembered.
pub const MAX_LIFETIME: Duration = Duration::from_secs(600);

/// An assertion with which a client proved who it is. The caller uses its `jti` up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientAssertion {
    /// Its name, unique for this client.
    pub jti: String,
    /// When it ends; remember `jti` until [`LEEWAY`] later.
    pub expires_at: Timestamp,
}

/// Why a client assertion was not accepted; over the wire all of them are `invalid_client`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientAssertionError {
    /// The header says the type of another kind of token.
    #[error("typ is {found:?}, expected {TYP:?}, \"JWT\" or none")]
    WrongType {
        /// What it says.
        found: Option<String>,
    },
    /// `iss` or `sub` is not the client.
    #[error("{claim} is {found:?}, expected the client id")]
    WrongClient {
        /// Which of the two.
        claim: &'static str,
        /// What it says.
        found: String,
    },
    /// `aud` is not our issuer identifier as a lone string.
    #[error("aud must be the issuer identifier of this server, as a lone string")]
    WrongAudience,
    /// A claim is missing or of a wrong type.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// It is not valid now, or was made for too long.
    #[error(transparent)]
    Validity(#[from] ValidityError),
}

/// Checks every claim of an assertion whose signature verified with a key of the client.
///
/// # Errors
/// [`ClientAssertionError`] names the first rule that is broken.
pub fn verify(
    jwt: &VerifiedJwt,
    audience: &Issuer,
    client_id: &ClientId,
    now: Timestamp,
) -> Result<ClientAssertion, ClientAssertionError> {
    if jwt.typ().is_some() && !jwt.has_type("JWT") && !jwt.has_type(TYP) {
        return Err(ClientAssertionError::WrongType {
            found: jwt.typ().map(excerpt),
        });
    }
    let claims = jwt.claims();
    for claim in ["iss", "sub"] {
        let found = claims.text(claim)?;
        if found != client_id.as_str() {
            return Err(ClientAssertionError::WrongClient {
                claim,
                found: excerpt(found),
            });
        }
    }
    let found = claims
        .value("aud")
        .ok_or(ClaimError::Missing { claim: "aud" })?;
    if found != audience.as_str() {
        return Err(ClientAssertionError::WrongAudience);
    }
    let validity = Validity::read(claims)?
        .check(now, LEEWAY)?
        .check_lifetime(MAX_LIFETIME)?;
    Ok(ClientAssertion {
        jti: claims.identifier("jti")?.to_owned(),
        expires_at: validity.expires_at(),
    })
}
