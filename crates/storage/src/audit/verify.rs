//! Verifying a chain, without trusting the database it is in.
//!
//! Every event's hash is computed again from the event and the hash before it, every checkpoint's
//! signature is checked, and the chain must end where its last checkpoint says. So an event that was
//! edited, removed, inserted or moved is found by its hash or its position, and a chain that was
//! computed anew by whoever changed it is found by the checkpoints, which only the audit key signs.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use symbolon_protocol::jose::JwkSet;

use super::chain::{self, Recorded};
use super::checkpoint::{self, Checkpoint, Claims};
use super::sealer::End;
use crate::engine::{Record, Row, args};
use crate::{Connection, StorageError};

/// Events read at once.
const PAGE: i64 = 1000;

/// What is wrong with a chain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Events are missing at these positions.
    Missing(RangeInclusive<i64>),
    /// The event at this position is not the one that was chained there: it was edited, moved or
    /// inserted, or the one before it was.
    Changed(i64),
    /// More than one event claims this position.
    Repeated(i64),
    /// The checkpoint at this position is not signed by the audit key, or the chain was another then.
    Checkpoint(i64),
    /// The chain was signed up to this position; events after it that were chained are gone.
    Truncated(i64),
    /// Nothing signed says that the chain ends here.
    Unsigned(i64),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(range) if range.start() == range.end() => {
                write!(
                    formatter,
                    "the event at position {} is missing",
                    range.start()
                )
            }
            Self::Missing(range) => {
                write!(
                    formatter,
                    "events {} to {} are missing",
                    range.start(),
                    range.end()
                )
            }
            Self::Changed(at) => write!(formatter, "the event at position {at} was changed"),
            Self::Repeated(at) => write!(formatter, "two events claim position {at}"),
            Self::Checkpoint(at) => write!(formatter, "the checkpoint at position {at} is broken"),
            Self::Truncated(at) => write!(formatter, "events up to position {at} were removed"),
            Self::Unsigned(at) => write!(formatter, "the end at position {at} is not signed"),
        }
    }
}

/// What [`verify`] found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Events that were checked.
    pub events: u64,
    /// Checkpoints that were checked.
    pub checkpoints: u64,
    /// Events that are not chained yet.
    pub waiting: u64,
    /// What is wrong, in order; empty when all is well.
    pub faults: Vec<Fault>,
}

/// Checks events in order of their positions; pure.
pub struct Verifier<'a> {
    deployment: &'a str,
    organization: &'a str,
    keys: &'a JwkSet,
    checkpoints: BTreeMap<i64, Checkpoint>,
    end: End,
    report: Report,
}

impl<'a> Verifier<'a> {
    /// Starts at the beginning of an organization's chain (`""`: the deployment's).
    pub fn new(
        deployment: &'a str,
        organization: &'a str,
        keys: &'a JwkSet,
        checkpoints: Vec<Checkpoint>,
    ) -> Self {
        let hash = chain::beginning(deployment, organization);
        let checkpoints = checkpoints
            .into_iter()
            .map(|found| (found.position, found))
            .collect();
        let end = End { position: 0, hash };
        Self {
            deployment,
            organization,
            keys,
            checkpoints,
            end,
            report: Report::default(),
        }
    }

    /// Goes on after an event that is taken as it is.
    fn resume(&mut self, event: &Recorded) {
        if let (Some(position), Some(hash)) = (event.position, stored_hash(event)) {
            self.end = End { position, hash };
            self.checkpoints.retain(|at, _| *at > position);
        }
    }

    /// Checks the next event.
    pub fn push(&mut self, event: &Recorded) {
        let position = event.position.unwrap_or_default();
        self.report.events += 1;
        if position <= self.end.position {
            self.report.faults.push(Fault::Repeated(position));
            return;
        }
        let expected = self.end.position + 1;
        let has_gap = position > expected;
        if has_gap {
            self.report
                .faults
                .push(Fault::Missing(expected..=position - 1));
        }
        let stored = stored_hash(event);
        let computed = chain::hash(&self.end.hash, position, event);
        // After a gap the hash before is unknown: the stored one is where checking starts again.
        if !has_gap && stored != Some(computed) || event.organization != self.organization {
            self.report.faults.push(Fault::Changed(position));
        }
        self.end = End {
            position,
            hash: stored.unwrap_or(computed),
        };
        self.check_checkpoints();
    }

