//! What an ID-JAG must say before it is redeemed (draft §4.4.1, requirements AS-93 to AS-107).

use std::time::Duration;

use serde_json::Value;

use super::{IdJag, LEEWAY, TYP};
use crate::confirmation::{self, Confirmation, ConfirmationError};
use crate::ids::ClientId;
use crate::issuer::{Issuer, TenantClaim};
use crate::jose::VerifiedJwt;
use crate::jose::claims::{ClaimError, Claims, excerpt};
use crate::jose::validity::{self, Validity, ValidityError};
use crate::scope::{ScopeError, ScopeSet};
use crate::time::Timestamp;

/// The longest lifetime that any trusted issuer can be allowed (requirements AS-99).
pub const MAX_LIFETIME: Duration = Duration::from_secs(900);

/// What the redeeming authorization server expects.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    /// The issuer of the row whose keys verified the signature.
    pub issuer: &'a Issuer,
    /// The tenant of that row, where the issuer is shared.
    pub tenant: Option<TenantClaim<'a>>,
    /// Our issuer identifier, and the aliases of it that an administrator listed.
    pub audience: &'a [&'a str],
    /// The client that authenticated.
    pub client_id: &'a ClientId,
    /// The longest lifetime that row allows; more than [`MAX_LIFETIME`] counts as that.
    pub max_lifetime: Duration,
}

/// Why an ID-JAG was not accepted; over the wire all of them are `invalid_grant`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IdJagError {
    /// The header says another type than `oauth-id-jag+jwt`, or none.
    #[error("typ is {found:?}, expected {TYP:?}")]
    WrongType {
        /// What it says.
        found: Option<String>,
    },
    /// `iss` is not the issuer whose keys verified the signature.
    #[error("iss is {found:?}, which is not the issuer whose keys signed it")]
    WrongIssuer {
        /// What it says.
        found: String,
    },
    /// The issuer is shared and another tenant of it spoke, or none.
    #[error("the tenant is not the one this issuer is trusted for")]
    WrongTenant,
    /// `aud` is not this authorization server alone.
    #[error("aud is not this authorization server alone")]
    WrongAudience,
    /// It was issued to another client.
    #[error("client_id is {found:?}, which is not the client that authenticated")]
    WrongClient {
        /// What it says.
        found: String,
    },
    /// A claim is missing or of a wrong type.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// It is not valid now, or was made for too long.
    #[error(transparent)]
    Validity(#[from] ValidityError),
    /// `scope` cannot be read.
    #[error("claim \"scope\": {0}")]
    Scope(#[from] ScopeError),
    /// `cnf` cannot be honoured.
    #[error(transparent)]
    Confirmation(#[from] ConfirmationError),
}

/// Checks every claim of an ID-JAG whose signature verified.
///
/// # Errors
/// [`IdJagError`] names the first rule that is broken.
pub fn verify(
    jwt: &VerifiedJwt,
    expected: &Expectations<'_>,
    now: Timestamp,
) -> Result<IdJag, IdJagError> {
    if !jwt.has_type(TYP) {
        return Err(IdJagError::WrongType {
            found: jwt.typ().map(excerpt),
        });
    }
    let claims = jwt.claims();
    let audience = check_parties(claims, expected)?;
    let validity = Validity::read(claims)?
        .check(now, LEEWAY)?
        .check_lifetime(expected.max_lifetime.min(MAX_LIFETIME))?;
    let owned = |claim| {
        claims
            .optional_text(claim)
            .map(|text| text.map(str::to_owned))
    };
    Ok(IdJag {
        issuer: expected.issuer.clone(),
        subject: claims.identifier("sub")?.to_owned(),
        audience,
        client_id: expected.client_id.clone(),
        jti: claims.identifier("jti")?.to_owned(),
        issued_at: validity.issued_at(),
        expires_at: validity.expires_at(),
        resource: claims.optional_texts("resource")?,
        scope: claims
            .optional_text("scope")?
            .map(ScopeSet::parse)
            .transpose()?,
        authorization_details: authorization_details(claims)?,
        act: claims.optional_object("act")?,
        tenant: owned("tenant")?,
        aud_tenant: owned("aud_tenant")?,
        aud_sub: owned("aud_sub")?,
        sub_id: claims.optional_object("sub_id")?,
        email: owned("email")?,
        email_verified: claims.optional_bool("email_verified")?,
        auth_time: validity::auth_time(claims, now)?,
        acr: owned("acr")?,
        amr: claims.optional_texts("amr")?.unwrap_or_default(),
        confirmation: claims
            .members()
            .get(confirmation::CLAIM)
            .map(Confirmation::parse)
            .transpose()?,
        claims: claims.members().clone(),
    })
}

/// Checks who speaks to whom about which client, and returns the name of ours that was used.
fn check_parties(claims: Claims<'_>, expected: &Expectations<'_>) -> Result<String, IdJagError> {
    let issuer = claims.text("iss")?;
    if issuer != expected.issuer.as_str() {
        return Err(IdJagError::WrongIssuer {
            found: excerpt(issuer),
        });
    }
    if !claims.has_tenant(expected.tenant) {
        return Err(IdJagError::WrongTenant);
    }
    let audience = sole_audience(claims)?;
    if !expected.audience.contains(&audience) {
        return Err(IdJagError::WrongAudience);
    }
    let client_id = claims.text("client_id")?;
    if client_id != expected.client_id.as_str() {
        return Err(IdJagError::WrongClient {
            found: excerpt(client_id),
        });
    }
    Ok(audience.to_owned())
}

/// AS-97: a string or an array of exactly one; with two, either could replay it at the other.
fn sole_audience(claims: Claims<'_>) -> Result<&str, IdJagError> {
    let audience = match claims
        .value("aud")
        .ok_or(ClaimError::Missing { claim: "aud" })?
    {
        Value::Array(items) if items.len() == 1 => &items[0],
        other => other,
    };
    audience.as_str().ok_or(IdJagError::WrongAudience)
}

/// AS-105: an array of objects; a string that holds JSON is not one.
fn authorization_details(claims: Claims<'_>) -> Result<Option<Vec<Value>>, ClaimError> {
    match claims.value("authorization_details") {
        None => Ok(None),
        Some(Value::Array(details)) if details.iter().all(Value::is_object) => {
            Ok(Some(details.clone()))
        }
        Some(_) => Err(ClaimError::Malformed {
            claim: "authorization_details",
        }),
    }
}
