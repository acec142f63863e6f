//! An OpenID provider that says whatever a test wants: keys and metadata are right, the ID token is
//! the test's.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use symbolon_protocol::digest::base64url;
use symbolon_testkit::{Signer, Token};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::Product;

/// A running provider; it stops when it is dropped.
pub struct LyingProvider {
    pub issuer: String,
    pub signer: Signer,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    issuer: String,
    jwks: Value,
    /// The ID token that the next code is exchanged for; without one the code is refused.
    next: Mutex<Option<String>>,
    redemptions: AtomicUsize,
}

impl LyingProvider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let issuer = format!("http://{address}");
        let signer = Signer::generate();
        let shared = Arc::new(Shared {
            issuer: issuer.clone(),
            jwks: signer.jwks(),
            next: Mutex::default(),
            redemptions: AtomicUsize::new(0),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .with_state(shared.clone());
        let task = tokio::spawn(async move {
            axum::serve(listener, router)
                .await
                .expect("serving ends with the task");
        });
        Self {
            issuer,
            signer,
            shared,
            task,
        }
    }

    /// How often a code was brought to the token endpoint.
    pub fn redemptions(&self) -> usize {
        self.shared.redemptions.load(Ordering::SeqCst)
    }

    /// An ID token about Ada of Initech, right in every respect.
    pub fn id_token(&self, product: &Product, nonce: &str) -> Token {
        Token::id_token(
            &self.signer,
            &self.issuer,
            "liar-ada",
            "symbolon",
            product.now(),
        )
        .with("nonce", nonce)
        .with("tid", "initech")
        .with("email", "ada@initech.example")
        .with("email_verified", true)
        .with("at_hash", at_hash())
    }

    /// What the next code is exchanged for.
    pub fn answer(&self, id_token: String) {
        *self
            .shared
            .next
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(id_token);
    }
}

impl Drop for LyingProvider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const ACCESS_TOKEN: &str = "upstream-access-token";

fn at_hash() -> String {
    base64url(&symbolon_protocol::digest::sha256(ACCESS_TOKEN.as_bytes())[..16])
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", shared.issuer);
    Json(json!({
        "issuer": shared.issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "jwks_uri": at("jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn jwks(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.jwks.clone())
}

/// A code works once.
async fn token(State(shared): State<Arc<Shared>>) -> Response {
    shared.redemptions.fetch_add(1, Ordering::SeqCst);
    match shared
        .next
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
    {
        None => (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "invalid_grant" })),
        )
            .into_response(),
        Some(id_token) => Json(json!({
            "access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": id_token,
        }))
        .into_response(),
    }
}
