//! The rows that tokens hang on, and how a revocation marks them.

use symbolon_protocol::ids::GrantId;
use symbolon_protocol::time::Timestamp;

use super::{Revoked, Subject, SubjectKind};
use crate::engine::{Record, Row, Value, args};
use crate::news::{Announcement, Topic};
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
                $whose,
                " RETURNING id"
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
    let mut revoked = Revoked {
        at: now,
        grants: 0,
        sessions: 0,
    };
    // Codes, sessions, grants, refresh tokens: in the order in which redeeming a code locks them.
    tx.execute(statements.codes, arguments(subject, now))
        .await?;
    if let Some(sql) = statements.sessions {
        revoked.sessions = tx.execute(sql, arguments(subject, now)).await?;
    }
    if let Some(sql) = statements.grants {
        let grants: Vec<Ended> = tx.fetch_all(sql, arguments(subject, now)).await?;
        revoked.grants = grants.len() as u64;
        announce_each(tx, subject, grants, now);
    }
    tx.execute(statements.families, arguments(subject, now))
        .await?;
    // A request that began after this one may have been faster: its token must not survive. Asked
    // when everything is locked.
    if let Some(sql) = statements.latest {
        revoked.at = now.max(latest(tx, sql, subject, now).await?);
    }
    Ok(revoked)
}

struct Ended(GrantId);

impl Record for Ended {
    fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        row.get("id").map(Self)
    }
}

/// Names each grant that ended with its subject: not every token leaves a trace of when it was
/// issued (a repeated refresh does not), but every token names its grant.
fn announce_each(tx: &mut Transaction, subject: &Subject, grants: Vec<Ended>, now: Timestamp) {
    if matches!(subject, Subject::Grant(_)) {
        return;
    }
    for Ended(id) in grants {
        tx.announce(Announcement {
            topic: Topic::Revoked(SubjectKind::Grant),
            subject: id.to_string(),
            at: now,
        });
    }
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
