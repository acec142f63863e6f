//! `symbolon key`: the signing keys of our authorization servers (design §8).

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use symbolon_net::{Clock, SystemClock};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::jose::Algorithm;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::Store;
use symbolon_storage::signing_key::{self, KeyUse, Rotation, StoredKey};

use super::open::{self, Migration};
use super::output::{Output, table};
use crate::config::Environment;

/// How long a new key is published before it signs: longer than our key sets may be cached.
const AHEAD: Duration = Duration::from_secs(10 * 60);
/// How long a retired key stays published: the longest access token, and a little for clocks.
const KEPT: Duration = Duration::from_secs(65 * 60);

#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Print the signing keys.
    List,
    /// Publish new keys, which take over in ten minutes.
    Rotate(Rotate),
}

#[derive(Args, Debug)]
pub(super) struct Rotate {
    /// Whose keys: as, or idp/ORGANIZATION.
    #[arg(long, value_name = "ISSUER")]
    issuer: IssuerRole,
    /// Only keys of this algorithm.
    #[arg(long, value_name = "ALG")]
    algorithm: Option<Algorithm>,
    /// Let the new keys sign at once; those who cached the key set refuse until they fetch it again.
    #[arg(long)]
    now: bool,
}

impl Key {
    pub(super) async fn run(
        self,
        path: &Path,
        environment: &Environment,
        output: &Output,
    ) -> Result<()> {
        let (_, store) = open::deployment(path, environment, Migration::Configured).await?;
        let done = match self {
            Self::List => list(&store, output).await,
            Self::Rotate(rotate) => rotate.run(&store, environment, output).await,
        };
        store.close().await;
        done
    }
}

async fn list(store: &Store, output: &Output) -> Result<()> {
    let mut keys = store.read(|c| Box::pin(signing_key::list(c))).await?;
    keys.sort_by(|a, b| (&a.usage, b.active_from).cmp(&(&b.usage, a.active_from)));
    let now = SystemClock.now();
    let answer: Vec<Value> = keys.iter().map(|key| as_json(key, now)).collect();
    output.print(&json!({ "keys": answer }), || match keys.is_empty() {
        true => "No keys yet: `symbolon serve` creates them on its first start.".to_owned(),
        false => table(
            &HEADING,
            &keys.iter().map(|key| row(key, now)).collect::<Vec<_>>(),
        ),
    })
}

impl Rotate {
    async fn run(self, store: &Store, environment: &Environment, output: &Output) -> Result<()> {
        let keys = store.read(|c| Box::pin(signing_key::list(c))).await?;
        let uses = self.uses(&keys);
        ensure!(
            !uses.is_empty(),
            "{} has no such keys: `symbolon key list` prints those there are, and `symbolon serve` \
             creates missing ones when it starts",
            self.issuer
        );
        let ahead = if self.now { Duration::ZERO } else { AHEAD };
        let (rotation, now) = (Rotation { ahead, kept: KEPT }, SystemClock.now());
        let mut rotated = Vec::new();
        for usage in uses {
            let by = open::operator(environment);
            let kid = signing_key::rotate(store, usage.clone(), rotation, by, now).await?;
            rotated.push((usage, kid.to_string()));
        }
        self.report(&rotated, now.plus(ahead), output)
    }

    /// What has a key now; a key of each is created.
    fn uses(&self, keys: &[StoredKey]) -> BTreeSet<KeyUse> {
        let role = self.issuer.to_string();
        let is_meant = |usage: &&KeyUse| {
            usage.role == role
                && self
                    .algorithm
                    .is_none_or(|wanted| usage.algorithm == wanted)
        };
        let current = keys
            .iter()
            .filter(|key| key.retired_at.is_none())
            .map(|key| &key.usage);
        current.filter(is_meant).cloned().collect()
    }

    fn report(
        &self,
        rotated: &[(KeyUse, String)],
        active_from: Timestamp,
        output: &Output,
    ) -> Result<()> {
        let keys: Vec<Value> = rotated
            .iter()
            .map(|(usage, kid)| {
                json!({
                    "kid": kid,
                    "issuer": usage.role,
                    "purpose": usage.purpose.as_str(),
                    "algorithm": usage.algorithm,
                })
            })
            .collect();
        let retired = active_from.plus(KEPT);
        let answer = json!({ "keys": keys, "active_from": active_from, "forget_after": retired });
        output.print(&answer, || {
            let lines: Vec<String> = rotated
                .iter()
                .map(|(usage, kid)| {
                    format!("  {kid}  {} {}", usage.purpose.as_str(), usage.algorithm)
                })
                .collect();
            format!(
                "New keys of {}, published now, signing from {active_from}:\n{}\n\
                 The keys before them verify until {retired}.",
                self.issuer,
                lines.join("\n")
            )
        })
    }
}

const HEADING: [&str; 6] = [
    "key",
    "issuer",
    "purpose",
    "algorithm",
    "state",
    "signs from",
];

/// What a key is doing at a time, in words.
fn state(key: &StoredKey, now: Timestamp) -> String {
    match (key.retired_at, key.forget_after) {
        _ if now < key.active_from => "published ahead".to_owned(),
        (Some(retired), _) if now < retired => format!("signing until {retired}"),
        (Some(_), Some(end)) => format!("verifying until {end}"),
        (Some(_), None) => "retired".to_owned(),
        (None, _) => "signing".to_owned(),
    }
}

fn row(key: &StoredKey, now: Timestamp) -> Vec<String> {
    vec![
        key.key.kid().to_string(),
        key.usage.role.clone(),
        key.usage.purpose.as_str().to_owned(),
        key.usage.algorithm.to_string(),
        state(key, now),
        key.active_from.to_string(),
    ]
}

fn as_json(key: &StoredKey, now: Timestamp) -> Value {
    json!({
        "kid": key.key.kid().to_string(),
        "issuer": key.usage.role,
        "purpose": key.usage.purpose.as_str(),
        "algorithm": key.usage.algorithm,
        "state": state(key, now),
        "published_at": key.published_at,
        "active_from": key.active_from,
        "retired_at": key.retired_at,
        "forget_after": key.forget_after,
    })
}
