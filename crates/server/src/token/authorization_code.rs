//! The authorization code grant ([RFC 6749] §4.1.3) with PKCE ([RFC 7636] §4.6).
//!
//! A code that does not fit the request is used up all the same: whoever held it may have stolen it.
//!
//! [RFC 6749]: https://www.rfc-editor.org/rfc/rfc6749
//! [RFC 7636]: https://www.rfc-editor.org/rfc/rfc7636

use symbolon_protocol::digest;
use symbolon_protocol::token_request::{AuthorizationCodeRequest, GrantType};
use symbolon_storage::authorization_code::{self, AuthorizationCode, Redeemed};
use symbolon_storage::refresh_token::{self as records, NewFamily};
use symbolon_storage::{StorageError, Transaction};

use super::mint::Authorized;
use super::signed_in::{self, SignedIn};
use super::{Denied, Exchange, refresh_token};

/// A request with everything a code needs beside it.
pub(super) struct Verified {
    request: AuthorizationCodeRequest,
}

/// Nothing can be checked before the code is used up.
pub(super) fn verify(request: AuthorizationCodeRequest) -> Verified {
    Verified { request }
}

/// Uses the code up, checks what it is bound to and continues as the person who signed in.
pub(super) async fn authorize(
    exchange: &Exchange,
    tx: &mut Transaction,
    verified: Verified,
) -> Result<Result<Authorized, Denied>, StorageError> {
    let request = verified.request;
    let hash = digest::sha256(request.code.expose().as_bytes());
    let code = match authorization_code::redeem(tx, &hash, exchange.state.now()).await? {
        Redeemed::Once(code) => *code,
        Redeemed::Unknown => {
            return Ok(Err(Denied::invalid_grant("the code is unknown or expired")));
        }
        Redeemed::AlreadyUsed { grant } => {
            signed_in::revoke_stolen(exchange, tx, &grant, "the code was used twice").await?;
            let reason = "the code was used before; what came of it is revoked";
            return Ok(Err(Denied::invalid_grant(reason)));
        }
    };
    if let Err(denied) = check_binding(exchange, &request, &code) {
        return Ok(Err(denied.of(&code.organization)));
    }
    continue_from(exchange, tx, code).await
}

async fn continue_from(
    exchange: &Exchange,
    tx: &mut Transaction,
    code: AuthorizationCode,
) -> Result<Result<Authorized, Denied>, StorageError> {
    let family = wants_refresh_token(exchange, &code).then(|| NewFamily {
        grant: code.grant.clone(),
        role: code.role.clone(),
        organization: code.organization.clone(),
        client: code.client.clone(),
        user: code.user.clone(),
        session: code.session.clone(),
        resource: code.resource.clone(),
        scopes: code.scopes.clone(),
        facts: code.facts.clone(),
    });
    let signed_in = SignedIn {
        organization: code.organization,
        user: code.user,
        grant: code.grant,
        session: code.session,
        resource: code.resource,
        scopes: code.scopes,
        facts: code.facts,
        nonce: code.nonce,
    };
    let authorized = match signed_in::authorize(exchange, tx, signed_in).await? {
        Ok(authorized) => authorized,
        Err(denied) => return Ok(Err(denied)),
    };
    let Some(family) = family else {
        return Ok(Ok(authorized));
    };
    let secret = refresh_token::secret(&exchange.state);
    let token = records::insert(tx, &secret, &family, exchange.state.now()).await?;
    Ok(match token {
        Some(token) => Ok(authorized.with_refresh_token(token)),
        None => Err(Denied::invalid_grant("the session has ended").of(&family.organization)),
    })
}

/// Refresh tokens go to clients that are registered for them (AS-74).
fn wants_refresh_token(exchange: &Exchange, code: &AuthorizationCode) -> bool {
    code.role == exchange.issuer.role && exchange.client.may_use(GrantType::RefreshToken)
}

/// The code belongs to this client, redirect URI, challenge and resource (AS-30).
fn check_binding(
    exchange: &Exchange,
    request: &AuthorizationCodeRequest,
    code: &AuthorizationCode,
) -> Result<(), Denied> {
    if code.role != exchange.issuer.role || &code.client != exchange.client.id() {
        return Err(Denied::invalid_grant(
            "the code was issued to another client",
        ));
    }
    if request.redirect_uri.as_deref() != Some(code.redirect_uri.as_str()) {
        return Err(Denied::invalid_grant(
            "redirect_uri differs from the authorization request's",
        ));
    }
    if code.challenge.verify(&request.code_verifier).is_err() {
        return Err(Denied::invalid_grant(
            "code_verifier does not fit the challenge",
        ));
    }
    match &request.resource {
        Some(resource) if Some(resource.as_str()) != code.resource.as_deref() => Err(
            Denied::invalid_target("the code was issued for another resource"),
        ),
        _ => Ok(()),
    }
}
