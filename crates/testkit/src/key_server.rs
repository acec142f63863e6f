//! A real HTTP server that publishes a key set, counts who asks and can be taken down.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server for one key set on loopback; it stops when it is dropped.
pub struct KeyServer {
    address: SocketAddr,
    fetches: Arc<AtomicUsize>,
    keys: Arc<Mutex<Value>>,
    task: JoinHandle<()>,
}

impl KeyServer {
    /// Starts to publish `jwks`.
    ///
    /// # Panics
    /// When loopback cannot be listened on.
    pub async fn start(jwks: Value) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let fetches = Arc::new(AtomicUsize::new(0));
        let keys = Arc::new(Mutex::new(jwks));
        let (count, answer) = (fetches.clone(), keys.clone());
        let fetched = move || {
            count.fetch_add(1, Ordering::SeqCst);
            let keys = answer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            // One connection a request: a server that is taken down is gone at once.
            async move { ([("connection", "close")], Json(keys)) }
        };
        let router = Router::new().route("/jwks", get(fetched));
        let task = tokio::spawn(async move {
            axum::serve(listener, router)
                .await
                .expect("serving ends with the task");
        });
        Self {
            address,
            fetches,
            keys,
            task,
        }
    }

    /// Where the key set is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/jwks", self.address)
    }

    /// How often it was asked for.
    #[must_use]
    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Publishes another key set from now on.
    pub fn publish(&self, jwks: Value) {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = jwks;
    }

    /// Stops listening: from now on connections are refused.
    pub async fn take_down(&mut self) {
        self.task.abort();
        // Aborting drops the listener only once the task has ended.
        while !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
