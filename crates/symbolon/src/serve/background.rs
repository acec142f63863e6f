//! What runs beside requests: the news, sealing the audit trail, expiry.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use arc_swap::ArcSwap;
use symbolon_net::Clock;
use symbolon_protocol::ids::UserId;
use symbolon_protocol::jose::SigningKey;
use symbolon_storage::audit::sealer;
use symbolon_storage::follow::{Changes, Follower};
use symbolon_storage::revocation::RevocationIndex;
use symbolon_storage::signing_key::{self, KeyPurpose};
use symbolon_storage::{StorageError, Store, expiry, instance};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::world::World;

/// How often expired rows are removed.
const SWEEP: Duration = Duration::from_secs(60);

/// How long after a failed reload the next one is tried.
const RETRY: Duration = Duration::from_millis(200);

/// Told whose facts changed, so that nothing old is remembered of them.
pub(super) type FactsChanged = Arc<dyn Fn(&UserId) + Send + Sync>;

/// The background work of one process.
#[derive(Clone)]
pub(super) struct Background {
    store: Store,
    clock: Arc<dyn Clock>,
    world: World,
    deployment: String,
    audit_key: Arc<ArcSwap<SigningKey>>,
}

impl Background {
    /// Reads what the work needs.
    pub(super) async fn new(store: Store, clock: Arc<dyn Clock>, world: World) -> Result<Self> {
        let audit_key = ArcSwap::new(world.deployment_key(KeyPurpose::Audit).await?);
        let load = store.read(|c| Box::pin(instance::load(c)));
        let deployment = load.await?.id;
        Ok(Self {
            store,
            clock,
            world,
            deployment,
            audit_key: Arc::new(audit_key),
        })
    }

    /// Starts everything; it ends with `stop`.
    pub(super) async fn spawn(
        &self,
        tasks: &TaskTracker,
        stop: &CancellationToken,
        revocations: Arc<RevocationIndex>,
        facts_changed: FactsChanged,
    ) -> Result<()> {
        let follower = Follower::start(self.store.clone(), revocations, self.clock.now()).await?;
        // What changed between the first load and here is no news to the follower any more.
        self.apply(&Changes {
            definitions: true,
            ..Changes::default()
        })
        .await?;
        let (sender, changes) = mpsc::unbounded_channel();
        let clock = self.clock.clone();
        let follow = follower.run(
            move || clock.now(),
            move |changes: Changes| {
                changes.facts.iter().for_each(|user| facts_changed(user));
                if changes.definitions || changes.keys {
                    // The receiver lives as long as this task; afterwards nobody needs to know.
                    let _ = sender.send(changes);
                }
            },
        );
        let until = stop.clone();
        tasks.spawn(async move { until.run_until_cancelled(follow).await });
        let (this, until) = (self.clone(), stop.clone());
        tasks.spawn(async move { until.run_until_cancelled(this.reload(changes)).await });
        let (this, until) = (self.clone(), stop.clone());
        tasks.spawn(async move { until.run_until_cancelled(this.seal()).await });
        let (this, until) = (self.clone(), stop.clone());
        tasks.spawn(async move { until.run_until_cancelled(this.sweep()).await });
        Ok(())
    }

    /// Chains and signs the events that wait, at once.
    pub(super) async fn seal_now(&self) -> Result<()> {
        let key = self.audit_key.load_full();
        sealer::seal(&self.store, &self.deployment, &key, self.clock.now()).await?;
        Ok(())
    }

    async fn reload(self, mut changes: mpsc::UnboundedReceiver<Changes>) {
        while let Some(change) = changes.recv().await {
            // Nobody tells again: an assignment that was taken away must not stay because one read failed.
            while let Err(error) = self.apply(&change).await {
                tracing::error!("changes of definitions or keys are not in effect yet: {error:#}");
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    async fn apply(&self, change: &Changes) -> Result<()> {
        if change.definitions {
            self.world.reload_definitions().await?;
        }
        self.world.reload_keys().await?;
        self.audit_key
            .store(self.world.deployment_key(KeyPurpose::Audit).await?);
        Ok(())
    }

    async fn seal(self) {
        let (key, clock) = (self.audit_key.clone(), self.clock.clone());
        let store = self.store.clone();
        sealer::run(
            store,
            self.deployment,
            move || key.load_full(),
            move || clock.now(),
        )
        .await;
    }

    async fn remove_expired(&self) -> Result<(), StorageError> {
        let now = self.clock.now();
        expiry::sweep(&self.store, now).await?;
        self.store
            .write(move |tx| Box::pin(signing_key::forget(tx, now)))
            .await?;
        Ok(())
    }

    async fn sweep(self) {
        let mut ticks = tokio::time::interval(SWEEP);
        loop {
            ticks.tick().await;
            if let Err(error) = self.remove_expired().await {
                tracing::error!(%error, "expired rows were not removed: {error}");
            }
        }
    }
}
