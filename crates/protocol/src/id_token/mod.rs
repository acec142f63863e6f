//! ID tokens: who signed in, said to one client ([OpenID Connect Core 1.0] §2).
//!
//! [`IdTokenClaims`] is what our own issuers sign; [`verify`] checks one of an organization's identity
//! provider or of our own, at sign-in and as the subject token of an exchange.
//!
//! [OpenID Connect Core 1.0]: https://openid.net/specs/openid-connect-core-1_0.html

mod verify;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::digest::base64url;
use crate::ids::{ClientId, SessionId};
use crate::issuer::Issuer;
pub use crate::jose::validity::LEEWAY;
use crate::jose::{Algorithm, numeric_date};
use crate::time::Timestamp;

pub use verify::{Expectations, IdTokenError, Origin, verify};

/// The JOSE `typ` of the ID tokens we sign.
pub const TYP: &str = "JWT";

/// The claims of an ID token that we issue, in the order in which they are written.
#[derive(Clone, Debug, Serialize)]
pub struct IdTokenClaims {
    /// Our issuer.
    pub iss: Issuer,
    /// The person.
    pub sub: String,
    /// The client, alone.
    pub aud: ClientId,
    /// What the client sent to recognise its own request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// When it was made.
    #[serde(with = "numeric_date")]
    pub iat: Timestamp,
    /// When it ends.
    #[serde(with = "numeric_date")]
    pub exp: Timestamp,
    /// When the person signed in.
    #[serde(with = "numeric_date::option", skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<Timestamp>,
    /// How strongly, as their identity provider names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By which methods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The browser session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// The hash of the access token beside it; see [`token_hash`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// The email address, if the scope `email` was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the address was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The name to show, if the scope `profile` was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An ID token of the expected issuer, for the expected client, valid now.
#[derive(Clone, Debug)]
pub struct IdToken {
    /// Who says so.
    pub issuer: Issuer,
    /// The person, meaningful only together with the issuer (and tenant).
    pub subject: String,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When the person signed in.
    pub auth_time: Option<Timestamp>,
    /// How strongly, as the issuer names it.
    pub acr: Option<String>,
    /// By which methods.
    pub amr: Vec<String>,
    /// The session at the issuer, which a logout token may name.
    pub sid: Option<String>,
    /// The email address.
    pub email: Option<String>,
    /// Whether the issuer says that it verified the address.
    pub email_verified: Option<bool>,
    /// The name to show.
    pub name: Option<String>,
    /// All claims, for those that an administrator mapped: `groups`, another subject, a tenant.
    pub claims: Map<String, Value>,
}

/// The value of `at_hash` or `c_hash`: the left half of the token's hash (OpenID Connect Core §3.1.3.6).
#[must_use]
pub fn token_hash(algorithm: Algorithm, token: &str) -> String {
    use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
    let hash = match algorithm {
        Algorithm::Es256 | Algorithm::Ps256 | Algorithm::Rs256 => &SHA256,
        Algorithm::Es384 => &SHA384,
        // Ed25519 is defined with SHA-512 (RFC 8032 §5.1).
        Algorithm::EdDsa => &SHA512,
    };
    let hash = digest(hash, token.as_bytes());
    base64url(&hash.as_ref()[..hash.as_ref().len() / 2])
}
