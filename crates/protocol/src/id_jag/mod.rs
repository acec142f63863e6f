//! Identity Assertion JWT Authorization Grants: what one company's identity provider tells another
//! company's authorization server about a person, for one client and one resource
//! (draft-ietf-oauth-identity-assertion-authz-grant-04 §3.1, requirements 2.5).
//!
//! [`IdJagClaims`] is what our `idp` signs; [`verify`] turns a signature that verified into an
//! [`IdJag`] that our `as` may redeem.

mod verify;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::confirmation::Confirmation;
use crate::ids::ClientId;
use crate::issuer::Issuer;
use crate::jose::numeric_date;
pub use crate::jose::validity::LEEWAY;
use crate::scope::ScopeSet;
use crate::time::Timestamp;

pub use verify::{Expectations, IdJagError, MAX_LIFETIME, verify};

/// The JOSE `typ` (draft §3.1).
pub const TYP: &str = "oauth-id-jag+jwt";

/// The claims of an ID-JAG that we issue, in the order in which they are written.
#[derive(Clone, Debug, Serialize)]
pub struct IdJagClaims {
    /// Our `idp` of the organization.
    pub iss: Issuer,
    /// The person, as the resource authorization server knows them under this issuer.
    pub sub: String,
    /// The resource authorization server, alone.
    pub aud: Issuer,
    /// The client's id **there**.
    pub client_id: ClientId,
    /// Unique, at least 128 bits of randomness.
    pub jti: String,
    /// When it was made.
    #[serde(with = "numeric_date")]
    pub iat: Timestamp,
    /// When it ends: 60 to 300 s later (requirements ID-57).
    #[serde(with = "numeric_date")]
    pub exp: Timestamp,
    /// The one MCP server it is for (requirements Q-02).
    pub resource: String,
    /// What was granted.
    pub scope: ScopeSet,
    /// When the person signed in.
    #[serde(with = "numeric_date::option", skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<Timestamp>,
    /// How strongly, as the identity provider names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By which methods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// Our tenant, where the issuer has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The tenant at the resource authorization server, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud_tenant: Option<String>,
    /// The account at the resource authorization server, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud_sub: Option<String>,
    /// The person in another namespace, such as a SAML NameID (RFC 9493).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_id: Option<Value>,
    /// The email address, only for an audience that is set up to get it (requirements Q-21).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the address was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The key that the client must hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// An ID-JAG that was issued to us, for this client, by a trusted issuer, and is valid now.
///
/// It was not looked up whether it was redeemed before: that is for the transaction that redeems it.
#[derive(Clone, Debug)]
pub struct IdJag {
    /// Who says so: exactly the expected issuer.
    pub issuer: Issuer,
    /// The person, meaningful only together with the issuer (and tenant).
    pub subject: String,
    /// Which of our names it was made for.
    pub audience: String,
    /// The authenticated client.
    pub client_id: ClientId,
    /// Its name, to be used once.
    pub jti: String,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The resources it is for; never an empty list.
    pub resource: Option<Vec<String>>,
    /// What the issuer grants at most.
    pub scope: Option<ScopeSet>,
    /// Rich authorization details (RFC 9396), each an object.
    pub authorization_details: Option<Vec<Value>>,
    /// Who acts for the person (RFC 8693 §4.1), an object.
    pub act: Option<Value>,
    /// The issuer's tenant.
    pub tenant: Option<String>,
    /// Our tenant.
    pub aud_tenant: Option<String>,
    /// The account here.
    pub aud_sub: Option<String>,
    /// The person in another namespace (RFC 9493), an object.
    pub sub_id: Option<Value>,
    /// The email address.
    pub email: Option<String>,
    /// Whether the issuer says that it verified the address.
    pub email_verified: Option<bool>,
    /// When the person signed in.
    pub auth_time: Option<Timestamp>,
    /// How strongly, as the issuer names it.
    pub acr: Option<String>,
    /// By which methods.
    pub amr: Vec<String>,
    /// The key the client must prove; without that proof the assertion must be refused (AS-106, AS-107).
    pub confirmation: Option<Confirmation>,
    /// All claims, for those that an administrator mapped, such as `groups`.
    pub claims: Map<String, Value>,
}
