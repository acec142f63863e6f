//! The rows that tokens hang on, and how a revocation marks them.

use symbolon_protocol::time::Timestamp;

use super::{Revoked, Subject};
use crate::engine::{Record, Row, Value, args};
use crate::{StorageError, Transaction};

/// What marks the rows of a kind of subject: `$1` names it, `$2` is the role of a client, `$3` the
/// time.
struct Statements {
    /// Grants that live.
    grants: Option<&'static str>,
    /// Refresh tokens that live.
    families: &'static str,
    /// Authorization codes that were not redeemed.
    codes: &'static str,
    /// Sessions that live.
    sessions: Option<&'static str>,
    /// When a token was last issued; refreshing touches the family only.
    latest: Option<&'static str>,
}

/// Statements for a subject that is named in the rows of its grants.
macro_rules! through_grants {
    ($whose:literal, $sessions:expr) => {
        Statements {
            grants: Some(concat!(
                "UPDATE grants SET revoked_at = $3 WHERE revoked_at IS NULL AND ",
                $whose
            )),
            families: concat!(
                "UPDATE refresh_family SET revoked_at = $3 WHERE revoked_at IS NULL
                     AND grant_id IN (SELECT id FROM grants WHERE ",
                $whose,
                ")"
            ),
            codes: concat!(
                "DELETE FROM authorization_code WHERE redeemed_at IS NULL
                     AND grant_id IN (SELECT id FROM grants WHERE ",
                $whose,
                ")"
            ),
            sessions: $sessions,
            latest: Some(concat!(
                "SELECT max(at) AS latest FROM (
                     SELECT last_used_at AS at FROM grants WHERE ",
                $whose,
                " UNION ALL SELECT rotated_at FROM refresh_family
                     WHERE grant_id IN (SELECT id FROM grants WHERE ",
                $whose,
                ")) AS issued"
            )),
        }
    };
}

// The index refuses tokens of a grant or session whatever their time of issue: no `latest`.
const GRANT: Statements = Statements {
    latest: None,
    ..through_grants!("id = $1", None)
};

const USER: Statements = through_grants!(
    "user_id = $1",
    Some("UPDATE session SET ended_at = $3 WHERE ended_at IS NULL AND user_id = $1")
);

const CLIENT: Statements = through_grants!("client_id = $1 AND role = $2", None);

const ORGANIZATION: Statements = through_grants!(
    "organization = $1",
    Some("UPDATE session SET ended_at = $3 WHERE ended_at IS NULL AND organization = $1")
);

/// A grant may serve other sessions of its user as well: only what came out of this one ends, and
/// its access tokens name the session.
const SESSION: Statements = Statements {
    grants: None,
    families: "UPDATE refresh_family SET revoked_at = $3
                   WHERE revoked_at IS NULL AND session_id = $1",
    codes: "DELETE FROM authorization_code WHERE redeemed_at IS NULL AND session_id = $1",
    sessions: Some("UPDATE session SET ended_at = $3 WHERE ended_at IS NULL AND id = $1"),
    latest: None,
};

/// Marks everything of a subject that lives.
pub(super) async fn mark(
    tx: &mut Transaction,
    subject: &Subject,
    now: Timestamp,
) -> Result<Revoked, StorageError> {
    keep_additions_out(tx, subject).await?;
    let statements = match subject {
        Subject::Grant(_) => GRANT,
        Subject::User(_) => USER,
        Subject::Client(..) => CLIENT,
        Subject::Session(_) => SESSION,
        Subject::Organization(_) => ORGANIZATION,
    };
    // A request that began after this one may have been faster: its token must not survive.
    let latest = match statements.latest {
        Some(sql) => latest(tx, sql, subject, now).await?,
        None => now,
    };
    let mut revoked = Revoked {
        at: now.max(latest),
        grants: 0,
        sessions: 0,
    };
    // The rows that others hold come first: of grants and sessions.
    if let Some(sql) = statements.sessions {
        revoked.sessions = tx.execute(sql, arguments(subject, revoked.at)).await?;
    }
    if let Some(sql) = statements.grants {
        revoked.grants = tx.execute(sql, arguments(subject, revoked.at)).await?;
    }
    tx.execute(statements.families, arguments(subject, revoked.at))
        .await?;
    tx.execute(statements.codes, arguments(subject, revoked.at))
        .await?;
    Ok(revoked)
}

fn arguments(subject: &Subject, at: Timestamp) -> Vec<Value> {
    match subject {
        Subject::Client(role, id) => args![id, role, at],
        other => args![other.name(), None::<String>, at],
    }
}

struct Held;

impl Record for Held {
    fn read(_: &Row<'_>) -> Result<Self, StorageError> {
        Ok(Self)
    }
}

/// Waits for transactions that are adding to what is revoked, and lets no other one begin: what they
/// add would be overlooked. Who adds to a user, session or grant holds its row; the rows of a grant
/// and a session are changed here anyway.
async fn keep_additions_out(tx: &mut Transaction, subject: &Subject) -> Result<(), StorageError> {
    match subject {
        Subject::Grant(_) | Subject::Session(_) => Ok(()),
        Subject::User(id) => {
            let sql = "SELECT id FROM users WHERE id = $1 FOR UPDATE";
            tx.fetch_held::<Held>(sql, args![id]).await.map(drop)
        }
        Subject::Client(..) | Subject::Organization(_) => {
            tx.keep_writers_out(
                "LOCK TABLE session, grants, authorization_code, refresh_family
                 IN SHARE ROW EXCLUSIVE MODE",
            )
            .await
        }
    }
}

struct Latest(Option<Timestamp>);

impl Record for Latest {
    fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        row.get("latest").map(Self)
    }
}

async fn latest(
    tx: &mut Transaction,
    sql: &'static str,
    subject: &Subject,
    now: Timestamp,
) -> Result<Timestamp, StorageError> {
    let Latest(latest) = tx.fetch_one(sql, arguments(subject, now)).await?;
    Ok(latest.unwrap_or(now))
}
