//! What an ID token says (OpenID Connect Core §2 and §5.4).

use std::time::Duration;

use serde::Serialize;
use symbolon_protocol::{digest, ids::ClientId, issuer::Issuer, secret::Secret, time::Timestamp};

use super::{code::Code, person::Person};

/// How long an ID token and the access token beside it are valid.
pub(super) const LIFETIME: Duration = Duration::from_secs(600);

/// Every claim that can be in an ID token.
pub(super) const CLAIMS: [&str; 16] = [
    "iss",
    "sub",
    "aud",
    "iat",
    "exp",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "at_hash",
    "sid",
    "email",
    "email_verified",
    "name",
    "preferred_username",
    "groups",
];

/// The claims of one ID token; those of a scope that was not asked for are absent.
#[derive(Debug, Serialize)]
pub(super) struct IdToken<'a> {
    iss: &'a Issuer,
    sub: &'a str,
    aud: &'a ClientId,
    iat: i64,
    exp: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    acr: &'a str,
    amr: &'a [&'a str],
    at_hash: String,
    sid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<&'a [String]>,
}

impl<'a> IdToken<'a> {
    pub(super) fn new(
        issuer: &'a Issuer,
        person: &'a Person,
        code: &'a Code,
        access_token: &Secret,
        now: Timestamp,
    ) -> Self {
        let of_scope = |scope: &str| code.scope.contains(scope).then_some(());
        Self {
            iss: issuer,
            sub: &person.subject,
            aud: &code.client,
            iat: now.unix_seconds(),
            exp: now.plus(LIFETIME).unix_seconds(),
            auth_time: code.session.authenticated_at.unix_seconds(),
            nonce: code.nonce.as_deref(),
            acr: code.session.acr(),
            amr: code.session.amr(),
            at_hash: at_hash(access_token),
            sid: &code.session.id,
            email: of_scope("email").map(|()| person.email.as_str()),
            email_verified: of_scope("email").map(|()| true),
            name: of_scope("profile").map(|()| person.name.as_str()),
            preferred_username: of_scope("profile").map(|()| person.id.as_str()),
            groups: of_scope("groups").map(|()| person.groups.as_slice()),
        }
    }
}

/// OpenID Connect Core §3.1.3.6: the left half of the hash that the signature algorithm uses.
fn at_hash(access_token: &Secret) -> String {
    let hash = digest::sha256(access_token.expose().as_bytes());
    digest::base64url(&hash[..hash.len() / 2])
}
