//! What every request reads from memory: definitions, the policy engine and signing keys.
//!
//! Each is replaced as a whole when the news says that it changed, on every node within a second.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use arc_swap::ArcSwap;
use symbolon_gateway::GatewayKeys;
use symbolon_net::Clock;
use symbolon_policy::{Engine, PolicyInput};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::jose::{Algorithm, SigningKey};
use symbolon_server::keys::KeyRing;
use symbolon_storage::audit::By;
use symbolon_storage::directory::Directory;
use symbolon_storage::signing_key::{self, DEPLOYMENT, KeyPurpose, KeyUse, StoredKey};
use symbolon_storage::{StorageError, Store};

use crate::snapshot;

/// The three of them, each swapped by itself.
#[derive(Clone)]
pub(super) struct World {
    store: Store,
    clock: Arc<dyn Clock>,
    pub(super) directory: Arc<ArcSwap<Directory>>,
    pub(super) engine: Arc<ArcSwap<Engine>>,
    pub(super) keys: Arc<ArcSwap<KeyRing>>,
    pub(super) gateway_keys: Arc<ArcSwap<GatewayKeys>>,
    /// Counts reloads of keys: what was verified under older ones is verified again.
    key_version: Arc<AtomicU64>,
}

impl World {
    /// Loads everything, creating the keys that are missing.
    pub(super) async fn load(store: Store, clock: Arc<dyn Clock>) -> Result<Self> {
        let world = Self {
            store,
            clock,
            directory: Arc::default(),
            engine: Arc::new(ArcSwap::from_pointee(
                Engine::load(PolicyInput::default()).0,
            )),
            keys: Arc::default(),
            gateway_keys: Arc::default(),
            key_version: Arc::default(),
        };
        world.reload_definitions().await?;
        world.reload_keys().await?;
        Ok(world)
    }

    /// Reads the definitions again and creates the keys that new ones need.
    pub(super) async fn reload_definitions(&self) -> Result<()> {
        let loaded: Result<_, StorageError> =
            self.store.read(|c| Box::pin(Directory::load(c))).await;
        let (directory, problems) = loaded?;
        for problem in &problems {
            tracing::error!("a definition is left out: {problem}");
        }
        let (engine, problems) = Engine::load(snapshot::policy_input(&directory));
        for problem in &problems {
            tracing::error!("a policy allows nothing until it is corrected: {problem}");
        }
        self.ensure_keys(&directory).await?;
        self.directory.store(Arc::new(directory));
        self.engine.store(Arc::new(engine));
        Ok(())
    }

    /// Reads the signing keys again.
    pub(super) async fn reload_keys(&self) -> Result<()> {
        let version = self.key_version.fetch_add(1, Ordering::Relaxed) + 1;
        let gateway = GatewayKeys::new(version, self.stored_keys().await?);
        self.gateway_keys.store(Arc::new(gateway));
        self.keys
            .store(Arc::new(KeyRing::new(self.stored_keys().await?)));
        Ok(())
    }

    /// The key of a use that belongs to the deployment itself.
    pub(super) async fn deployment_key(&self, purpose: KeyPurpose) -> Result<Arc<SigningKey>> {
        let usage = KeyUse {
            role: DEPLOYMENT.to_owned(),
            purpose,
            algorithm: Algorithm::Es256,
        };
        let keys = self.stored_keys().await?;
        let now = self.clock.now();
        let found = keys
            .into_iter()
            .find(|key| key.usage == usage && key.is_active(now));
        let found = found.with_context(|| format!("there is no key for {}", purpose.as_str()))?;
        Ok(Arc::new(found.key))
    }

    async fn stored_keys(&self) -> Result<Vec<StoredKey>, StorageError> {
        self.store.read(|c| Box::pin(signing_key::list(c))).await
    }

    async fn ensure_keys(&self, directory: &Directory) -> Result<()> {
        for usage in uses(directory) {
            signing_key::ensure(&self.store, usage, By::system(), self.clock.now()).await?;
        }
        Ok(())
    }
}

/// Every key this deployment needs.
fn uses(directory: &Directory) -> BTreeSet<KeyUse> {
    let usage = |role: &str, purpose, algorithm| KeyUse {
        role: role.to_owned(),
        purpose,
        algorithm,
    };
    let es256 = Algorithm::Es256;
    let mut uses = BTreeSet::from([
        usage("as", KeyPurpose::Token, es256),
        usage(DEPLOYMENT, KeyPurpose::Audit, es256),
        usage("as", KeyPurpose::IdentityHeader, es256),
    ]);
    for server in directory.servers() {
        uses.insert(usage("as", KeyPurpose::Token, server.algorithm));
    }
    for organization in directory.organizations() {
        let role = IssuerRole::Idp(organization.id.clone()).to_string();
        for purpose in [KeyPurpose::Token, KeyPurpose::IdToken, KeyPurpose::IdJag] {
            uses.insert(usage(&role, purpose, es256));
        }
    }
    uses
}
