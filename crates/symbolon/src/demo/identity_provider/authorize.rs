//! The authorization endpoint (OpenID Connect Core §3.1.2).
//!
//! The browser brings a request; whoever is signed in already goes on at once, everybody else picks
//! a person on the page. The page carries the request as it came, so nothing is kept for people who
//! never answer.

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use symbolon_protocol::{
    authorization_request::{AddressedRequest, AuthorizationRequest, Prompt},
    authorization_response::AuthorizationResponse,
    form::Form,
    oauth_error::{OAuthError, OAuthErrorCode},
    redirect_uri::{self, VerifiedRedirectUri},
    scope::ScopeSet,
    time::Timestamp,
};

use super::{
    Client, Provider, Shared,
    code::Code,
    page,
    session::{self, Session},
};

/// An authorization request whose client and redirect URI belong together.
struct Request<'a> {
    client: &'a Client,
    redirect_uri: VerifiedRedirectUri,
    state: Option<String>,
    parameters: Result<AuthorizationRequest, OAuthError>,
}

/// `GET /authorize`.
pub(super) async fn ask(
    State(provider): Shared,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let request = match Request::read(&provider, &query) {
        Ok(request) => request,
        Err(error) => return page::refusal(&error),
    };
    let parameters = match &request.parameters {
        Ok(parameters) => parameters,
        Err(error) => return request.refuse(&provider, error),
    };
    let now = provider.clock.now();
    let session = provider.sessions.find(&headers, now);
    match session.filter(|session| is_enough(session, parameters, now)) {
        Some(session) => request.grant(&provider, parameters, session),
        None if parameters.prompt.contains(&Prompt::None) => {
            let code = OAuthErrorCode::LoginRequired;
            request.refuse(&provider, &OAuthError::new(code, "nobody is signed in"))
        }
        None => {
            let hint = parameters.login_hint.as_deref();
            page::sign_in(
                &provider,
                request.client,
                &query,
                hint,
                wants_second_factor(parameters),
            )
        }
    }
}

/// `POST /authorize`: the answer of the page.
pub(super) async fn answer(State(provider): Shared, headers: HeaderMap, body: String) -> Response {
    if is_from_another_site(&headers) {
        return (
            StatusCode::FORBIDDEN,
            "sign in on the page of this server\n",
        )
            .into_response();
    }
    match sign_in(&provider, &body) {
        Ok(response) => response,
        Err(error) => page::refusal(&error),
    }
}

fn sign_in(provider: &Provider, body: &str) -> Result<Response, OAuthError> {
    let form = Form::parse(body.as_bytes())?;
    let query = form.one("request")?.unwrap_or_default();
    let request = Request::read(provider, query)?;
    let parameters = match &request.parameters {
        Ok(parameters) => parameters,
        Err(error) => return Ok(request.refuse(provider, error)),
    };
    let Some(person) = form.one("login")?.and_then(|id| provider.person(id)) else {
        let error = OAuthError::new(OAuthErrorCode::AccessDenied, "the sign-in was cancelled");
        return Ok(request.refuse(provider, &error));
    };
    let now = provider.clock.now();
    let session = Session::begin(&person.id, wants_second_factor(parameters), now);
    let cookie = session::set_cookie(&provider.sessions.insert(session.clone()));
    let mut response = request.grant(provider, parameters, session);
    response
        .headers_mut()
        .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

impl<'a> Request<'a> {
    fn read(provider: &'a Provider, query: &str) -> Result<Self, OAuthError> {
        let unknown = OAuthError::new(OAuthErrorCode::InvalidClient, "client_id is not known");
        let mismatch = OAuthError::invalid_request("redirect_uri is not registered");
        let addressed = AddressedRequest::parse(query)?;
        let client = provider.client(addressed.client_id()).ok_or(unknown)?;
        let redirect_uri = redirect_uri::select(addressed.redirect_uri(), &client.redirect_uris);
        Ok(Self {
            client,
            redirect_uri: redirect_uri.map_err(|_| mismatch)?,
            state: addressed.state().map(str::to_owned),
            parameters: addressed.parameters().and_then(with_openid),
        })
    }

    fn grant(
        &self,
        provider: &Provider,
        parameters: &AuthorizationRequest,
        session: Session,
    ) -> Response {
        let code = provider.codes.insert(Code {
            client: self.client.id.clone(),
            redirect_uri: self.redirect_uri.as_str().to_owned(),
            challenge: parameters.code_challenge.clone(),
            scope: parameters.scope.clone().unwrap_or_default(),
            nonce: parameters.nonce.clone(),
            session,
            issued_at: provider.clock.now(),
        });
        redirect(&self.response(provider).code(&code))
    }

    fn refuse(&self, provider: &Provider, error: &OAuthError) -> Response {
        redirect(&self.response(provider).error(error))
    }

    fn response<'b>(&'b self, provider: &'b Provider) -> AuthorizationResponse<'b> {
        AuthorizationResponse {
            redirect_uri: &self.redirect_uri,
            state: self.state.as_deref(),
            issuer: &provider.issuer,
        }
    }
}

fn with_openid(parameters: AuthorizationRequest) -> Result<AuthorizationRequest, OAuthError> {
    let scope = parameters.scope.as_ref();
    if scope.is_some_and(|scope: &ScopeSet| scope.contains("openid")) {
        return Ok(parameters);
    }
    let code = OAuthErrorCode::InvalidScope;
    Err(OAuthError::new(code, "the scope openid is missing"))
}

/// Whether a sign-in of before answers this request.
fn is_enough(session: &Session, parameters: &AuthorizationRequest, now: Timestamp) -> bool {
    let asks_again = [Prompt::Login, Prompt::SelectAccount]
        .iter()
        .any(|prompt| parameters.prompt.contains(prompt));
    let age = now.since(session.authenticated_at);
    let is_recent = parameters.max_age.is_none_or(|max_age| age <= max_age);
    let is_strong = session.has_second_factor || !wants_second_factor(parameters);
    !asks_again && is_recent && is_strong
}

fn wants_second_factor(parameters: &AuthorizationRequest) -> bool {
    parameters
        .acr_values
        .iter()
        .any(|acr| acr == session::SECOND_FACTOR)
}

/// Fetch Metadata: a form on another site must not sign somebody in here.
fn is_from_another_site(headers: &HeaderMap) -> bool {
    let site = headers
        .get("sec-fetch-site")
        .and_then(|site| site.to_str().ok());
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

fn redirect(location: &str) -> Response {
    (
        [(header::CACHE_CONTROL, "no-store")],
        Redirect::to(location),
    )
        .into_response()
}
