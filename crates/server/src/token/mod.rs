//! The token endpoint ([RFC 6749] §3.2) of both roles.
//!
//! The endpoint owns what every grant shares: reading the request, authenticating the client, the
//! one transaction, minting, auditing and the answer. A grant is a file with three functions,
//! `gather` (network), `verify` (pure) and `authorize` (inside the transaction).
//!
//! [RFC 6749]: https://www.rfc-editor.org/rfc/rfc6749

mod authorization_code;
mod denied;
mod jwt_bearer;
mod mint;
mod refresh_token;
mod registered_target;
mod response;
mod signed_in;
mod token_exchange;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use symbolon_protocol::oauth_error::{OAuthError, OAuthErrorCode};
use symbolon_protocol::token_request::TokenRequest;
use symbolon_storage::audit::{self, AuditEvent};
use symbolon_storage::{StorageError, Transaction};

pub(crate) use self::denied::{Denied, StepUp};
use self::mint::Authorized;
pub(crate) use self::refresh_token::read as read_refresh_token;
use crate::client_authentication::{self, AuthenticatedClient};
use crate::issuer_context::CurrentIssuer;
use crate::oauth_response::Refusal;
use crate::request_id::RequestId;
use crate::state::{AppState, IssuerContext};

/// Everything a grant may look at besides its own parameters.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) state: AppState,
    pub(crate) issuer: IssuerContext,
    pub(crate) client: AuthenticatedClient,
    pub(crate) request_id: RequestId,
}

/// A grant whose request has been verified, ready for its transaction.
enum Verified {
    AuthorizationCode(authorization_code::Verified),
    RefreshToken(refresh_token::Verified),
    JwtBearer(Box<jwt_bearer::Verified>),
    TokenExchange(Box<token_exchange::Verified>),
}

/// Answers `POST …/token`.
pub(crate) async fn token(
    State(state): State<AppState>,
    CurrentIssuer(issuer): CurrentIssuer,
    request_id: RequestId,
    headers: HeaderMap,
    uri: axum::http::Uri,
    body: Bytes,
) -> Response {
    match exchange(state, issuer, request_id, &headers, &uri, &body).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn exchange(
    state: AppState,
    issuer: IssuerContext,
    request_id: RequestId,
    headers: &HeaderMap,
    uri: &axum::http::Uri,
    body: &[u8],
) -> Result<Response, Refusal> {
    crate::form::require_form(headers, uri)?;
    let (request, parameters) = TokenRequest::parse(body)?;
    let client = client_authentication::authenticate(&state, &issuer, headers, parameters).await?;
    let exchange = Exchange {
        state,
        issuer,
        client,
        request_id,
    };
    let verified = match exchange.permits(&request) {
        Ok(()) => exchange.gather_and_verify(request).await,
        Err(denied) => Err(denied),
    };
    let authorized = exchange.commit(verified).await?;
    let answer = mint::mint(&exchange, authorized)?;
    Ok(response::success(&answer))
}

impl Exchange {
    /// Refuses a grant that this authorization server does not offer or this client may not use.
    fn permits(&self, request: &TokenRequest) -> Result<(), Denied> {
        let grant = request.grant();
        let offered = crate::metadata::grants_of(&self.issuer.role);
        // An ID-JAG at an identity provider is not an unknown grant but a misdirected assertion.
        let misdirected = matches!(request, TokenRequest::JwtBearer { .. });
        if !offered.contains(&grant) {
            let code = if misdirected && self.issuer.organization().is_some() {
                OAuthErrorCode::InvalidGrant
            } else {
                OAuthErrorCode::UnsupportedGrantType
            };
            return Err(Denied::new(code, format!("{grant} is not offered here")));
        }
        if self.client.may_use(grant) {
            Ok(())
        } else {
            let reason = format!("the client is not registered for {grant}");
            Err(Denied::new(OAuthErrorCode::UnauthorizedClient, reason))
        }
    }

    async fn gather_and_verify(&self, request: TokenRequest) -> Result<Verified, Denied> {
        match request {
            TokenRequest::AuthorizationCode(request) => Ok(Verified::AuthorizationCode(
                authorization_code::verify(request),
            )),
            TokenRequest::RefreshToken(request) => {
                refresh_token::verify(self, request).map(Verified::RefreshToken)
            }
            TokenRequest::JwtBearer(request) => {
                let gathered = jwt_bearer::gather(self, request).await?;
                let verified = jwt_bearer::verify(self, gathered)?;
                Ok(Verified::JwtBearer(Box::new(verified)))
            }
            TokenRequest::TokenExchange(request) => {
                let verified = token_exchange::verify(self, request)?;
                Ok(Verified::TokenExchange(Box::new(verified)))
            }
        }
    }

    /// Runs the one transaction: client assertion once, the grant's own writes, the audit event.
    ///
    /// A denial commits too, so that what was used up stays used up and the record says why.
    /// A public client that showed nothing valid is a stranger, since anybody may know its id: that
    /// goes to the log alone (design §4 rules 18 and 20).
    async fn commit(&self, verified: Result<Verified, Denied>) -> Result<Authorized, Refusal> {
        let verified = match verified {
            Err(denied) if !self.client.is_confidential() => return Err(self.refuse(denied)),
            other => other,
        };
        let exchange = self.clone();
        let outcome = self
            .state
            .store
            .write(move |tx| Box::pin(async move { exchange.authorize(tx, verified).await }))
            .await?;
        outcome.map_err(|denied| self.refuse(denied))
    }

    fn refuse(&self, denied: Denied) -> Refusal {
        tracing::info!(
            client.id = %self.client.id(), issuer = %self.issuer.issuer,
            request.id = %self.request_id, reason = %denied.reason,
            "token request denied: {}", denied.code.as_str()
        );
        denied.into()
    }

    async fn authorize(
        &self,
        tx: &mut Transaction,
        verified: Result<Verified, Denied>,
    ) -> Result<Result<Authorized, Denied>, StorageError> {
        let outcome = match self.client.claim_assertion(tx).await? {
            false => Err(Denied::new(
                OAuthErrorCode::InvalidClient,
                "the client assertion was used before".to_owned(),
            )),
            true => match verified {
                Err(denied) => Err(denied),
                Ok(verified) => self.authorize_grant(tx, verified).await?,
            },
        };
        // A code or token that nobody was given belongs to no organization.
        let is_strangers = matches!(&outcome, Err(denied) if denied.organization.is_none())
            && !self.client.is_confidential();
        if !is_strangers {
            audit::append(tx, &self.event(&outcome)).await?;
        }
        Ok(outcome)
    }

    async fn authorize_grant(
        &self,
        tx: &mut Transaction,
        verified: Verified,
    ) -> Result<Result<Authorized, Denied>, StorageError> {
        match verified {
            Verified::AuthorizationCode(v) => authorization_code::authorize(self, tx, v).await,
            Verified::RefreshToken(v) => refresh_token::authorize(self, tx, v).await,
            Verified::JwtBearer(v) => jwt_bearer::authorize(self, tx, *v).await,
            Verified::TokenExchange(v) => token_exchange::authorize(self, tx, *v).await,
        }
    }

    fn event(&self, outcome: &Result<Authorized, Denied>) -> AuditEvent {
        mint::audit_event(self, outcome)
    }
}

impl From<OAuthError> for Denied {
    fn from(error: OAuthError) -> Self {
        Self::new(error.code, error.description.to_owned())
    }
}
