//! What an ID token must say (OpenID Connect Core §3.1.3.7, requirements N-024, N-163 to N-165, N-177).

use std::time::Duration;

use super::{IdToken, LEEWAY, token_hash};
use crate::confirmation;
use crate::digest::constant_time_eq;
use crate::issuer::{Issuer, TenantClaim};
use crate::jose::claims::{ClaimError, Claims, excerpt};
use crate::jose::validity::{self, Validity, ValidityError};
use crate::jose::{Algorithm, VerifiedJwt};
use crate::time::Timestamp;

/// What the reader of an ID token expects.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    /// The issuer whose keys verified the signature.
    pub issuer: &'a Issuer,
    /// The tenant, where the issuer is shared.
    pub tenant: Option<TenantClaim<'a>>,
    /// The client it must have been issued to: ours at that provider, or the one that presents it.
    pub client_id: &'a str,
    /// Whether it answers a request of ours, or was brought by a client.
    pub origin: Origin<'a>,
    /// The longest time since the person signed in, where that matters.
    pub max_age: Option<Duration>,
}

/// How the ID token came here.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// From the token endpoint, in answer to a sign-in that we began.
    SignIn {
        /// The nonce we sent.
        nonce: &'a str,
        /// The access token beside it; compared with `at_hash` if that is there.
        access_token: Option<&'a str>,
    },
    /// From a client, as the subject token of an exchange. No nonce binds it, so it is also checked
    /// not to be an access token of the same issuer.
    SubjectToken,
}

/// Why an ID token was not accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenError {
    /// The header says the type of another kind of token.
    #[error("typ is {found:?}, expected \"JWT\" or none")]
    WrongType {
        /// What it says.
        found: Option<String>,
    },
    /// Its claims are those of another kind of token.
    #[error("claim {claim:?} belongs to another kind of token")]
    NotAnIdToken {
        /// The claim that gives it away.
        claim: &'static str,
    },
    /// It is bound to a key, and nobody proved to hold it.
    #[error("the ID token is bound to a key")]
    KeyBound,
    /// `iss` is not the issuer whose keys verified the signature.
    #[error("iss is {found:?}, which is not the issuer whose keys signed it")]
    WrongIssuer {
        /// What it says.
        found: String,
    },
    /// The issuer is shared and another tenant of it spoke, or none.
    #[error("the tenant is not the one of this connection")]
    WrongTenant,
    /// It was issued to another client.
    #[error("aud does not name the expected client")]
    WrongAudience,
    /// It was issued to several, and `azp` does not say that this client asked for it.
    #[error("azp does not name the expected client")]
    WrongAuthorizedParty,
    /// It does not answer the sign-in that we began.
    #[error("nonce is not the one that was sent")]
    WrongNonce,
    /// `at_hash` is that of another access token.
    #[error("at_hash is not the hash of the access token")]
    WrongAccessTokenHash,
    /// The person signed in too long ago, or it does not say when.
    #[error("the sign-in is older than {} s, or its time is unknown", limit.as_secs())]
    TooOld {
        /// The longest time since.
        limit: Duration,
    },
    /// A claim is missing or of a wrong type.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// It is not valid now.
    #[error(transparent)]
    Validity(#[from] ValidityError),
}

/// Checks every claim of an ID token whose signature verified.
///
/// # Errors
/// [`IdTokenError`] names the first rule that is broken.
pub fn verify(
    jwt: &VerifiedJwt,
    expected: &Expectations<'_>,
    now: Timestamp,
) -> Result<IdToken, IdTokenError> {
    check_kind(jwt, expected.origin)?;
    let claims = jwt.claims();
    check_parties(claims, expected)?;
    let validity = Validity::read(claims)?.check(now, LEEWAY)?;
    check_origin(claims, expected.origin, jwt.header().algorithm())?;
    let auth_time = validity::auth_time(claims, now)?;
    check_age(auth_time, expected.max_age, now)?;
    let owned = |claim| {
        claims
            .optional_text(claim)
            .map(|text| text.map(str::to_owned))
    };
    Ok(IdToken {
        issuer: expected.issuer.clone(),
        subject: claims.identifier("sub")?.to_owned(),
        issued_at: validity.issued_at(),
        expires_at: validity.expires_at(),
        auth_time,
        acr: owned("acr")?,
        amr: claims.optional_texts("amr")?.unwrap_or_default(),
        sid: owned("sid")?,
        email: owned("email")?,
        email_verified: claims.optional_bool("email_verified")?,
        name: owned("name")?,
        claims: claims.members().clone(),
    })
}

