//! Signing a person in through her organization's identity provider (OpenID Connect Core §3.1).
//!
//! | step | file |
//! | --- | --- |
//! | which organization? (hint, remembered, or asked by work email) | [`organization`], [`page`] |
//! | to its identity provider, with PKCE, nonce and state | [`start`], [`attempt`] |
//! | the answer: state once, `iss`, code, ID token | [`callback`], [`code_exchange`] |
//! | who is that here? | [`identity`], [`person`], [`session`] |
//!
//! Between the steps everything travels in an encrypted cookie: nothing is written for strangers
//! (design §4 rule 20). Tokens of the identity provider never leave this module (AS-35), and no
//! claim picks an organization: the connection does (AS-36, design §4 rule 11).
//!
//! A person signs in before she is asked for consent, because only then is it known whose consent it
//! would be; the code, which is what consent guards, is issued after both (AS-40).

mod attempt;
mod callback;
mod code_exchange;
mod identity;
pub(crate) mod organization;
mod page;
mod person;
mod session;
mod start;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use symbolon_protocol::authorization_request::Prompt;
use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::oauth_error::{OAuthError, OAuthErrorCode};

use self::start::Wish;
use crate::authorize::request::Authorization;
use crate::authorize::resume::Stage;
use crate::authorize::stop::Stop;
use crate::browser_session::SignedIn;
use crate::state::AppState;
use crate::token::StepUp;
use crate::visit::Visit;

/// The sign-in page of both roles and the callback they share.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/as/sign-in", post(page::chosen))
        .route("/idp/{organization}/sign-in", post(page::chosen))
        .route("/sso/oidc/callback", get(callback::callback))
}

/// Begins a sign-in for a request: at the identity provider where the organization is known,
/// otherwise with a question.
///
/// # Errors
/// To the client, when the organization cannot sign anybody in just now.
pub(crate) async fn begin(visit: &Visit, authorization: &Authorization) -> Result<Response, Stop> {
    match organization::known(visit, authorization) {
        Some(organization) => at(visit, authorization, &organization, None).await,
        None => {
            let email = authorization
                .parameters
                .login_hint
                .as_deref()
                .unwrap_or_default();
            Ok(page::ask(visit, authorization, email, None))
        }
    }
}

/// Signs a person in again, as strongly and freshly as policy asks.
///
/// # Errors
/// As [`begin`].
pub(crate) async fn step_up(
    visit: &Visit,
    authorization: &Authorization,
    signed_in: &SignedIn,
    step_up: &StepUp,
) -> Result<Response, Stop> {
    let connection = visit.directory.connection(&signed_in.session.connection);
    let connection = connection.ok_or_else(|| authorization.refuse(visit, &NO_CONNECTION))?;
    let wish = Wish {
        login_hint: signed_in.person.user.email.clone(),
        acr_values: step_up.acr_values.clone(),
        max_age: step_up.max_age,
        prompt: None,
        stage: Stage::SteppedUp,
    };
    start::start(visit, authorization, connection, wish).await
}

/// Signs in at an organization: through its connection, or the one the person chooses.
async fn at(
    visit: &Visit,
    authorization: &Authorization,
    organization: &OrganizationId,
    email: Option<&str>,
) -> Result<Response, Stop> {
    match visit.directory.connections_of(organization).as_slice() {
        [] => Err(authorization.refuse(visit, &NO_CONNECTION)),
        [connection] => {
            start::start(visit, authorization, connection, wish(authorization, email)).await
        }
        several => Ok(page::choose(
            visit,
            authorization,
            organization,
            several,
            email,
        )),
    }
}

/// What the client wants of the sign-in (AS-37).
fn wish(authorization: &Authorization, email: Option<&str>) -> Wish {
    let parameters = &authorization.parameters;
    let hint = email.or(parameters.login_hint.as_deref());
    let prompt = match () {
        () if authorization.prompts(Prompt::SelectAccount) => Some("select_account"),
        () if authorization.prompts(Prompt::Login) => Some("login"),
        () => None,
    };
    Wish {
        login_hint: hint.filter(|hint| hint.contains('@')).map(str::to_owned),
        acr_values: (!parameters.acr_values.is_empty()).then(|| parameters.acr_values.join(" ")),
        max_age: parameters.max_age.map(|limit| limit.as_secs()),
        prompt,
        stage: Stage::SignedIn,
    }
}

const NO_CONNECTION: OAuthError = OAuthError::new(
    OAuthErrorCode::ServerError,
    "the organization has no way to sign in",
);
