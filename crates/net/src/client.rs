//! Requests to other hosts, guarded.
//!
//! No redirect is followed, no proxy of the environment is used, time and size are bounded, and the
//! addresses a connection is opened to are the addresses that were checked. Connections are never
//! shared between classes of URL, so a stranger's URL cannot ride on a connection that an
//! administrator's URL was allowed to open.

use std::{net::IpAddr, sync::Arc, time::Duration};

use http::{HeaderMap, header::ACCEPT};
use moka::sync::Cache;
use reqwest::{Client, RequestBuilder, redirect::Policy};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    budget::Budget,
    config::NetConfig,
    error::{FetchError, NetError},
    resolver::{GuardedResolver, Names},
    response::Response,
    tls,
    url_class::{Reach, Transport, UrlClass},
};

/// Limits in bytes for what we fetch.
pub mod limit {
    /// Metadata of an authorization server or OpenID provider.
    pub const METADATA: usize = 256 * 1024;
    /// A JWK set.
    pub const KEYS: usize = 64 * 1024;
    /// A client metadata document (`AS-176`).
    pub const CLIENT_METADATA: usize = 5 * 1024;
    /// The answer of a token endpoint.
    pub const TOKENS: usize = 256 * 1024;
}

const USER_AGENT: &str = concat!("symbolon/", env!("CARGO_PKG_VERSION"));
const IDLE: Duration = Duration::from_secs(60);
const REMEMBERED_CLIENTS: u64 = 256;

/// The guarded client; clones share connections and budgets.
#[derive(Clone)]
pub struct HttpClient {
    shared: Arc<Shared>,
    extra_ca: Option<Arc<str>>,
    asker: Option<IpAddr>,
}

struct Shared {
    config: NetConfig,
    reach: [Reach; 3],
    stranger_names: Names,
    clients: Cache<ClientKey, Client>,
    budget: Budget,
}

#[derive(Clone, Eq, Hash, PartialEq)]
struct ClientKey {
    class: UrlClass,
    transport: Transport,
    extra_ca: Option<Arc<str>>,
}

impl HttpClient {
    /// Makes the client of a process.
    ///
    /// # Errors
    /// [`NetError`] when a certificate of `ca_pems` cannot be used.
    pub fn new(config: NetConfig) -> Result<Self, NetError> {
        for pem in &config.ca_pems {
            tls::certificates(pem)?;
        }
        let clients = Cache::builder()
            .max_capacity(REMEMBERED_CLIENTS)
            .time_to_idle(Duration::from_secs(600))
            .build();
        let shared = Shared {
            reach: UrlClass::ALL.map(|class| Reach::new(class, &config)),
            stranger_names: config.names.in_own_queue(),
            config,
            clients,
            budget: Budget::new(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            extra_ca: None,
            asker: None,
        })
    }

    /// This client, trusting the certificates of `ca_pem` as well: those of one connection.
    ///
    /// # Errors
    /// [`NetError`] when a certificate cannot be used.
    pub fn trusting(&self, ca_pem: Option<&str>) -> Result<Self, NetError> {
        if let Some(pem) = ca_pem {
            tls::certificates(pem)?;
        }
        Ok(Self {
            extra_ca: ca_pem.map(Arc::from),
            ..self.clone()
        })
    }

    /// This client, spending from the budget of the stranger at `address` as well.
    #[must_use]
    pub fn asked_by(&self, address: IpAddr) -> Self {
        Self {
            asker: Some(address),
            ..self.clone()
        }
    }

    /// Fetches whatever is at `url`, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`FetchError`]; statuses other than redirects are not errors.
    pub async fn get(
        &self,
        class: UrlClass,
        url: &Url,
        limit: usize,
    ) -> Result<Response, FetchError> {
        let build = |client: &Client| client.get(url.clone()).header(ACCEPT, "application/json");
        self.send(class, url, limit, build).await
    }

    /// Fetches a JSON document: status 200 and a JSON content type (`AS-172`).
    ///
    /// # Errors
    /// [`FetchError`], with [`FetchError::Status`] and [`FetchError::NotJson`] for an answer that
    /// is none.
    pub async fn fetch_json<T: DeserializeOwned>(
        &self,
        class: UrlClass,
        url: &Url,
        limit: usize,
    ) -> Result<T, FetchError> {
        let response = self.get(class, url, limit).await?.ok()?;
        if !response.is_json() {
            return Err(response.not_json());
        }
        response.json()
    }

