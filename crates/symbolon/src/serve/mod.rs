//! `symbolon serve`: wires the parts, listens, follows the news, ends in order.

mod background;
mod internal;
mod listen;
mod source_address;
mod tls;
mod world;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use symbolon_gateway::{Gateway, GatewayParts, Limits};
use symbolon_net::{Clock, HttpClient, IssuerKeys, NetConfig, SystemClock};
use symbolon_protocol::ids::UserId;
use symbolon_protocol::issuer::Issuer;
use symbolon_protocol::secret::SecretBytes;
use symbolon_server::{AppState, Parts};
use symbolon_storage::Store;
use symbolon_storage::audit::{self, Journal};
use symbolon_storage::revocation::RevocationIndex;
use symbolon_storage::secret_key::{self, SecretPurpose};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use url::Url;

use self::background::Background;
use self::internal::Internal;
use self::listen::Listener;
use self::source_address::Proxies;
use self::tls::ReloadingConfig;
use self::world::World;
use crate::cli::open::{self, Migration};
use crate::config::{Config, Environment, Role};

/// How long a request of `as` and `idp` may take, from its head to its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A deployment that serves until it is stopped.
pub struct Running {
    public_url: String,
    address: SocketAddr,
    internal: SocketAddr,
    store: Store,
    journal: Journal,
    background: Background,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Runs `symbolon serve` until the process is asked to end.
///
/// # Errors
/// Whatever keeps it from starting.
pub async fn run(path: &Path, environment: &Environment) -> Result<()> {
    let config = Config::load(path, environment)?;
    let running = start(&config, environment).await?;
    tracing::info!(
        address = %running.address, internal = %running.internal,
        "serving {} on {}", running.public_url, running.address
    );
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping: open requests may finish");
    running.stop().await;
    Ok(())
}

/// Starts a deployment on the system's clock.
///
/// # Errors
/// A database, key, certificate or address that cannot be used, with what to change.
pub async fn start(config: &Config, environment: &Environment) -> Result<Running> {
    start_at(config, environment, Arc::new(SystemClock)).await
}

/// Starts a deployment on a clock of the caller's.
///
/// # Errors
/// As [`start`].
pub async fn start_at(
    config: &Config,
    environment: &Environment,
    clock: Arc<dyn Clock>,
) -> Result<Running> {
    let store = open::store(config, environment, Migration::Configured).await?;
    let journal = Journal::start(store.clone(), audit::CAPACITY);
    let now = clock.now();
    let secrets = store
        .write(move |tx| Box::pin(secret_key::ensure_all(tx, now)))
        .await?;
    let session_secret = secrets.get(SecretPurpose::SessionBinding).clone();
    let world = World::load(store.clone(), clock.clone()).await?;
    let http = HttpClient::new(net_config(config, clock.clone()))?;
    let state = AppState::new(Parts {
        public_url: config.public_url.clone(),
        serves_as: config.serves(Role::As),
        serves_idp: config.serves(Role::Idp),
        store: store.clone(),
        directory: world.directory.clone(),
        engine: world.engine.clone(),
        keys: world.keys.clone(),
        secrets: Arc::new(secrets),
        revocations: Arc::new(RevocationIndex::default()),
        issuer_keys: Arc::new(IssuerKeys::new(http.clone(), clock.clone())),
        http,
        clock: clock.clone(),
    });
    let wiring = Wiring {
        config,
        state,
        world,
        journal,
        store,
        clock,
        session_secret,
    };
    wiring.listen().await
}

/// Everything that exists before the first request.
struct Wiring<'a> {
    config: &'a Config,
    state: AppState,
    world: World,
    journal: Journal,
    store: Store,
    clock: Arc<dyn Clock>,
    session_secret: SecretBytes,
}

