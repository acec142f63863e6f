//! The answer of an identity provider (RFC 6749 §4.1.2, RFC 9207): one callback for every connection.
//!
//! Until the answer is known to belong to a sign-in of this browser and to come from the identity
//! provider it was sent to, nobody is redirected (N-021 to N-023). From then on the client is told.

use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::Response;
use symbolon_protocol::form::Form;
use symbolon_protocol::metadata::ProviderMetadata;
use symbolon_protocol::oauth_error::{OAuthError, OAuthErrorCode};
use symbolon_storage::directory::Connection;

use super::attempt::Attempt;
use super::code_exchange::{self, ExchangeError};
use super::session::{self, Outcome};
use crate::authorize::request::Authorization;
use crate::authorize::stop::Stop;
use crate::cookies::Cookies;
use crate::pages::error::PageError;
use crate::request_id::RequestId;
use crate::rows;
use crate::state::AppState;
use crate::visit::Visit;

/// Answers `GET /sso/oidc/callback`.
pub(super) async fn callback(
    State(state): State<AppState>,
    cookies: Cookies,
    request_id: RequestId,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let found = Form::parse(query.as_bytes()).ok().and_then(|answer| {
        let attempt = find(&state, &cookies, &answer)?;
        let issuer = state.issuer_of(&attempt.role)?;
        let visit = Visit::new(&state, issuer, cookies.clone(), request_id.clone());
        Some((visit, attempt, answer))
    });
    let Some((visit, attempt, answer)) = found else {
        tracing::info!(request.id = %request_id, "an answer belongs to no sign-in of its browser");
        return PageError::UNKNOWN_SIGN_IN.into_page(&state, &request_id);
    };
    let finished = finish(&visit, &attempt, &answer).await;
    let mut response = finished.unwrap_or_else(|stop| stop.into_response(&visit));
    response
        .headers_mut()
        .append(header::SET_COOKIE, attempt.forget(&cookies));
    response
}

/// The sign-in of this browser that an answer belongs to (AS-43, N-022).
fn find(state: &AppState, cookies: &Cookies, answer: &Form<'_>) -> Option<Attempt> {
    answer.refuse_repeated(&[]).ok()?;
    let text = answer.one("state").ok()??;
    Attempt::find(cookies, state.cookie_secret(), text, state.now())
}

async fn finish(visit: &Visit, attempt: &Attempt, answer: &Form<'_>) -> Result<Response, Stop> {
    // A connection that was edited meanwhile is another one.
    let connection = visit
        .directory
        .connection(&attempt.connection)
        .filter(|connection| {
            let own = visit.issuer.organization();
            connection.issuer == attempt.issuer
                && own.is_none_or(|own| *own == connection.organization)
        });
    let connection = connection.ok_or(PageError::UNKNOWN_SIGN_IN)?;
    let authorization = Authorization::read(visit, &attempt.query)?;
    let row = rows::connection(connection);
    let metadata = visit
        .state
        .issuer_keys
        .metadata(&row)
        .await
        .map_err(|error| {
            let failure = ExchangeError::Unavailable(error.to_string());
            refuse(visit, &authorization, connection, &failure)
        })?;
    check_issuer(visit, connection, &metadata, answer)?;
    let field = |name| answer.one(name).ok().flatten();
    if let Some(error) = field("error") {
        return Err(passed_on(visit, &authorization, connection, error));
    }
    let code = field("code").ok_or(PageError::UNREADABLE_FORM)?;
    let identity = code_exchange::run(visit, connection, &metadata, attempt, code).await;
    let identity = identity.map_err(|error| refuse(visit, &authorization, connection, &error))?;
    match session::begin(visit, connection, attempt, identity).await? {
        Outcome::SignedIn { session, token } => {
            Ok(session::welcome(visit, attempt, &session, &token))
        }
        Outcome::Refused => Err(authorization.refuse(visit, &NOT_ADMITTED)),
        Outcome::Replayed => Err(PageError::UNKNOWN_SIGN_IN.into()),
    }
}

/// Another issuer's answer, or one without `iss` although it is promised, is a mix-up (N-023).
fn check_issuer(
    visit: &Visit,
    connection: &Connection,
    metadata: &ProviderMetadata,
    answer: &Form<'_>,
) -> Result<(), PageError> {
    let is_promised = metadata.authorization_response_iss_parameter_supported;
    match answer.one("iss").ok().flatten() {
        Some(issuer) if issuer == connection.issuer.as_str() => Ok(()),
        None if !is_promised => Ok(()),
        _ => {
            tracing::warn!(
                connection = %connection.id, request.id = %visit.request_id,
                "the answer does not carry the iss of connection {}", connection.id
            );
            Err(PageError::MIXED_UP)
        }
    }
}

/// The identity provider refused; the client learns what concerns it.
fn passed_on(
    visit: &Visit,
    authorization: &Authorization,
    connection: &Connection,
    error: &str,
) -> Stop {
    let error: String = error
        .chars()
        .filter(char::is_ascii_graphic)
        .take(64)
        .collect();
    tracing::info!(
        connection = %connection.id, request.id = %visit.request_id, error,
        "the identity provider of connection {} answered {error}", connection.id
    );
    let answer = match error.as_str() {
        "access_denied" => &REFUSED_THERE,
        "temporarily_unavailable" => &UNAVAILABLE,
        _ => &FAILED,
    };
    authorization.refuse(visit, answer)
}

/// A failed sign-in: the cause is for the log, the client gets a code (N-024, N-025, N-029).
fn refuse(
    visit: &Visit,
    authorization: &Authorization,
    connection: &Connection,
    error: &ExchangeError,
) -> Stop {
    tracing::warn!(
        connection = %connection.id, request.id = %visit.request_id, error = %error,
        "a sign-in through connection {} failed: {error}", connection.id
    );
    match error {
        ExchangeError::UsedCode => PageError::UNKNOWN_SIGN_IN.into(),
        ExchangeError::Unavailable(_) => authorization.refuse(visit, &UNAVAILABLE),
        ExchangeError::OtherTenant => authorization.refuse(visit, &NOT_ADMITTED),
        ExchangeError::TooOld => authorization.refuse(visit, &TOO_OLD),
        ExchangeError::Failed(_) => authorization.refuse(visit, &FAILED),
    }
}

const UNAVAILABLE: OAuthError = OAuthError::new(
    OAuthErrorCode::TemporarilyUnavailable,
    "the identity provider of the organization does not answer",
);
const FAILED: OAuthError =
    OAuthError::new(OAuthErrorCode::ServerError, "the sign-in was not accepted");
const REFUSED_THERE: OAuthError = OAuthError::new(
    OAuthErrorCode::AccessDenied,
    "the identity provider refused the sign-in",
);
const NOT_ADMITTED: OAuthError = OAuthError::new(
    OAuthErrorCode::AccessDenied,
    "the person does not belong here",
);
const TOO_OLD: OAuthError = OAuthError::new(
    OAuthErrorCode::AccessDenied,
    "the sign-in is not as fresh as was asked",
);
