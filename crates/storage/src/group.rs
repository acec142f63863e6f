//! What is known about a person's groups (design §4 rules 12 and 13).
//!
//! A group is (organization, source, external id). Each source reports about a person on its own;
//! what a token said expires after a day. Without an unexpired report the groups are unknown, which
//! is not the same as none: a policy that asks for an unknown fact denies.

use std::time::Duration;

use symbolon_protocol::ids::{ConnectionId, GroupKey, OrganizationId, UserId};
use symbolon_protocol::time::Timestamp;

use crate::authentication_facts::{json_array, read_json_array};
use crate::engine::{Record, Row, args};
use crate::{Connection, StorageError, Transaction, user};

/// How long what a token said about groups is believed.
pub const TOKEN_REPORT_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A repeated report is not written again within this time: a busy person's row stays quiet.
const WRITE_INTERVAL: Duration = Duration::from_secs(60);

/// What one token said about one person's groups.
#[derive(Clone, Debug)]
pub struct TokenReport<'a> {
    /// The person's organization.
    pub organization: &'a OrganizationId,
    /// The person.
    pub user: &'a UserId,
    /// The connection whose identity provider speaks.
    pub source: &'a ConnectionId,
    /// Its identifiers of every group the person is in, perhaps none.
    pub groups: &'a [String],
    /// When the identity provider said so (`iat`); an older report never replaces a newer one.
    pub learned_at: Timestamp,
}

/// A person's groups, as far as they are known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Groups {
    /// What the unexpired reports say, sorted; perhaps nothing.
    Known(Vec<GroupKey>),
    /// No source has an unexpired report.
    Unknown,
}

/// What is known about a person, and for how long.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Facts {
    /// The groups.
    pub groups: Groups,
    /// When the first of the reports expires; from then on this must be read again.
    pub until: Option<Timestamp>,
}

struct Report {
    source: String,
    groups: Vec<String>,
    learned_at: Timestamp,
    expires_at: Option<Timestamp>,
}

impl Record for Report {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            source: row.get("source")?,
            groups: read_json_array(row, "groups")?,
            learned_at: row.get("learned_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

impl Report {
    fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| expires_at > now)
    }

    fn keys(self) -> impl Iterator<Item = GroupKey> {
        let source = self.source;
        self.groups.into_iter().map(move |external_id| GroupKey {
            source: source.clone(),
            external_id,
        })
    }
}

/// Writes what a token said in place of what its source said before.
///
/// Nodes hear of it when the groups differ from what was known.
///
/// # Errors
/// [`StorageError::Constraint`] when the person was deleted meanwhile.
pub async fn replace_from_token(
    tx: &mut Transaction,
    report: &TokenReport<'_>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let mut groups = report.groups.to_vec();
    groups.sort_unstable();
    groups.dedup();
    let before: Option<Report> = tx
        .fetch_optional(
            "SELECT source, groups, learned_at, expires_at FROM group_report
             WHERE user_id = $1 AND source = $2",
            args![report.user, report.source],
        )
        .await?
        .filter(|before: &Report| before.is_live(now));
    let is_same = before
        .as_ref()
        .is_some_and(|before| before.groups == groups);
    let is_news = before.is_none_or(|before| {
        let since = if is_same {
            before.learned_at.plus(WRITE_INTERVAL)
        } else {
            before.learned_at
        };
        report.learned_at >= since
    });
    if is_news && put(tx, report, &groups).await? && !is_same {
        user::announce_facts(tx, report.user, now);
    }
    Ok(())
}

/// Writes a report unless a newer one is there.
async fn put(
    tx: &mut Transaction,
    report: &TokenReport<'_>,
    groups: &[String],
) -> Result<bool, StorageError> {
    let changed = tx
        .execute(
            "INSERT INTO group_report
                 (user_id, source, organization, groups, learned_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (user_id, source) DO UPDATE SET groups = excluded.groups,
                 learned_at = excluded.learned_at, expires_at = excluded.expires_at
             WHERE group_report.learned_at <= excluded.learned_at",
            args![
                report.user,
                report.source,
                report.organization,
                json_array(groups),
                report.learned_at,
                report.learned_at.plus(TOKEN_REPORT_LIFETIME),
            ],
        )
        .await?;
    Ok(changed > 0)
}

/// Forgets what a source said: it could not say it this time (a groups overage, a missing claim).
///
/// # Errors
/// [`StorageError`].
pub async fn forget(
    tx: &mut Transaction,
    user: &UserId,
    source: &ConnectionId,
    now: Timestamp,
) -> Result<(), StorageError> {
    let sql = "DELETE FROM group_report WHERE user_id = $1 AND source = $2";
    if tx.execute(sql, args![user, source]).await? > 0 {
        user::announce_facts(tx, user, now);
    }
    Ok(())
}

/// What is known about a person's groups.
///
/// # Errors
/// [`StorageError`].
pub async fn facts(
    connection: &mut Connection,
    user: &UserId,
    now: Timestamp,
) -> Result<Facts, StorageError> {
    let reports: Vec<Report> = connection
        .fetch_all(
            "SELECT source, groups, learned_at, expires_at FROM group_report
             WHERE user_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY source",
            args![user, now],
        )
        .await?;
    let until = reports.iter().filter_map(|report| report.expires_at).min();
    let groups = match reports.is_empty() {
        true => Groups::Unknown,
        false => Groups::Known(reports.into_iter().flat_map(Report::keys).collect()),
    };
    Ok(Facts { groups, until })
}
