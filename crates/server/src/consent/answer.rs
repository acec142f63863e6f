//! The answer to the consent page (N-017, N-018).

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use symbolon_protocol::form::Form;
use symbolon_protocol::oauth_error::{OAuthError, OAuthErrorCode};
use symbolon_protocol::scope::ScopeSet;
use symbolon_storage::audit::Outcome;

use super::{Agreement, page};
use crate::authorize::permission;
use crate::authorize::request::Authorization;
use crate::authorize::stop::Stop;
use crate::browser_session::{self, SignedIn};
use crate::csrf;
use crate::pages::error::PageError;
use crate::state::AppState;
use crate::visit::{Visit, decoded, field, read_form};

/// `…/consent` of both roles.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/as/consent", post(consent))
        .route("/idp/{organization}/consent", post(consent))
}

async fn consent(visit: Visit, headers: HeaderMap, body: Bytes) -> Response {
    let answer = match read_form(&visit.state, &headers, &body) {
        Ok(form) => take(&visit, &form).await,
        Err(error) => Err(error.into()),
    };
    answer.unwrap_or_else(|stop| stop.into_response(&visit))
}

/// Checks that the form was shown to this session, and goes back to the dispatcher with the answer.
async fn take(visit: &Visit, form: &Form<'_>) -> Result<Response, Stop> {
    let presented = field(form, "csrf").map_err(|_| PageError::FOREIGN_FORM)?;
    let signed_in = browser_session::find(visit)
        .await?
        .ok_or(PageError::FOREIGN_FORM)?;
    let query = decoded(field(form, "request")?)?;
    let shown = ScopeSet::parse(&decoded(field(form, "shown")?)?);
    let shown = shown.map_err(|_| PageError::UNREADABLE_FORM)?;
    let subject = page::subject(visit, &query, &shown);
    let (secret, browser) = (visit.secret(), &signed_in.browser);
    if !csrf::is_valid(secret, csrf::Form::Consent, browser, &subject, presented) {
        return Err(PageError::FOREIGN_FORM.into());
    }
    let authorization = Authorization::read(visit, &query)?;
    match field(form, "answer")? {
        "allow" => {
            let agreement = Agreement { scopes: shown };
            crate::authorize::dispatch(visit, &authorization, Some(&agreement)).await
        }
        "deny" => deny(visit, &authorization, &signed_in).await,
        _ => Err(PageError::UNREADABLE_FORM.into()),
    }
}

async fn deny(
    visit: &Visit,
    authorization: &Authorization,
    signed_in: &SignedIn,
) -> Result<Response, Stop> {
    let reason = "the person did not allow it".to_owned();
    let event =
        permission::event(visit, authorization, signed_in).outcome(Outcome::Denied { reason });
    permission::append(visit, event).await?;
    Err(authorization.refuse(visit, &NOT_ALLOWED))
}

const NOT_ALLOWED: OAuthError =
    OAuthError::new(OAuthErrorCode::AccessDenied, "the person did not allow it");
