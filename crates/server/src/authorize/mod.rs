//! The authorization endpoint of both roles ([RFC 6749] §4.1, OpenID Connect Core §3.1.2).
//!
//! Flow C of the design. [`dispatch`] is the only place that decides what comes next; no step calls
//! another one, each ends by bringing the browser back here.
//!
//! | step | where | otherwise |
//! | --- | --- | --- |
//! | client and redirect URI belong together | [`request`] | a page, never a redirect (AS-23) |
//! | the rest of the request, resource and scopes | [`request`], [`target`] | an error to the client |
//! | who is it? | [`crate::browser_session`] | [`crate::sign_in`], and back |
//! | may she? (`grant_access`, per scope) | [`permission`] | `access_denied`, or another sign-in |
//! | does she agree? | [`crate::consent`] | the consent page, and back |
//! | the code | [`code`] | |
//!
//! [RFC 6749]: https://www.rfc-editor.org/rfc/rfc6749

pub(crate) mod code;
pub(crate) mod permission;
pub(crate) mod request;
pub(crate) mod resume;
pub(crate) mod stop;
pub(crate) mod target;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::response::Response;
use axum::routing::get;
use symbolon_protocol::authorization_request::Prompt;
use symbolon_protocol::form::Form;
use symbolon_protocol::oauth_error::{OAuthError, OAuthErrorCode};
use url::form_urlencoded;

use self::permission::{Granted, Permission};
use self::request::Authorization;
use self::resume::Stage;
use self::stop::Stop;
use crate::browser_session::{self, SignedIn};
use crate::consent::{self, Agreement};
use crate::pages::error::PageError;
use crate::sign_in;
use crate::state::AppState;
use crate::visit::{Visit, see_other};

/// `…/authorize` of both roles.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/as/authorize", get(authorize).post(repeat))
        .route("/idp/{organization}/authorize", get(authorize).post(repeat))
}

async fn authorize(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let answer = match Authorization::read(&visit, &query) {
        Ok(authorization) => dispatch(&visit, &authorization, None).await,
        Err(stop) => Err(stop),
    };
    answer.unwrap_or_else(|stop| stop.into_response(&visit))
}

/// A request in a form (OpenID Connect Core §3.1.2.1) is asked again as a GET: a form of another
/// site comes without our cookies, and changes nothing.
async fn repeat(visit: Visit, body: Bytes) -> Response {
    if Form::parse(&body).is_err() {
        return visit.page(PageError::UNREADABLE_FORM);
    }
    let query: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form_urlencoded::parse(&body))
        .finish();
    see_other(&format!("{}?{query}", visit.path("authorize")))
}

/// Decides what comes next. `agreement` is the answer that the consent page just brought.
///
/// # Errors
/// [`Stop`]: why there is no code.
pub(crate) async fn dispatch(
    visit: &Visit,
    authorization: &Authorization,
    agreement: Option<&Agreement>,
) -> Result<Response, Stop> {
    target::check(visit, authorization)?;
    let signed_in = browser_session::find(visit).await?;
    let signed_in = match signed_in.filter(|found| authorization.accepts(visit, found)) {
        Some(signed_in) => signed_in,
        None if authorization.prompts(Prompt::None) => {
            return Err(authorization.refuse(visit, &LOGIN_REQUIRED));
        }
        None => return sign_in::begin(visit, authorization).await,
    };
    let target = target::resolve(visit, authorization, &signed_in.session.organization)?;
    match permission::ask(visit, authorization, &signed_in, target) {
        Permission::Granted(granted) => {
            finish(visit, authorization, &signed_in, &granted, agreement).await
        }
        Permission::StepUp { .. } if authorization.prompts(Prompt::None) => {
            Err(authorization.refuse(visit, &LOGIN_REQUIRED))
        }
        Permission::StepUp { step_up, .. }
            if authorization.stage(visit, &signed_in) != Some(Stage::SteppedUp) =>
        {
            sign_in::step_up(visit, authorization, &signed_in, &step_up).await
        }
        Permission::StepUp { denied, .. } | Permission::Denied(denied) => {
            permission::record(visit, authorization, &signed_in, &denied).await?;
            Err(authorization.refuse(visit, &ACCESS_DENIED))
        }
    }
}

/// Asks for consent where it is needed, and issues the code.
async fn finish(
    visit: &Visit,
    authorization: &Authorization,
    signed_in: &SignedIn,
    granted: &Granted,
    agreement: Option<&Agreement>,
) -> Result<Response, Stop> {
    let basis = consent::basis(visit, authorization, signed_in, granted, agreement).await?;
    match basis {
        Some(basis) => code::issue(visit, authorization, signed_in, granted, basis).await,
        None if authorization.prompts(Prompt::None) => {
            Err(authorization.refuse(visit, &CONSENT_REQUIRED))
        }
        None => Ok(consent::page(visit, authorization, signed_in, granted)),
    }
}

const LOGIN_REQUIRED: OAuthError = OAuthError::new(
    OAuthErrorCode::LoginRequired,
    "the person has to sign in first",
);
const CONSENT_REQUIRED: OAuthError = OAuthError::new(
    OAuthErrorCode::ConsentRequired,
    "the person was not asked yet",
);
const ACCESS_DENIED: OAuthError = OAuthError::new(
    OAuthErrorCode::AccessDenied,
    "the organization does not allow this access",
);
