//! Token introspection ([RFC 7662]).
//!
//! A caller learns about tokens that were issued to itself, or for an MCP server that names it as its
//! introspecting client; everything else is `{"active":false}` (AS-190, N-231).
//!
//! [RFC 7662]: https://www.rfc-editor.org/rfc/rfc7662

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use symbolon_protocol::access_token::{self, AccessTokenClaims};
use symbolon_protocol::jose::UnverifiedJwt;
use symbolon_storage::directory::{Client, McpServer};
use symbolon_storage::revocation::TokenFacts;
use symbolon_storage::{StorageError, grant, session, user};

use crate::client_authentication::{self, AuthenticatedClient};
use crate::form;
use crate::issuer_context::CurrentIssuer;
use crate::oauth_response::{self, Refusal};
use crate::state::{AppState, IssuerContext};
use crate::token_form::TokenForm;

/// Answers `POST …/introspect`.
pub(crate) async fn introspect(
    State(state): State<AppState>,
    CurrentIssuer(issuer): CurrentIssuer,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    match answer(&state, &issuer, &headers, &uri, &body).await {
        Ok(body) => oauth_response::no_store(StatusCode::OK, body),
        Err(refusal) => refusal.into_response(),
    }
}

async fn answer(
    state: &AppState,
    issuer: &IssuerContext,
    headers: &HeaderMap,
    uri: &Uri,
    body: &[u8],
) -> Result<Value, Refusal> {
    form::require_form(headers, uri)?;
    let form = TokenForm::parse(body)?;
    let client = client_authentication::authenticate(state, issuer, headers, form.client).await?;
    if !client.is_confidential() {
        return Err(Refusal::invalid_client(false));
    }
    let caller = client.clone();
    let claimed = state.store.write::<_, StorageError, _>(move |tx| {
        Box::pin(async move { caller.claim_assertion(tx).await })
    });
    if !claimed.await? {
        return Err(Refusal::invalid_client(false));
    }
    let inactive = json!({ "active": false });
    let Some(claims) = verify(state, issuer, form.token.expose()) else {
        return Ok(inactive);
    };
    if !may_know(state, &client, &claims) || !is_live(state, issuer, &claims).await? {
        return Ok(inactive);
    }
    let mut body = serde_json::to_value(&claims).expect("claims are JSON");
    body["active"] = true.into();
    body["token_type"] = "Bearer".into();
    Ok(body)
}

/// An access token that this authorization server issued and that has not expired.
fn verify(state: &AppState, issuer: &IssuerContext, token: &str) -> Option<AccessTokenClaims> {
    let keys = state.keys.load().verification(&issuer.role);
    let jwt = UnverifiedJwt::parse(token).ok()?.verify(&keys).ok()?;
    access_token::verify_issued(&jwt, &issuer.issuer, state.now()).ok()
}

fn may_know(state: &AppState, client: &AuthenticatedClient, claims: &AccessTokenClaims) -> bool {
    let directory = state.directory.load();
    let server = directory.server_by_resource(&claims.aud);
    let introspects = server.is_some_and(|server| server.introspected_by.contains(client.id()));
    introspects || &claims.client_id == client.id()
}

/// Whether client and server are still there for the organization (design §4 rule 10).
fn is_offered(state: &AppState, issuer: &IssuerContext, claims: &AccessTokenClaims) -> bool {
    let directory = state.directory.load();
    let is_available = |client: &Client| client.is_available_to(&claims.org);
    let is_elsewhere = |server: &McpServer| !server.is_available_to(&claims.org);
    directory.organization(&claims.org).is_some()
        && directory
            .client(&issuer.role, &claims.client_id)
            .is_some_and(is_available)
        && !directory
            .server_by_resource(&claims.aud)
            .is_some_and(is_elsewhere)
}

/// Asks the database, not the index: introspection promises the current state.
async fn is_live(
    state: &AppState,
    issuer: &IssuerContext,
    claims: &AccessTokenClaims,
) -> Result<bool, Refusal> {
    if !is_offered(state, issuer, claims) {
        return Ok(false);
    }
    let facts = TokenFacts {
        grant: Some(&claims.grant_id),
        user: None,
        client: Some((&issuer.role, &claims.client_id)),
        session: claims.sid.as_ref(),
        organization: Some(&claims.org),
        issued_at: claims.iat,
    };
    if state.revocations.is_revoked(&facts) {
        return Ok(false);
    }
    let (id, sid) = (claims.grant_id.clone(), claims.sid.clone());
    let live: Result<bool, StorageError> = state
        .store
        .read(|c| {
            Box::pin(async move {
                let Some(grant) = grant::find(c, &id).await? else {
                    return Ok(false);
                };
                if let Some(sid) = &sid
                    && session::has_ended(c, sid).await?
                {
                    return Ok(false);
                }
                let active = match &grant.user {
                    Some(id) => user::find(c, &grant.organization, id)
                        .await?
                        .is_some_and(|user| user.is_active()),
                    None => true,
                };
                Ok(active && grant.is_live())
            })
        })
        .await;
    Ok(live?)
}