impl Wiring<'_> {
    async fn listen(self) -> Result<Running> {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let background =
            Background::new(self.store.clone(), self.clock.clone(), self.world.clone()).await?;
        let gateway = self.gateway()?;
        // A person's form or a client's request arrives at once; calls have limits of their own.
        let mut router = symbolon_server::routes(self.state.clone()).layer(
            TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT),
        );
        if self.config.serves(Role::Gateway) {
            router = router.merge(symbolon_gateway::routes(gateway.clone()));
        }
        let proxies: Proxies = self.config.trust.proxies.as_slice().into();
        let is_https = self.config.public_url.starts_with("https://");
        let https_only = HeaderValue::from_static("max-age=63072000");
        let hsts = is_https.then(|| {
            SetResponseHeaderLayer::if_not_present(header::STRICT_TRANSPORT_SECURITY, https_only)
        });
        let router = router
            .layer(option_layer(hsts))
            .layer(middleware::from_fn_with_state(
                proxies,
                source_address::note,
            ))
            .layer(CatchPanicLayer::new());
        let public = Listener::bind(self.config.listen.address, self.tls(&tasks, &stop)?).await?;
        let internal = Listener::bind(self.config.listen.internal, None).await?;
        let revocations = self.state.revocations.clone();
        let forget = move |user: &UserId| gateway.forget_facts(user);
        background
            .spawn(&tasks, &stop, revocations, Arc::new(forget))
            .await?;
        let running = Running {
            public_url: self.config.public_url.clone(),
            address: public.address()?,
            internal: internal.address()?,
            store: self.store,
            journal: self.journal,
            background,
            stop: stop.clone(),
            tasks: tasks.clone(),
        };
        let health = internal::routes(Internal {
            state: self.state,
            metrics: metrics()?,
        });
        tasks.spawn(public.serve(router, stop.clone()));
        tasks.spawn(internal.serve(health, stop));
        Ok(running)
    }

    fn gateway(&self) -> Result<Gateway> {
        let public_url = &self.config.public_url;
        let gateway = Gateway::new(GatewayParts {
            public_url: Url::parse(public_url)?,
            issuer: Issuer::parse(&format!("{public_url}/as"))?,
            store: self.store.clone(),
            directory: self.world.directory.clone(),
            engine: self.world.engine.clone(),
            keys: self.world.gateway_keys.clone(),
            revocations: self.state.revocations.clone(),
            journal: self.journal.clone(),
            issuer_keys: self.state.issuer_keys.clone(),
            http: self.state.http.clone(),
            clock: self.clock.clone(),
            session_secret: self.session_secret.clone(),
            limits: Limits::default(),
        })?;
        Ok(gateway)
    }

    fn tls(
        &self,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Option<Arc<ReloadingConfig>>> {
        let Some(tls) = &self.config.listen.tls else {
            return Ok(None);
        };
        let at = |path| self.config.directory.join(path);
        let files = Arc::new(ReloadingConfig::load(at(&tls.certificate), at(&tls.key))?);
        let (following, until) = (files.clone(), stop.clone());
        tasks.spawn(async move { following.follow(until).await });
        Ok(Some(files))
    }
}

fn net_config(config: &Config, clock: Arc<dyn Clock>) -> NetConfig {
    NetConfig {
        allow: config.net.allow.clone(),
        clock,
        ..NetConfig::default()
    }
}

/// The process's metrics; the recorder is one for the process, however many deployments it serves.
fn metrics() -> Result<PrometheusHandle> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = HANDLE.get_or_init(|| recorder.handle()).clone();
    // Another deployment of this process may have been faster; then its recorder stays.
    let _ = metrics::set_global_recorder(recorder).context("metrics");
    Ok(handle)
}

impl Running {
    /// Where everybody reaches it.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The public listener's address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The internal listener's address.
    #[must_use]
    pub fn internal(&self) -> SocketAddr {
        self.internal
    }

    /// Its database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Writes and chains every audit event that waits.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn seal_audit(&self) -> Result<()> {
        self.journal.flush().await?;
        self.background.seal_now().await
    }

    /// Stops accepting, lets requests finish, writes what waits and closes the database.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Err(error) = self.seal_audit().await {
            tracing::error!("audit events that waited were not sealed: {error:#}");
        }
        self.store.close().await;
    }
}