/// An issuer signs many kinds of token with one key; only an ID token may pass (RFC 8725 §3.11).
fn check_kind(jwt: &VerifiedJwt, origin: Origin<'_>) -> Result<(), IdTokenError> {
    // Anything but these two is explicit: at+jwt, logout+jwt, oauth-id-jag+jwt, id_token+cnf, …
    if jwt.typ().is_some() && !jwt.has_type("JWT") {
        return Err(IdTokenError::WrongType {
            found: jwt.typ().map(excerpt),
        });
    }
    let claims = jwt.claims();
    if claims.members().contains_key(confirmation::CLAIM) {
        return Err(IdTokenError::KeyBound);
    }
    // Logout tokens and security events (OpenID Connect Back-Channel Logout §2.4).
    let mut foreign = vec!["events"];
    if matches!(origin, Origin::SubjectToken) {
        // Providers that do not type access tokens give themselves away by a scope.
        foreign.extend(["scope", "scp"]);
    }
    match foreign
        .into_iter()
        .find(|claim| claims.value(claim).is_some())
    {
        Some(claim) => Err(IdTokenError::NotAnIdToken { claim }),
        None => Ok(()),
    }
}

fn check_parties(claims: Claims<'_>, expected: &Expectations<'_>) -> Result<(), IdTokenError> {
    let issuer = claims.text("iss")?;
    if issuer != expected.issuer.as_str() {
        return Err(IdTokenError::WrongIssuer {
            found: excerpt(issuer),
        });
    }
    if !claims.has_tenant(expected.tenant) {
        return Err(IdTokenError::WrongTenant);
    }
    let audience = claims
        .optional_texts("aud")?
        .ok_or(ClaimError::Missing { claim: "aud" })?;
    if !audience.iter().any(|client| client == expected.client_id) {
        return Err(IdTokenError::WrongAudience);
    }
    match claims.optional_text("azp")? {
        Some(party) if party == expected.client_id => Ok(()),
        None if audience.len() == 1 => Ok(()),
        _ => Err(IdTokenError::WrongAuthorizedParty),
    }
}

fn check_origin(
    claims: Claims<'_>,
    origin: Origin<'_>,
    algorithm: Algorithm,
) -> Result<(), IdTokenError> {
    let Origin::SignIn {
        nonce,
        access_token,
    } = origin
    else {
        return Ok(());
    };
    let found = claims.optional_text("nonce")?;
    if !found.is_some_and(|found| constant_time_eq(found.as_bytes(), nonce.as_bytes())) {
        return Err(IdTokenError::WrongNonce);
    }
    match (claims.optional_text("at_hash")?, access_token) {
        (Some(hash), Some(token)) if hash != token_hash(algorithm, token) => {
            Err(IdTokenError::WrongAccessTokenHash)
        }
        _ => Ok(()),
    }
}

fn check_age(
    auth_time: Option<Timestamp>,
    max_age: Option<Duration>,
    now: Timestamp,
) -> Result<(), IdTokenError> {
    let Some(limit) = max_age else { return Ok(()) };
    match auth_time {
        Some(auth_time) if now.since(auth_time) <= limit.saturating_add(LEEWAY) => Ok(()),
        _ => Err(IdTokenError::TooOld { limit }),
    }
}
