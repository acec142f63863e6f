//! Sealing: chains what was appended, in commit order, and signs where the chain then ends.
//!
//! Events are taken because they have no position yet, never because of a number: one that commits
//! late is taken in the next round. The end of the chain is one row, locked while an organization is
//! sealed: any number of nodes may run a sealer.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use symbolon_protocol::jose::SigningKey;
use symbolon_protocol::time::Timestamp;

use super::chain::{self, Recorded};
use super::checkpoint;
use crate::engine::{Record, Row, Value, args, placeholders};
use crate::{StorageError, Store, Transaction};

/// How often [`run`] seals.
pub const INTERVAL: Duration = Duration::from_millis(500);

/// Events of one transaction at most.
const ROUND: i64 = 1024;

/// Events whose position is written by one statement.
const MANY: usize = 32;

static PLACE_MANY: LazyLock<String> = LazyLock::new(|| place(MANY));
static PLACE_ONE: LazyLock<String> = LazyLock::new(|| place(1));

/// The statement that gives a number of events their positions. Both engines call the columns of a
/// list of values column1, column2 and so on.
fn place(count: usize) -> String {
    format!(
        "UPDATE audit_event SET position = v.column2, hash = v.column3
         FROM (VALUES {}) AS v WHERE audit_event.seq = v.column1",
        placeholders(count, 3)
    )
}

struct Organization(String);

impl Record for Organization {
    fn read(row: &Row) -> Result<Self, StorageError> {
        row.get("organization").map(Self)
    }
}

/// Where a chain ends.
#[derive(Clone)]
pub(super) struct End {
    pub(super) position: i64,
    pub(super) hash: [u8; 32],
}

impl Record for End {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            position: row.get("position")?,
            hash: row.get("hash")?,
        })
    }
}

/// Seals events of every organization until none is left; answers how many there were.
///
/// # Errors
/// [`StorageError`]; what was sealed before stays sealed.
pub async fn seal(
    store: &Store,
    deployment: &str,
    key: &Arc<SigningKey>,
    now: Timestamp,
) -> Result<u64, StorageError> {
    let waiting: Vec<Organization> = store
        .read(|c| {
            let sql = "SELECT DISTINCT organization FROM audit_event WHERE position IS NULL";
            Box::pin(c.fetch_all(sql, args![]))
        })
        .await?;
    let mut sealed = 0;
    for Organization(organization) in waiting {
        loop {
            let chain = Chain {
                deployment: deployment.to_owned(),
                organization: organization.clone(),
                key: key.clone(),
                now,
            };
            let count = store
                .write(move |tx| Box::pin(async move { chain.extend(tx).await }))
                .await?;
            sealed += count;
            if count < ROUND as u64 {
                break;
            }
        }
    }
    Ok(sealed)
}

/// Seals every [`INTERVAL`] until the future is dropped. `key` is asked each time: keys rotate.
pub async fn run(
    store: Store,
    deployment: String,
    key: impl Fn() -> Arc<SigningKey> + Send,
    now: impl Fn() -> Timestamp + Send,
) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = seal(&store, &deployment, &key(), now()).await {
            tracing::error!(%error, "audit events were not sealed; they wait for the next round");
        }
    }
}

/// The chain of one organization, about to be extended.
struct Chain {
    deployment: String,
    organization: String,
    key: Arc<SigningKey>,
    now: Timestamp,
}

impl Chain {
    async fn extend(&self, tx: &mut Transaction) -> Result<u64, StorageError> {
        let mut end = self.lock(tx).await?;
        let events: Vec<Recorded> = tx
            .fetch_all(
                "SELECT seq, organization, at, actor, action, outcome, reason, request_id, details,
                        position, hash
                 FROM audit_event WHERE organization = $1 AND position IS NULL
                 ORDER BY seq LIMIT $2",
                args![&self.organization, ROUND],
            )
            .await?;
        if events.is_empty() {
            return Ok(0);
        }
        let mut places = Vec::with_capacity(events.len());
        for event in &events {
            end.position += 1;
            end.hash = chain::hash(&end.hash, end.position, event);
            places.push((event.seq, end.clone()));
        }
        write(tx, &places).await?;
        self.finish(tx, &end).await?;
        Ok(events.len() as u64)
    }

    /// Locks the end of the chain until the commit; makes a beginning where there is none.
    async fn lock(&self, tx: &mut Transaction) -> Result<End, StorageError> {
        let beginning = chain::beginning(&self.deployment, &self.organization);
        tx.fetch_one(
            "INSERT INTO audit_chain (organization, position, hash) VALUES ($1, 0, $2)
             ON CONFLICT (organization) DO UPDATE SET position = audit_chain.position
             RETURNING position, hash",
            args![&self.organization, beginning],
        )
        .await
    }

    async fn finish(&self, tx: &mut Transaction, end: &End) -> Result<(), StorageError> {
        tx.execute(
            "UPDATE audit_chain SET position = $2, hash = $3 WHERE organization = $1",
            args![&self.organization, end.position, end.hash],
        )
        .await?;
        let claims = checkpoint::Claims {
            deployment: &self.deployment,
            organization: &self.organization,
            position: end.position,
            hash: &end.hash,
            at: self.now,
        };
        checkpoint::insert(tx, &claims, &self.key).await
    }
}

async fn write(tx: &mut Transaction, places: &[(i64, End)]) -> Result<(), StorageError> {
    let chunks = places.chunks_exact(MANY);
    let rest = chunks.remainder();
    for chunk in chunks {
        tx.execute(
            PLACE_MANY.as_str(),
            chunk.iter().flat_map(arguments).collect(),
        )
        .await?;
    }
    for one in rest {
        tx.execute(PLACE_ONE.as_str(), arguments(one)).await?;
    }
    Ok(())
}

fn arguments((seq, end): &(i64, End)) -> Vec<Value> {
    args![*seq, end.position, end.hash]
}