    fn check_checkpoints(&mut self) {
        while let Some(entry) = self.checkpoints.first_entry()
            && *entry.key() <= self.end.position
        {
            let checkpoint = entry.remove();
            self.report.checkpoints += 1;
            let position = self.end.position;
            let claims = Claims {
                deployment: self.deployment,
                organization: self.organization,
                position,
                hash: &self.end.hash,
                at: checkpoint.at,
            };
            if checkpoint.position != position || !checkpoint.agrees(&claims, self.keys) {
                self.report
                    .faults
                    .push(Fault::Checkpoint(checkpoint.position));
            }
        }
    }

    /// Says what was found. `signed` is where the last checkpoint of the whole chain lies.
    fn finish(mut self, last_checkpoint: Option<i64>, is_whole: bool) -> Report {
        let end = self.end.position;
        match last_checkpoint.unwrap_or(0) {
            _ if !is_whole => {}
            signed if signed > end => self.report.faults.push(Fault::Truncated(signed)),
            signed if signed < end => self.report.faults.push(Fault::Unsigned(end)),
            _ => {}
        }
        self.report
    }
}

fn stored_hash(event: &Recorded) -> Option<[u8; 32]> {
    event.hash.as_deref()?.try_into().ok()
}

struct Count(i64);

impl Record for Count {
    fn read(row: &Row) -> Result<Self, StorageError> {
        row.get("count").map(Self)
    }
}

/// Verifies a chain, or the positions of it in `range`.
///
/// Where the range begins later than 1, the event before it is taken as it is: only the checkpoints
/// within the range then vouch for it.
///
/// # Errors
/// [`StorageError`]; never for what is wrong with the chain.
pub async fn verify(
    connection: &mut Connection,
    deployment: &str,
    organization: &str,
    keys: &JwkSet,
    range: Option<RangeInclusive<i64>>,
) -> Result<Report, StorageError> {
    let is_whole = range.as_ref().is_none_or(|range| *range.end() == i64::MAX);
    let range = range.unwrap_or(1..=i64::MAX);
    let checkpoints = checkpoint::list(connection, organization, *range.start()).await?;
    let last = checkpoints.last().map(|checkpoint| checkpoint.position);
    let mut verifier = Verifier::new(deployment, organization, keys, checkpoints);
    let mut after = range.start().saturating_sub(1);
    if after > 0
        && let Some(before) = page(connection, organization, after - 1, after, 1)
            .await?
            .first()
    {
        verifier.resume(before);
    }
    loop {
        let events = page(connection, organization, after, *range.end(), PAGE).await?;
        for event in &events {
            verifier.push(event);
        }
        match events.last().and_then(|event| event.position) {
            Some(position) => after = position,
            None => break,
        }
    }
    let mut report = verifier.finish(last, is_whole);
    report.waiting = waiting(connection, organization).await?;
    Ok(report)
}

async fn page(
    connection: &mut Connection,
    organization: &str,
    after: i64,
    to: i64,
    limit: i64,
) -> Result<Vec<Recorded>, StorageError> {
    connection
        .fetch_all(
            "SELECT seq, organization, at, actor, action, outcome, reason, request_id, details,
                    position, hash
             FROM audit_event
             WHERE organization = $1 AND position IS NOT NULL AND position > $2 AND position <= $3
             ORDER BY position LIMIT $4",
            args![organization, after, to, limit],
        )
        .await
}

async fn waiting(connection: &mut Connection, organization: &str) -> Result<u64, StorageError> {
    let Count(count) = connection
        .fetch_one(
            "SELECT count(*) AS count FROM audit_event
             WHERE organization = $1 AND position IS NULL",
            args![organization],
        )
        .await?;
    Ok(count.unsigned_abs())
}
