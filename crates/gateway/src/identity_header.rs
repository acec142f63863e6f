//! Who calls, told to the upstream in a signed header (requirements RS-25).
//!
//! A JWT of type `symbolon-identity+jwt`, for this upstream alone and for a minute. It is no access
//! token: no authorization server accepts it, and the upstream verifies it with the keys that our
//! authorization server publishes.

use std::time::Duration;

use http::HeaderValue;
use serde::Serialize;
use symbolon_protocol::ids::{ClientId, OrganizationId};
use symbolon_protocol::issuer::Issuer;
use symbolon_protocol::jose::{SigningError, SigningKey, numeric_date};
use symbolon_protocol::random;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;
use url::Url;

use crate::caller::Caller;

/// The JOSE `typ`.
pub(crate) const TYP: &str = "symbolon-identity+jwt";
/// How long it is valid: long enough for one call to arrive.
const LIFETIME: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a Issuer,
    sub: &'a str,
    aud: &'a str,
    jti: String,
    #[serde(with = "numeric_date")]
    iat: Timestamp,
    #[serde(with = "numeric_date")]
    exp: Timestamp,
    org: &'a OrganizationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a ClientId>,
    scope: &'a ScopeSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

/// Why a header could not be made; the call must then not be forwarded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    /// There is no key to sign with.
    #[error("there is no active key for identity headers")]
    NoKey,
    /// Signing did not work.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// What was signed is no header value.
    #[error("the signed identity is no header value")]
    Unprintable,
}

/// Signs who calls, for one upstream.
///
/// # Errors
/// [`IdentityError`]: 503.
pub(crate) fn sign(
    key: Option<&SigningKey>,
    issuer: &Issuer,
    caller: &Caller,
    upstream: &Url,
    now: Timestamp,
) -> Result<HeaderValue, IdentityError> {
    let token = caller.token();
    let claims = Claims {
        iss: issuer,
        sub: caller.id(),
        aud: upstream.as_str(),
        jti: random::id(),
        iat: now,
        exp: token.expires_at.min(now.plus(LIFETIME)),
        org: &token.organization,
        client_id: token.client.as_ref(),
        scope: &token.scopes,
        email: caller.email(),
    };
    let signed = key.ok_or(IdentityError::NoKey)?.sign(TYP, &claims)?;
    HeaderValue::try_from(signed).map_err(|_| IdentityError::Unprintable)
}
