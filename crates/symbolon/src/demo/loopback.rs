//! A server that cannot be reached from another machine.

use std::{future::IntoFuture as _, io, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use symbolon_protocol::issuer;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

/// How long open requests may take after a shutdown was asked for.
const GRACE: Duration = Duration::from_secs(2);

/// Why a server of the demonstration did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not on loopback.
    #[error(
        "{0} is not a loopback address: this server is for demonstrations on one machine, use 127.0.0.1 or [::1]"
    )]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The signing key cannot be made.
    #[error("signing key: {0}")]
    Key(String),
}

/// A server that runs until this value is dropped or [`Running::shutdown`] is called.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: DropGuard,
    task: JoinHandle<()>,
}

impl Running {
    /// Listens on `address`, which must be loopback, and serves what `routes` makes for the bound
    /// address.
    pub(super) async fn start(
        address: SocketAddr,
        routes: impl FnOnce(SocketAddr) -> Result<Router, StartError>,
    ) -> Result<Self, StartError> {
        if !address.ip().to_canonical().is_loopback() {
            return Err(StartError::NotLoopback(address));
        }
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let router = routes(address)?.layer(middleware::from_fn(answer_loopback_only));
        let stop = CancellationToken::new();
        let server = axum::serve(listener, router)
            .with_graceful_shutdown(stop.clone().cancelled_owned())
            .into_future();
        let task = tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "a server of the demonstration stopped");
            }
        });
        Ok(Self {
            address,
            stop: stop.drop_guard(),
            task,
        })
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL of it; `path` starts with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Stops listening, lets open requests finish for two seconds and ends the server.
    pub async fn shutdown(self) {
        drop(self.stop);
        let mut task = self.task;
        if timeout(GRACE, &mut task).await.is_err() {
            task.abort();
        }
    }
}

/// Refuses requests that a browser sends on behalf of a site elsewhere (`RS-61`, `RS-62`).
async fn answer_loopback_only(request: Request, next: Next) -> Response {
    if is_for_loopback(request.uri(), request.headers()) && is_from_loopback(request.headers()) {
        next.run(request).await
    } else {
        (
            StatusCode::FORBIDDEN,
            "this server answers to loopback names only\n",
        )
            .into_response()
    }
}

fn is_for_loopback(uri: &Uri, headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let authority = uri.authority().map(|authority| authority.as_str()).or(host);
    authority.is_some_and(|authority| is_loopback(&format!("http://{authority}")))
}

fn is_from_loopback(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ORIGIN)
        .iter()
        .all(|origin| origin.to_str().is_ok_and(is_loopback))
}

fn is_loopback(origin: &str) -> bool {
    Url::parse(origin).is_ok_and(|url| issuer::is_loopback(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_others_can_reach_is_refused() {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
            let address: SocketAddr = address.parse().expect("an address");
            let result = Running::start(address, |_| Ok(Router::new())).await;
            assert!(
                matches!(result, Err(StartError::NotLoopback(_))),
                "{result:?}"
            );
        }
    }

    #[test]
    fn only_loopback_names_are_loopback() {
        for origin in [
            "http://localhost:1",
            "http://127.0.0.1",
            "https://127.8.8.8:9",
            "http://[::1]:9",
        ] {
            assert!(is_loopback(origin), "{origin}");
        }
        for origin in [
            "null",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "http://10.0.0.1",
            "",
        ] {
            assert!(!is_loopback(origin), "{origin}");
        }
    }
}
