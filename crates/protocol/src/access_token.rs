//! Access tokens that we issue and our gateway accepts ([RFC 9068], design §8).
//!
//! One token is for one MCP server: `aud` is that server's resource identifier, alone and exact. What
//! RFC 9068 requires is there; `grant_id` and `org` are ours, and a token without them is not one of
//! ours, because it could not be revoked.
//!
//! [RFC 9068]: https://www.rfc-editor.org/rfc/rfc9068

use serde::Serialize;
use serde_json::Value;

use crate::confirmation::{self, Confirmation, ConfirmationError};
use crate::ids::{ClientId, GrantId, OrganizationId, SessionId};
use crate::issuer::Issuer;
use crate::jose::claims::{ClaimError, Claims, excerpt};
use crate::jose::validity::{self, LEEWAY, Validity, ValidityError};
use crate::jose::{VerifiedJwt, numeric_date};
use crate::scope::{ScopeError, ScopeSet};
use crate::time::Timestamp;

/// The JOSE `typ` (RFC 9068 §2.1).
pub const TYP: &str = "at+jwt";

/// The claims of an access token, in the order in which they are written.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AccessTokenClaims {
    /// The authorization server.
    pub iss: Issuer,
    /// The person, or the client where it acts for itself.
    pub sub: String,
    /// The resource identifier of the MCP server.
    pub aud: String,
    /// The client.
    pub client_id: ClientId,
    /// Its name.
    pub jti: String,
    /// When it was made.
    #[serde(with = "numeric_date")]
    pub iat: Timestamp,
    /// When it ends.
    #[serde(with = "numeric_date")]
    pub exp: Timestamp,
    /// What was granted.
    pub scope: ScopeSet,
    /// When the person signed in.
    #[serde(with = "numeric_date::option", skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<Timestamp>,
    /// How strongly, as their identity provider names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By which methods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The key that the client must hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Who acts for the person (RFC 8693 §4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Value>,
    /// The browser session it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// The grant it belongs to: what is reviewed and revoked.
    pub grant_id: GrantId,
    /// The organization whose policy decided.
    pub org: OrganizationId,
}

/// Why an access token was not accepted; over the wire all of them are `invalid_token`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessTokenError {
    /// The header says another type than `at+jwt`, or none.
    #[error("typ is {found:?}, expected {TYP:?}")]
    WrongType {
        /// What it says.
        found: Option<String>,
    },
    /// `iss` is not the expected authorization server.
    #[error("iss is {found:?}, which is not the authorization server of this resource")]
    WrongIssuer {
        /// What it says.
        found: String,
    },
    /// `aud` is another resource, or more than one.
    #[error("aud is {found:?}, which is not this resource")]
    WrongAudience {
        /// What it says.
        found: String,
    },
    /// A claim is missing or of a wrong type.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// It is not valid now.
    #[error(transparent)]
    Validity(#[from] ValidityError),
    /// `scope` cannot be read.
    #[error("claim \"scope\": {0}")]
    Scope(#[from] ScopeError),
    /// `cnf` cannot be honoured.
    #[error(transparent)]
    Confirmation(#[from] ConfirmationError),
}

/// Checks every claim of a token that was presented at one resource (requirements RS-21, RS-22).
///
/// Whether it was revoked, and whether the presenter holds the key in `cnf`, is for the caller.
///
/// # Errors
/// [`AccessTokenError`] names the first rule that is broken.
pub fn verify(
    jwt: &VerifiedJwt,
    issuer: &Issuer,
    resource: &str,
    now: Timestamp,
) -> Result<AccessTokenClaims, AccessTokenError> {
    let token = verify_issued(jwt, issuer, now)?;
    if token.aud == resource {
        Ok(token)
    } else {
        Err(AccessTokenError::WrongAudience {
            found: excerpt(&token.aud),
        })
    }
}

/// Checks every claim but the audience, as the issuer does for introspection and revocation.
///
/// Our own clock wrote `exp`, so it counts to the second; `iat` has the usual leeway, because the
/// clocks of two nodes differ.
///
/// # Errors
/// [`AccessTokenError`], never [`AccessTokenError::WrongAudience`].
pub fn verify_issued(
    jwt: &VerifiedJwt,
    issuer: &Issuer,
    now: Timestamp,
) -> Result<AccessTokenClaims, AccessTokenError> {
    if !jwt.has_type(TYP) {
        return Err(AccessTokenError::WrongType {
            found: jwt.typ().map(excerpt),
        });
    }
    let claims = jwt.claims();
    let found = claims.text("iss")?;
    if found != issuer.as_str() {
        return Err(AccessTokenError::WrongIssuer {
            found: excerpt(found),
        });
    }
    let validity = Validity::read(claims)?.check(now, LEEWAY)?;
    if now >= validity.expires_at() {
        return Err(ValidityError::Expired {
            expired_at: validity.expires_at(),
        }
        .into());
    }
    read(claims, issuer, validity, now)
}

fn read(
    claims: Claims<'_>,
    issuer: &Issuer,
    validity: Validity,
    now: Timestamp,
) -> Result<AccessTokenClaims, AccessTokenError> {
    let cnf = claims.members().get(confirmation::CLAIM);
    let sid = claims
        .optional_text("sid")?
        .map(SessionId::parse)
        .transpose();
    Ok(AccessTokenClaims {
        iss: issuer.clone(),
        sub: claims.identifier("sub")?.to_owned(),
        aud: claims.text("aud")?.to_owned(),
        client_id: id(claims, "client_id", ClientId::parse)?,
        jti: claims.identifier("jti")?.to_owned(),
        iat: validity.issued_at(),
        exp: validity.expires_at(),
        scope: ScopeSet::parse(claims.optional_text("scope")?.unwrap_or_default())?,
        auth_time: validity::auth_time(claims, now)?,
        acr: claims.optional_text("acr")?.map(str::to_owned),
        amr: claims.optional_texts("amr")?.unwrap_or_default(),
        cnf: cnf.map(Confirmation::parse).transpose()?,
        act: claims.optional_object("act")?,
        sid: sid.map_err(|_| ClaimError::Malformed { claim: "sid" })?,
        grant_id: id(claims, "grant_id", GrantId::parse)?,
        org: id(claims, "org", OrganizationId::parse)?,
    })
}

fn id<T, E>(
    claims: Claims<'_>,
    claim: &'static str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, ClaimError> {
    parse(claims.text(claim)?).map_err(|_| ClaimError::Malformed { claim })
}
