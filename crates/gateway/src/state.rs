//! What the gateway is wired from.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use symbolon_net::{Clock, HttpClient, IssuerKeys, NetError};
use symbolon_policy::Engine;
use symbolon_protocol::ids::UserId;
use symbolon_protocol::issuer::Issuer;
use symbolon_protocol::secret::SecretBytes;
use symbolon_storage::audit::Journal;
use symbolon_storage::{Directory, RevocationIndex, Store};
use url::Url;

use crate::facts::Facts;
use crate::keys::GatewayKeys;
use crate::metrics;
use crate::origin::Site;
use crate::parameters::Parameters;
use crate::request_body::BodyLimits;
use crate::session_binding::SessionBinding;
use crate::strangers::Strangers;
use crate::token::Verifier;
use crate::upstream::Upstreams;

/// Everything the gateway shares with the rest of a process. The binary wires it.
pub struct GatewayParts {
    /// `public_url`: the source of our own URLs, and what `Host` and `Origin` are compared with.
    pub public_url: Url,
    /// Our authorization server: `{public_url}/as`, exactly as its tokens carry it.
    pub issuer: Issuer,
    /// People and groups are read from here when they are not known yet.
    pub store: Store,
    /// Definitions, replaced as a whole when they change.
    pub directory: Arc<ArcSwap<Directory>>,
    /// Policies built from the same definitions, replaced together with them.
    pub engine: Arc<ArcSwap<Engine>>,
    /// Our keys, replaced as a whole when they change: [`GatewayKeys::new`].
    pub keys: Arc<ArcSwap<GatewayKeys>>,
    /// What was revoked lately; a follower must keep it fresh or every request is answered 503.
    pub revocations: Arc<RevocationIndex>,
    /// Takes the audit events of calls.
    pub journal: Journal,
    /// Keys of foreign access token issuers.
    pub issuer_keys: Arc<IssuerKeys>,
    /// The guard of outbound connections, also of those to upstreams.
    pub http: HttpClient,
    /// The only clock.
    pub clock: Arc<dyn Clock>,
    /// The deployment's secret `session_binding`.
    pub session_secret: SecretBytes,
    /// Sizes and times.
    pub limits: Limits,
}

/// Sizes and times, with safe defaults.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest body of a call, in bytes: 413 beyond.
    pub body_size: usize,
    /// How long a body may take to arrive: 408 beyond.
    pub body_time: Duration,
    /// How long an upstream may take to begin its answer: 504 beyond.
    pub upstream_time: Duration,
    /// Verified tokens that are remembered; 0 verifies every token every time.
    pub remembered_tokens: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_size: 4 * 1024 * 1024,
            body_time: Duration::from_secs(30),
            upstream_time: Duration::from_secs(300),
            remembered_tokens: 16_384,
        }
    }
}

/// The address a request came from, where a trusted proxy says so.
///
/// A layer of the listener puts it into the extensions of a request. Without it the address of the
/// connection counts, if the listener gives one (`ConnectInfo`).
#[derive(Clone, Copy, Debug)]
pub struct SourceAddress(pub IpAddr);

/// The gateway. Cheap to clone; clones are the same gateway.
#[derive(Clone)]
pub struct Gateway(pub(crate) Arc<DataPlane>);

/// What every request sees of the gateway.
pub(crate) struct DataPlane {
    /// Without a trailing slash.
    pub(crate) public_url: String,
    pub(crate) issuer: Issuer,
    pub(crate) site: Site,
    pub(crate) directory: Arc<ArcSwap<Directory>>,
    pub(crate) engine: Arc<ArcSwap<Engine>>,
    pub(crate) keys: Arc<ArcSwap<GatewayKeys>>,
    pub(crate) revocations: Arc<RevocationIndex>,
    pub(crate) journal: Journal,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) verifier: Verifier,
    pub(crate) facts: Facts,
    pub(crate) sessions: SessionBinding,
    pub(crate) upstreams: Upstreams,
    pub(crate) parameters: Parameters,
    pub(crate) strangers: Strangers,
    pub(crate) body_limits: BodyLimits,
}

impl Gateway {
    /// Wires a gateway.
    ///
    /// # Errors
    /// [`NetError`] when the certificates of the deployment cannot be used.
    pub fn new(parts: GatewayParts) -> Result<Self, NetError> {
        metrics::describe();
        let GatewayParts { limits, .. } = parts;
        let issuer = parts.issuer.clone();
        let verifier = Verifier::new(issuer, parts.issuer_keys, limits.remembered_tokens);
        Ok(Self(Arc::new(DataPlane {
            public_url: parts.public_url.as_str().trim_end_matches('/').to_owned(),
            issuer: parts.issuer,
            site: Site::new(&parts.public_url),
            directory: parts.directory,
            engine: parts.engine,
            keys: parts.keys,
            revocations: parts.revocations.clone(),
            journal: parts.journal,
            clock: parts.clock,
            verifier,
            facts: Facts::new(parts.store, parts.revocations),
            sessions: SessionBinding::new(&parts.session_secret),
            upstreams: Upstreams::new(parts.http, limits.upstream_time)?,
            parameters: Parameters::default(),
            strangers: Strangers::default(),
            body_limits: BodyLimits {
                size: limits.body_size,
                time: limits.body_time,
            },
        })))
    }

    /// News said that something about a person changed: what is remembered of it is read again.
    ///
    /// Call it for every user of `Changes::facts`.
    pub fn forget_facts(&self, user: &UserId) {
        self.0.facts.forget(user.as_str());
    }
}
