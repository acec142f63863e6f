//! The streaming client of the gateway, behind the same guard.
//!
//! Bodies pass in both directions as they arrive; the only time limit is that of opening a
//! connection, because an event stream may last for hours. The guard sits in the connector, as in
//! [`crate::client`]: nothing resolves a name but the resolver that checks the addresses, and plain
//! http goes to allowed networks only.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper::body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy::{Client as LegacyClient, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::net::TcpStream;
use tower::Service;
use url::Url;

use crate::{
    client::HttpClient,
    error::{FetchError, NetError},
    resolver::GuardedResolver,
    url_class::{Reach, Transport, UrlClass},
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Idle connections are closed before common servers close them.
const IDLE: Duration = Duration::from_secs(30);
const IDLE_PER_HOST: usize = 128;

/// A pooled client that streams; clones share the pool.
pub type Client<B> = LegacyClient<GuardedConnector, B>;

/// Makes a client for one class of URL with the trust of `net`, which [`HttpClient::trusting`]
/// extends.
///
/// Make one and keep it: its pool belongs to it.
///
/// # Errors
/// [`NetError`] when a certificate cannot be used.
pub fn client<B>(net: &HttpClient, class: UrlClass) -> Result<Client<B>, NetError>
where
    B: Body + Send,
    B::Data: Send,
{
    let connector = GuardedConnector::new(net, class)?;
    Ok(LegacyClient::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .build(connector))
}

/// Opens connections to permitted addresses only.
#[derive(Clone)]
pub struct GuardedConnector {
    reach: Reach,
    tls: HttpsConnector<HttpConnector<GuardedResolver>>,
    plain: HttpConnector<GuardedResolver>,
    timeout: Duration,
}

impl GuardedConnector {
    fn new(net: &HttpClient, class: UrlClass) -> Result<Self, NetError> {
        let tcp = |transport| {
            let mut connector = HttpConnector::new_with_resolver(net.resolver(class, transport));
            connector.enforce_http(false);
            connector.set_nodelay(true);
            connector
        };
        let tls = HttpsConnectorBuilder::new()
            .with_tls_config(net.tls_config()?)
            .https_only()
            .enable_all_versions()
            .wrap_connector(tcp(Transport::Tls));
        Ok(Self {
            reach: net.reach(class).clone(),
            tls,
            plain: tcp(Transport::Plain),
            timeout: net.connect_timeout(),
        })
    }

    async fn connect(mut self, uri: Uri) -> Result<Stream, BoxError> {
        let url = Url::parse(&uri.to_string())?;
        match self.reach.admit(&url)? {
            Transport::Tls => self.tls.call(uri).await,
            Transport::Plain => Ok(MaybeHttpsStream::Http(self.plain.call(uri).await?)),
        }
    }

    async fn connect_in_time(self, uri: Uri) -> Result<Stream, BoxError> {
        let limit = self.timeout;
        let host = uri.host().unwrap_or_default().to_owned();
        match tokio::time::timeout(limit, self.connect(uri)).await {
            Ok(connected) => connected,
            Err(_) => Err(FetchError::TimedOut { host, limit }.into()),
        }
    }
}

impl Service<Uri> for GuardedConnector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    /// Both connectors are always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect_in_time(uri))
    }
}