    /// Posts a form and reads an answer of at most [`limit::TOKENS`] bytes.
    ///
    /// Mark an `Authorization` value as sensitive; neither headers nor form ever appear in errors
    /// or logs.
    ///
    /// # Errors
    /// [`FetchError`]; statuses other than redirects are not errors, an OAuth error has a body to
    /// read.
    pub async fn post_form(
        &self,
        class: UrlClass,
        url: &Url,
        headers: HeaderMap,
        form: &[(&str, &str)],
    ) -> Result<Response, FetchError> {
        let build = |client: &Client| {
            let request = client.post(url.clone()).header(ACCEPT, "application/json");
            request.headers(headers).form(form)
        };
        self.send(class, url, limit::TOKENS, build).await
    }

    async fn send(
        &self,
        class: UrlClass,
        url: &Url,
        limit: usize,
        build: impl FnOnce(&Client) -> RequestBuilder,
    ) -> Result<Response, FetchError> {
        let config = &self.shared.config;
        let transport = self.reach(class).admit(url)?;
        let host = url.host_str().unwrap_or_default();
        let _running = self.spend(class, host)?;
        let client = self.client(class, transport)?;
        let answer = build(&client).send().await;
        let answer =
            answer.map_err(|error| FetchError::from_client(host, config.total_timeout, error))?;
        Response::read(answer, limit, config.total_timeout).await
    }

    fn spend(
        &self,
        class: UrlClass,
        host: &str,
    ) -> Result<Option<tokio::sync::OwnedSemaphorePermit>, FetchError> {
        if class != UrlClass::Stranger {
            return Ok(None);
        }
        let now = self.shared.config.clock.now();
        let granted = self.shared.budget.spend(host, self.asker, now);
        granted
            .map(Some)
            .ok_or_else(|| FetchError::BudgetExhausted {
                host: host.to_owned(),
            })
    }

    fn client(&self, class: UrlClass, transport: Transport) -> Result<Client, FetchError> {
        let key = ClientKey {
            class,
            transport,
            extra_ca: self.extra_ca.clone(),
        };
        if let Some(client) = self.shared.clients.get(&key) {
            return Ok(client);
        }
        let client = self.build_client(class, transport)?;
        self.shared.clients.insert(key, client.clone());
        Ok(client)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where a client is built"
    )]
    fn build_client(&self, class: UrlClass, transport: Transport) -> Result<Client, NetError> {
        let config = &self.shared.config;
        let mut tls = self.tls_config()?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(self.resolver(class, transport))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .https_only(transport == Transport::Tls)
            .connect_timeout(config.connect_timeout)
            .timeout(config.total_timeout)
            .pool_idle_timeout(IDLE)
            .user_agent(USER_AGENT)
            .build()
            .map_err(NetError::Client)
    }

    /// The TLS settings that trust the platform, the deployment's certificates and those of this
    /// connection.
    pub(crate) fn tls_config(&self) -> Result<rustls::ClientConfig, NetError> {
        let deployment = self.shared.config.ca_pems.iter().map(String::as_str);
        let mut extra = Vec::new();
        for pem in deployment.chain(self.extra_ca.as_deref()) {
            extra.extend(tls::certificates(pem)?);
        }
        tls::client_config(extra)
    }

    /// The resolver of connections for this class of URL.
    pub(crate) fn resolver(&self, class: UrlClass, transport: Transport) -> GuardedResolver {
        let names = match class {
            UrlClass::Stranger => &self.shared.stranger_names,
            UrlClass::OrganizationAdmin | UrlClass::DeploymentAdmin => &self.shared.config.names,
        };
        GuardedResolver::new(names.clone(), self.reach(class).clone(), transport)
    }

    /// What this class of URL may reach.
    pub(crate) fn reach(&self, class: UrlClass) -> &Reach {
        &self.shared.reach[class as usize]
    }

    /// How long opening a connection may take.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.shared.config.connect_timeout
    }
}

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpClient")
            .field("config", &self.shared.config)
            .finish_non_exhaustive()
    }
}
