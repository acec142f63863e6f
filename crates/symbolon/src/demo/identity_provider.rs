//! A small OpenID provider for development and demonstrations ([OpenID Connect Core], authorization
//! code flow).
//!
//! It stands where a company's own identity provider stands: discovery, keys, sign-in page, token
//! endpoint, logout. It knows a few invented people and asks for no password, therefore it listens
//! on loopback only. Everything is in memory and gone when it stops. What it issues is exact all
//! the same, so that what works with it works elsewhere: PKCE `S256` is required, codes are used
//! once, `iss` is in every answer (RFC 9207).
//!
//! A program signs somebody in without a browser by posting `request` (the query of the
//! authorization request) and `login` (the id of a person) to `/authorize`; the redirect carries the code.
//!
//! [OpenID Connect Core]: https://openid.net/specs/openid-connect-core-1_0.html

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use symbolon_net::Clock;
use symbolon_protocol::{
    ids::{ClientId, KeyId},
    issuer::Issuer,
    jose::{Algorithm, SigningKey},
    oauth_error::OAuthError,
    redirect_uri::RegisteredRedirectUri,
    secret::Secret,
};

use self::{code::Codes, session::Sessions};
use super::{Running, StartError};

mod authorize;
mod code;
mod id_token;
mod logout;
mod page;
mod person;
mod session;
#[cfg(test)]
mod tests;
mod token;

pub use person::Person;

/// What a development identity provider is told at start.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen; must be loopback. Port 0 picks a free one.
    pub address: SocketAddr,
    /// The applications that people may sign in to.
    pub clients: Vec<Client>,
    /// The people who may sign in.
    pub people: Vec<Person>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// An application registered at the development identity provider.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its `client_id`.
    pub id: ClientId,
    /// Its secret, by `client_secret_basic` or `client_secret_post`.
    pub secret: Secret,
    /// Where a sign-in may return to.
    pub redirect_uris: Vec<RegisteredRedirectUri>,
    /// Where a sign-out may return to, compared byte for byte.
    pub post_logout_redirect_uris: Vec<String>,
}

/// Everything one running provider knows.
struct Provider {
    issuer: Issuer,
    key: SigningKey,
    clients: Vec<Client>,
    people: Vec<Person>,
    clock: Arc<dyn Clock>,
    codes: Codes,
    sessions: Sessions,
}

type Shared = State<Arc<Provider>>;

/// Starts a development identity provider; its issuer is [`Running::url`] of the empty path.
///
/// # Errors
/// [`StartError::NotLoopback`] for any other address, and [`StartError`] when it cannot listen or
/// make a key.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    Running::start(settings.address, |bound| {
        Ok(routes(Arc::new(Provider::new(settings, bound)?)))
    })
    .await
}

fn routes(provider: Arc<Provider>) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/jwks", get(jwks))
        .route("/authorize", get(authorize::ask).post(authorize::answer))
        .route("/token", post(token::answer))
        .route(
            "/logout",
            get(logout::sign_out).post(logout::sign_out_by_form),
        )
        .route("/style.css", get(page::style))
        .with_state(provider)
}

impl Provider {
    fn new(settings: Settings, bound: SocketAddr) -> Result<Self, StartError> {
        let failed = |error: &dyn std::fmt::Display| StartError::Key(error.to_string());
        let issuer = Issuer::parse(&format!("http://{bound}")).map_err(|error| failed(&error))?;
        let pkcs8 = SigningKey::generate(Algorithm::Es256).map_err(|error| failed(&error))?;
        // A new name for every key: whoever kept the keys of an earlier run must notice.
        let key = SigningKey::from_pkcs8(Algorithm::Es256, KeyId::generate(), &pkcs8);
        Ok(Self {
            issuer,
            key: key.map_err(|error| failed(&error))?,
            clients: settings.clients,
            people: settings.people,
            sessions: Sessions::new(bound.port()),
            codes: Codes::default(),
            clock: settings.clock,
        })
    }

    fn client(&self, id: &ClientId) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == *id)
    }

    fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }
}

/// OpenID Connect Discovery §3.
async fn metadata(State(provider): Shared) -> Json<Value> {
    Json(json!({
        "issuer": provider.issuer,
        "authorization_endpoint": provider.endpoint("/authorize"),
        "token_endpoint": provider.endpoint("/token"),
        "jwks_uri": provider.endpoint("/jwks"),
        "end_session_endpoint": provider.endpoint("/logout"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": ["openid", "email", "profile", "groups"],
        "acr_values_supported": [session::PASSWORD, session::SECOND_FACTOR],
        "claims_supported": id_token::CLAIMS,
    }))
}

/// RFC 7517 §5.
async fn jwks(State(provider): Shared) -> Json<Value> {
    Json(json!({ "keys": [provider.key.public_jwk()] }))
}

/// An OAuth error as JSON (RFC 6749 §5.2).
fn refuse(error: OAuthError) -> Response {
    let status = axum::http::StatusCode::from_u16(error.code.status()).unwrap_or_default();
    let mut response = (status, [(header::CACHE_CONTROL, "no-store")], Json(error)).into_response();
    if status == axum::http::StatusCode::UNAUTHORIZED {
        let challenge = header::HeaderValue::from_static("Basic realm=\"development\"");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
