//! An issuer on loopback whose keys change, fail and are counted.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use symbolon_net::{IssuerRow, KeySource, UrlClass};
use symbolon_protocol::{
    ids::KeyId,
    issuer::Issuer,
    jose::{Algorithm, SigningKey},
};

use crate::peer::Peer;

/// An issuer that runs until the test ends.
pub(crate) struct RemoteIssuer {
    pub(crate) peer: Peer,
    state: Arc<Shared>,
}

struct Shared {
    keys: Mutex<Vec<Value>>,
    cache_control: &'static str,
    is_down: AtomicBool,
    is_stuck: AtomicBool,
    metadata_requests: AtomicUsize,
    key_requests: AtomicUsize,
}

impl RemoteIssuer {
    /// An issuer with one key, whose key set says `cache_control`.
    pub(crate) async fn start(kid: &str, cache_control: &'static str) -> Self {
        let state = Arc::new(Shared {
            keys: Mutex::new(vec![public_key(kid)]),
            cache_control,
            is_down: AtomicBool::new(false),
            is_stuck: AtomicBool::new(false),
            metadata_requests: AtomicUsize::new(0),
            key_requests: AtomicUsize::new(0),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(key_set))
            .with_state(Arc::clone(&state));
        Self {
            peer: Peer::start(router).await,
            state,
        }
    }

    pub(crate) fn issuer(&self) -> Issuer {
        let url = self.peer.url("").to_string();
        Issuer::parse(url.trim_end_matches('/')).expect("an issuer")
    }

    /// A row whose keys come by discovery from here.
    pub(crate) fn row(&self, id: &str) -> IssuerRow {
        IssuerRow {
            id: id.to_owned(),
            class: UrlClass::DeploymentAdmin,
            source: KeySource::Discovery(self.issuer()),
            ca_pem: None,
        }
    }

    /// Publishes one more key.
    pub(crate) fn publish(&self, kid: &str) {
        self.state.keys.lock().expect("keys").push(public_key(kid));
    }

    /// From now on every answer is 503, or none is.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.state.is_down.store(is_down, Ordering::SeqCst);
    }

    /// From now on requests for keys are never answered.
    pub(crate) fn get_stuck(&self) {
        self.state.is_stuck.store(true, Ordering::SeqCst);
    }

    /// How often the key set was asked for.
    pub(crate) fn key_requests(&self) -> usize {
        self.state.key_requests.load(Ordering::SeqCst)
    }

    /// How often the metadata was asked for.
    pub(crate) fn metadata_requests(&self) -> usize {
        self.state.metadata_requests.load(Ordering::SeqCst)
    }
}

/// The public part of a new key.
pub(crate) fn public_key(kid: &str) -> Value {
    let pkcs8 = SigningKey::generate(Algorithm::Es256).expect("a key");
    let kid = KeyId::parse(kid).expect("a key id");
    let key = SigningKey::from_pkcs8(Algorithm::Es256, kid, &pkcs8).expect("a key");
    key.public_jwk()
}

async fn metadata(
    State(state): State<Arc<Shared>>,
    headers: axum::http::HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    state.metadata_requests.fetch_add(1, Ordering::SeqCst);
    if state.is_down.load(Ordering::SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let host = headers["host"].to_str().expect("ascii");
    Ok(Json(json!({
        "issuer": format!("http://{host}"),
        "authorization_endpoint": format!("http://{host}/authorize"),
        "token_endpoint": format!("http://{host}/token"),
        "jwks_uri": format!("http://{host}/jwks"),
    })))
}

async fn key_set(State(state): State<Arc<Shared>>) -> Response {
    state.key_requests.fetch_add(1, Ordering::SeqCst);
    if state.is_down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if state.is_stuck.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    let keys = Json(json!({ "keys": *state.keys.lock().expect("keys") }));
    ([(header::CACHE_CONTROL, state.cache_control)], keys).into_response()
}
