//! Real servers on loopback that count the connections they accept.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    serve::{Listener, ListenerExt},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use symbolon_net::{HttpClient, NetConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use url::Url;

/// A server that runs until the test ends.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    accepted: Arc<AtomicUsize>,
}

impl Peer {
    /// Serves `router` by plain http on 127.0.0.1.
    pub(crate) async fn start(router: Router) -> Self {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), router).await
    }

    /// Serves `router` by plain http at `address`.
    pub(crate) async fn start_at(address: SocketAddr, router: Router) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        let listener = listener.tap_io(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            scheme: "http",
            accepted,
        }
    }

    /// Serves `router` by https with a certificate of `authority`.
    pub(crate) async fn start_tls(authority: &Authority, router: Router) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("bound");
        let accepted = Arc::new(AtomicUsize::new(0));
        let listener = TlsListener {
            listener,
            acceptor: authority.acceptor(),
            accepted: Arc::clone(&accepted),
        };
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            scheme: "https",
            accepted,
        }
    }

    /// A URL of this server by its address.
    pub(crate) fn url(&self, path: &str) -> Url {
        self.url_at(&self.address.ip().to_string(), path)
    }

    /// A URL of this server by another name.
    pub(crate) fn url_at(&self, host: &str, path: &str) -> Url {
        let port = self.address.port();
        Url::parse(&format!("{}://{host}:{port}{path}", self.scheme)).expect("a url")
    }

    /// How many connections were accepted so far.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// A certificate authority for one test.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("self-signed"))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    fn acceptor(&self) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let names = vec!["127.0.0.1".to_owned(), "idp.example".to_owned()];
        let params = CertificateParams::new(names).expect("names");
        let certificate = params.signed_by(&key, &self.0).expect("signed");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .expect("a usable certificate");
        TlsAcceptor::from(Arc::new(config))
    }
}

struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    accepted: Arc<AtomicUsize>,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else {
                continue;
            };
            self.accepted.fetch_add(1, Ordering::SeqCst);
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Settings that allow the loopback network to administrators of the deployment.
pub(crate) fn loopback_allowed() -> NetConfig {
    NetConfig {
        allow: vec!["127.0.0.0/8".parse().expect("a network")],
        ..NetConfig::default()
    }
}

/// A client with [`loopback_allowed`].
pub(crate) fn client() -> HttpClient {
    HttpClient::new(loopback_allowed()).expect("a client")
}

/// 127.0.0.1 as the only address of whatever name.
pub(crate) fn loopback() -> Vec<IpAddr> {
    vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]
}
