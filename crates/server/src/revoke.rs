//! Token revocation ([RFC 7009]).
//!
//! Revoking a token revokes its grant: the refresh token and every access token of it. Unknown
//! tokens are answered like known ones; somebody else's token is refused and stays (N-232).
//!
//! [RFC 7009]: https://www.rfc-editor.org/rfc/rfc7009

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use symbolon_protocol::access_token;
use symbolon_protocol::ids::GrantId;
use symbolon_protocol::jose::UnverifiedJwt;
use symbolon_protocol::oauth_error::OAuthErrorCode;
use symbolon_protocol::secret::Secret;
use symbolon_storage::audit::{Actor, By};
use symbolon_storage::revocation::{self, Subject};
use symbolon_storage::{StorageError, Transaction, grant, refresh_token};

use crate::client_authentication::{self, AuthenticatedClient};
use crate::form;
use crate::issuer_context::CurrentIssuer;
use crate::oauth_response::Refusal;
use crate::request_id::RequestId;
use crate::state::{AppState, IssuerContext};
use crate::token;
use crate::token_form::TokenForm;

/// Answers `POST …/revoke`.
pub(crate) async fn revoke(
    State(state): State<AppState>,
    CurrentIssuer(issuer): CurrentIssuer,
    request_id: RequestId,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    let revoke = Revoke {
        state,
        issuer,
        request_id,
    };
    match revoke.answer(&headers, &uri, &body).await {
        Ok(()) => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

#[derive(Clone)]
struct Revoke {
    state: AppState,
    issuer: IssuerContext,
    request_id: RequestId,
}

impl Revoke {
    async fn answer(&self, headers: &HeaderMap, uri: &Uri, body: &[u8]) -> Result<(), Refusal> {
        form::require_form(headers, uri)?;
        let form = TokenForm::parse(body)?;
        let (state, issuer) = (&self.state, &self.issuer);
        let client =
            client_authentication::authenticate(state, issuer, headers, form.client).await?;
        let this = self.clone();
        let owned = self
            .state
            .store
            .write(move |tx| Box::pin(async move { this.revoke(tx, &client, &form.token).await }))
            .await?;
        match owned {
            Ok(()) => Ok(()),
            Err(code) => Err(Refusal::new(code)),
        }
    }

    async fn revoke(
        &self,
        tx: &mut Transaction,
        client: &AuthenticatedClient,
        token: &Secret,
    ) -> Result<Result<(), OAuthErrorCode>, StorageError> {
        if !client.claim_assertion(tx).await? {
            return Ok(Err(OAuthErrorCode::InvalidClient));
        }
        let Some(id) = self.grant_of(tx, token).await? else {
            return Ok(Ok(()));
        };
        let Some(grant) = grant::find(tx, &id).await? else {
            return Ok(Ok(()));
        };
        if &grant.client != client.id() || grant.role != self.issuer.role {
            tracing::warn!(client.id = %client.id(), grant.id = %id, "tried to revoke another's token");
            return Ok(Err(OAuthErrorCode::InvalidRequest));
        }
        let by = By {
            actor: Actor::Client(self.issuer.role.clone(), client.id().clone()),
            request_id: self.request_id.to_string(),
        };
        let subject = Subject::Grant(id);
        revocation::revoke(tx, &subject, "revoked by the client", &by, self.state.now()).await?;
        Ok(Ok(()))
    }

    /// The grant of a refresh token, or of an access token that is not expired.
    async fn grant_of(
        &self,
        tx: &mut Transaction,
        token: &Secret,
    ) -> Result<Option<GrantId>, StorageError> {
        if let Some(presented) = token::read_refresh_token(&self.state, token) {
            let (role, now) = (&self.issuer.role, self.state.now());
            let family = refresh_token::find(tx, &presented, role, now).await?;
            return Ok(family.map(|family| family.bound.grant));
        }
        let keys = self.state.keys.load().verification(&self.issuer.role);
        let verified = UnverifiedJwt::parse(token.expose())
            .ok()
            .and_then(|jwt| jwt.verify(&keys).ok())
            .and_then(|jwt| {
                access_token::verify_issued(&jwt, &self.issuer.issuer, self.state.now()).ok()
            });
        Ok(verified.map(|claims| claims.grant_id))
    }
}
