//! What every endpoint of this crate shares, and which authorization server it speaks for.

use std::sync::Arc;

use arc_swap::ArcSwap;
use symbolon_net::{Clock, HttpClient, IssuerKeys};
use symbolon_policy::Engine;
use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::issuer::{Issuer, IssuerRole};
use symbolon_protocol::time::Timestamp;
use symbolon_storage::Store;
use symbolon_storage::directory::Directory;
use symbolon_storage::revocation::RevocationIndex;
use symbolon_storage::secret_key::SecretKeys;

use crate::keys::KeyRing;

/// Shared state of the server's endpoints; cloning is cheap.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

/// The parts that the binary wires together.
pub struct Parts {
    /// `public_url` without a trailing slash: the one source of our own URLs (design §4 rule 21).
    pub public_url: String,
    /// The `as` role is served.
    pub serves_as: bool,
    /// The `idp` role is served.
    pub serves_idp: bool,
    /// Records.
    pub store: Store,
    /// Definitions, replaced as a whole when they change.
    pub directory: Arc<ArcSwap<Directory>>,
    /// The policy engine built from those definitions.
    pub engine: Arc<ArcSwap<Engine>>,
    /// Signing keys of every authorization server here, replaced as a whole when they rotate.
    pub keys: Arc<ArcSwap<KeyRing>>,
    /// Symmetric secrets of this deployment.
    pub secrets: Arc<SecretKeys>,
    /// What was revoked lately.
    pub revocations: Arc<RevocationIndex>,
    /// Outbound requests.
    pub http: HttpClient,
    /// Keys of other issuers.
    pub issuer_keys: Arc<IssuerKeys>,
    /// The only clock.
    pub clock: Arc<dyn Clock>,
}

impl AppState {
    /// Wraps the wired parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The current time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The authorization server of the `as` role.
    pub(crate) fn authorization_server(&self) -> Option<IssuerContext> {
        self.serves_as
            .then(|| IssuerContext::new(&self.public_url, IssuerRole::As))
    }

    /// The authorization server of an organization's `idp` role, if that organization exists.
    pub(crate) fn identity_provider(&self, organization: &str) -> Option<IssuerContext> {
        let id = OrganizationId::parse(organization).ok()?;
        self.directory.load().organization(&id)?;
        self.serves_idp
            .then(|| IssuerContext::new(&self.public_url, IssuerRole::Idp(id)))
    }
}

impl std::ops::Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// One of our authorization servers: `/as`, or `/idp/{organization}` (design §2).
#[derive(Clone, Debug)]
pub(crate) struct IssuerContext {
    /// Which one.
    pub(crate) role: IssuerRole,
    /// Its issuer identifier, exactly as every token and document carries it.
    pub(crate) issuer: Issuer,
    /// Its path below `public_url`, with a leading slash and without a trailing one.
    pub(crate) path: String,
}

impl IssuerContext {
    fn new(public_url: &str, role: IssuerRole) -> Self {
        let path = match &role {
            IssuerRole::As => "/as".to_owned(),
            IssuerRole::Idp(organization) => format!("/idp/{organization}"),
        };
        let issuer = Issuer::parse(&format!("{public_url}{path}"))
            .expect("public_url was checked when the configuration was read");
        Self { role, issuer, path }
    }

    /// The organization whose identity provider this is; `None` for the `as` role.
    pub(crate) fn organization(&self) -> Option<&OrganizationId> {
        match &self.role {
            IssuerRole::As => None,
            IssuerRole::Idp(organization) => Some(organization),
        }
    }

    /// The URL of an endpoint below this issuer.
    pub(crate) fn endpoint(&self, name: &str) -> String {
        format!("{}/{name}", self.issuer)
    }
}
