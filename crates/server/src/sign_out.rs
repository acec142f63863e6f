//! Signing out of this browser (`…/logout`), and where an identity provider returns to afterwards.
//!
//! Ending a session ends the refresh tokens that came out of it (AS-77). A sign-out is confirmed on
//! a page of ours: a link on another site must not sign anybody out. Parameters of RP-initiated
//! logout are ignored, since no client registers where to go afterwards.

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use symbolon_protocol::ids::ConnectionId;
use symbolon_storage::StorageError;
use symbolon_storage::audit::{Actor, By};
use symbolon_storage::session::{self, Session};
use url::Url;

use crate::authorize::stop::Stop;
use crate::browser_session::{self, SignedIn};
use crate::cookies::Cookie;
use crate::csrf::{self, Form};
use crate::pages::error::PageError;
use crate::pages::{ContentSecurityPolicy, Frame, respond};
use crate::rows;
use crate::state::AppState;
use crate::visit::{Visit, field, read_form};

/// `…/logout` of both roles, and the page that identity providers return to.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/as/logout", get(ask).post(answer))
        .route("/idp/{organization}/logout", get(ask).post(answer))
        .route("/sso/logout", get(returned))
}

#[derive(Template)]
#[template(path = "sign_out.html")]
struct SignOutPage<'a> {
    frame: Frame,
    person: &'a str,
    action: String,
    csrf: String,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage {
    frame: Frame,
    upstream: Option<Upstream>,
}

/// Where the person is still signed in.
struct Upstream {
    url: Url,
    host: String,
}

async fn ask(visit: Visit) -> Response {
    match browser_session::find(&visit).await {
        Ok(Some(signed_in)) => question(&visit, &signed_in),
        Ok(None) => signed_out(&visit.state, None),
        Err(error) => Stop::from(error).into_response(&visit),
    }
}

fn question(visit: &Visit, signed_in: &SignedIn) -> Response {
    let organization = visit
        .directory
        .organization(&signed_in.session.organization);
    let page = SignOutPage {
        frame: Frame::new(&visit.state).of(organization),
        person: signed_in.display_name(),
        action: visit.path("logout"),
        csrf: csrf::token(visit.secret(), Form::SignOut, &signed_in.browser, b""),
    };
    respond(StatusCode::OK, &ContentSecurityPolicy::strict(), &page)
}

async fn answer(visit: Visit, headers: HeaderMap, body: Bytes) -> Response {
    let answer = match read_form(&visit.state, &headers, &body) {
        Ok(form) => end(&visit, field(&form, "csrf").unwrap_or_default()).await,
        Err(error) => Err(error.into()),
    };
    answer.unwrap_or_else(|stop| stop.into_response(&visit))
}

async fn end(visit: &Visit, presented: &str) -> Result<Response, Stop> {
    let Some(signed_in) = browser_session::find(visit).await? else {
        return Ok(signed_out(&visit.state, None));
    };
    if !csrf::is_valid(
        visit.secret(),
        Form::SignOut,
        &signed_in.browser,
        b"",
        presented,
    ) {
        return Err(PageError::FOREIGN_FORM.into());
    }
    end_session(visit, &signed_in.session).await?;
    let upstream = upstream(visit, &signed_in.session.connection).await;
    let mut response = signed_out(&visit.state, upstream);
    let role = &visit.issuer.role;
    for cookie in [Cookie::Session(role), Cookie::Organization(role)] {
        response
            .headers_mut()
            .append(header::SET_COOKIE, visit.cookies.remove(cookie));
    }
    Ok(response)
}

/// Ends the session; storage audits it with everything that ends with it.
async fn end_session(visit: &Visit, ended: &Session) -> Result<(), StorageError> {
    let by = By {
        actor: Actor::User(ended.user.clone()),
        request_id: visit.request_id.to_string(),
    };
    let (id, now) = (ended.id.clone(), visit.now);
    let store = &visit.state.store;
    store
        .write(move |tx| Box::pin(async move { session::end(tx, &id, &by, now).await }))
        .await?;
    Ok(())
}

/// The identity provider's own sign-out, where it has one and answers.
async fn upstream(visit: &Visit, connection: &ConnectionId) -> Option<Upstream> {
    let connection = visit.directory.connection(connection)?;
    let metadata = visit
        .state
        .issuer_keys
        .metadata(&rows::connection(connection))
        .await
        .ok()?;
    let mut url = metadata.end_session_endpoint.clone()?;
    let back = format!("{}/sso/logout", visit.state.public_url);
    url.query_pairs_mut()
        .append_pair("client_id", &connection.client_id)
        .append_pair("post_logout_redirect_uri", &back);
    let host = url.host_str()?.to_owned();
    Some(Upstream { url, host })
}

async fn returned(State(state): State<AppState>) -> Response {
    signed_out(&state, None)
}

fn signed_out(state: &AppState, upstream: Option<Upstream>) -> Response {
    let page = SignedOutPage {
        frame: Frame::new(state),
        upstream,
    };
    respond(StatusCode::OK, &ContentSecurityPolicy::strict(), &page)
}
