//! The refresh token grant ([RFC 6749] §6) with rotation (requirements 1.5).
//!
//! A reused token ends its grant: whoever has the other copy is a thief. The exception is a few
//! seconds in which the same client gets the same successor, because clients run as several processes.
//!
//! [RFC 6749]: https://www.rfc-editor.org/rfc/rfc6749

use symbolon_protocol::secret::Secret;
use symbolon_protocol::token_request::RefreshTokenRequest;
use symbolon_storage::refresh_token::{self, NewFamily, PresentedToken, RefreshSecret, Rotation};
use symbolon_storage::secret_key::SecretPurpose;
use symbolon_storage::{StorageError, Transaction};

use super::mint::Authorized;
use super::signed_in::{self, SignedIn};
use super::{Denied, Exchange};
use crate::state::AppState;

/// A refresh token whose MAC holds, and what is asked for.
pub(super) struct Verified {
    token: PresentedToken,
    request: RefreshTokenRequest,
}

/// Reads a refresh token of this deployment; `None` for any other text.
pub(crate) fn read(state: &AppState, token: &Secret) -> Option<PresentedToken> {
    secret(state).read(token)
}

/// The secret that refresh tokens are derived from.
pub(crate) fn secret(state: &AppState) -> RefreshSecret {
    RefreshSecret::new(state.secrets.get(SecretPurpose::Refresh).clone())
}

/// Checks the token's MAC before any database is asked.
///
/// # Errors
/// `invalid_grant` for a text that this deployment did not issue.
pub(super) fn verify(
    exchange: &Exchange,
    request: RefreshTokenRequest,
) -> Result<Verified, Denied> {
    let token = read(&exchange.state, &request.refresh_token)
        .ok_or_else(|| Denied::invalid_grant("this deployment did not issue the refresh token"))?;
    Ok(Verified { token, request })
}

/// Rotates the token and continues as the person who signed in.
pub(super) async fn authorize(
    exchange: &Exchange,
    tx: &mut Transaction,
    verified: Verified,
) -> Result<Result<Authorized, Denied>, StorageError> {
    let Verified { token, request } = verified;
    let (role, client) = (&exchange.issuer.role, exchange.client.id());
    let now = exchange.state.now();
    let Some(family) = refresh_token::find(tx, &token, role, now).await? else {
        return replayed(exchange, tx, &token).await;
    };
    if &family.bound.client != client {
        return Ok(Err(refusal(&Rotation::NotYours)));
    }
    // Before it is rotated: a refusal must not cost the client its token, or the next attempt with
    // it would look like theft.
    if let Err(denied) = within(&family.bound, &request) {
        return Ok(Err(denied.of(&family.bound.organization)));
    }
    let signed_in = SignedIn {
        scopes: request.scope.unwrap_or(family.bound.scopes),
        organization: family.bound.organization,
        user: family.bound.user,
        grant: family.bound.grant,
        session: family.bound.session,
        resource: family.bound.resource,
        facts: family.bound.facts,
        nonce: None,
    };
    let authorized = match signed_in::authorize(exchange, tx, signed_in).await? {
        Ok(authorized) => authorized,
        Err(denied) => return Ok(Err(denied)),
    };
    Ok(
        match refresh_token::rotate(tx, &token, role, client, now).await? {
            Rotation::Rotated { successor, .. } => Ok(authorized.with_refresh_token(successor)),
            refused => Err(refusal(&refused)),
        },
    )
}

/// A token that is not current: rotating it revokes what must be revoked.
async fn replayed(
    exchange: &Exchange,
    tx: &mut Transaction,
    token: &PresentedToken,
) -> Result<Result<Authorized, Denied>, StorageError> {
    let (role, client) = (&exchange.issuer.role, exchange.client.id());
    let outcome = refresh_token::rotate(tx, token, role, client, exchange.state.now()).await?;
    Ok(Err(refusal(&outcome)))
}

fn refusal(outcome: &Rotation) -> Denied {
    let denied = Denied::invalid_grant(match outcome {
        Rotation::Replayed { .. } => "the refresh token was used before; its grant is revoked",
        Rotation::NotYours => "the refresh token belongs to another client",
        _ => "the refresh token is unknown, expired or revoked",
    });
    match outcome {
        Rotation::Replayed { family } => denied.of(&family.bound.organization),
        _ => denied,
    }
}

/// Scopes may shrink and the resource stays (AS-72).
fn within(bound: &NewFamily, request: &RefreshTokenRequest) -> Result<(), Denied> {
    if let Some(scope) = &request.scope
        && !scope.is_subset(&bound.scopes)
    {
        return Err(Denied::invalid_scope("a refresh cannot widen the scopes"));
    }
    match &request.resource {
        Some(resource) if bound.resource.as_deref() != Some(resource.as_str()) => Err(
            Denied::invalid_target("the refresh token is for another resource"),
        ),
        _ => Ok(()),
    }
}
