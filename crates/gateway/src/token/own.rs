//! Access tokens of our own authorization server.

use symbolon_protocol::access_token::{self, AccessTokenClaims};
use symbolon_protocol::ids::UserId;
use symbolon_protocol::issuer::Issuer;
use symbolon_protocol::jose::UnverifiedJwt;
use symbolon_protocol::jose::claims::ClaimError;

use super::{Expected, SignIn, Subject, TokenError, VerifiedToken};

/// Verifies a token with the keys in memory; nothing is fetched.
pub(super) fn verify(
    jwt: &UnverifiedJwt<'_>,
    issuer: &Issuer,
    expected: Expected<'_>,
) -> Result<VerifiedToken, TokenError> {
    let Expected {
        server, keys, now, ..
    } = expected;
    let verified = jwt.verify(keys.tokens())?;
    let claims = access_token::verify(&verified, issuer, &server.resource, now)?;
    if claims.cnf.is_some() {
        return Err(TokenError::Bound);
    }
    Ok(VerifiedToken {
        server: server.id.clone(),
        subject: subject(&claims)?,
        audience: claims.aud,
        organization: claims.org,
        client: Some(claims.client_id),
        is_own: true,
        scopes: claims.scope,
        jti: Some(claims.jti),
        grant: Some(claims.grant_id),
        session: claims.sid,
        issued_at: claims.iat,
        expires_at: claims.exp,
        sign_in: SignIn {
            acr: claims.acr,
            amr: claims.amr,
            auth_time: claims.auth_time,
        },
    })
}

/// A client that acts for itself is its own subject (RFC 9068 §2.2); user ids are random, so that no
/// client can be registered under one.
fn subject(claims: &AccessTokenClaims) -> Result<Subject, TokenError> {
    if claims.sub == claims.client_id.as_str() {
        return Ok(Subject::Client(claims.client_id.clone()));
    }
    let user = UserId::parse(&claims.sub).map_err(|_| ClaimError::Malformed { claim: "sub" });
    let user = user.map_err(access_token::AccessTokenError::from)?;
    Ok(Subject::User(user))
}
