//! The listeners: accept, TLS, HTTP/1.1 and HTTP/2, and an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::tls::ReloadingConfig;

/// A client that has not finished its request head or handshake by then is dropped.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long open requests may take after a shutdown was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// A bound listener that does not accept yet.
pub(super) struct Listener {
    tcp: TcpListener,
    tls: Option<Arc<ReloadingConfig>>,
}

impl Listener {
    /// Binds an address.
    pub(super) async fn bind(
        address: SocketAddr,
        tls: Option<Arc<ReloadingConfig>>,
    ) -> Result<Self> {
        let tcp = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}: is another program there?"))?;
        Ok(Self { tcp, tls })
    }

    /// The bound address; tells the port when port 0 was asked for.
    pub(super) fn address(&self) -> Result<SocketAddr> {
        Ok(self.tcp.local_addr()?)
    }

    /// Serves until `stop`, then lets open requests finish for a while.
    pub(super) async fn serve(self, router: Router, stop: CancellationToken) {
        let graceful = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.tcp.accept() => accepted,
                () = stop.cancelled() => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, mostly: give the others a moment to end.
                    tracing::warn!(%error, "could not accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let connection = Connection {
                peer,
                router: router.clone(),
                tls: self.tls.clone(),
            };
            tokio::spawn(connection.run(stream, graceful.watcher()));
        }
        if timeout(GRACE, graceful.shutdown()).await.is_err() {
            tracing::warn!(
                "some requests did not finish within {} seconds",
                GRACE.as_secs()
            );
        }
    }
}

struct Connection {
    peer: SocketAddr,
    router: Router,
    tls: Option<Arc<ReloadingConfig>>,
}

impl Connection {
    async fn run(self, stream: TcpStream, watcher: hyper_util::server::graceful::Watcher) {
        // A small answer must not wait for the next one.
        let _ = stream.set_nodelay(true);
        match self.tls.clone() {
            None => self.http(stream, watcher).await,
            Some(tls) => {
                let handshake = TlsAcceptor::from(tls.current()).accept(stream);
                match timeout(HEAD_TIMEOUT, handshake).await {
                    Ok(Ok(stream)) => self.http(stream, watcher).await,
                    Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "no TLS: {error}"),
                    Err(_) => tracing::debug!(peer = %self.peer, "TLS handshake took too long"),
                }
            }
        }
    }

    async fn http<S>(self, stream: S, watcher: hyper_util::server::graceful::Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { peer, router, .. } = self;
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request)
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT);
        builder.http2().timer(TokioTimer::new());
        let connection = builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%peer, "connection ended: {error}");
        }
    }
}
