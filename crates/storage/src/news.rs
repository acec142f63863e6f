//! News between nodes, numbered in commit order (design §4 rule 16).
//!
//! Whatever another node must hear of (revocations, new definitions, new keys, changed facts about
//! a user) is a row here, written by the transaction that did it. The rows of a transaction get
//! their numbers at its very end, from one counter row that stays locked until the commit: numbers
//! become visible in ascending order, so that a reader who asks for what follows its last number
//! never misses a transaction that committed late.

use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use symbolon_protocol::time::Timestamp;

use crate::engine::{Record, Row, Value, args, placeholders};
use crate::revocation::SubjectKind;
use crate::{Connection, StorageError, Transaction};

/// News read in one go at most.
const PAGE: i64 = 1000;

/// News that one statement inserts: revoking an organization makes one for each of its grants.
const MANY: usize = 64;

/// How long news is kept: longer than any access token lives, and than a node may lag behind.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What a piece of news is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Topic {
    /// Definitions changed; the subject is their new version.
    Definitions,
    /// Signing keys changed; the subject is the authorization server.
    Keys,
    /// What is known about a user changed; the subject is the user.
    Facts,
    /// Something was revoked; the subject is its id.
    Revoked(SubjectKind),
}

impl Topic {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Definitions => "definitions",
            Self::Keys => "keys",
            Self::Facts => "facts",
            Self::Revoked(SubjectKind::Grant) => "revoked/grant",
            Self::Revoked(SubjectKind::User) => "revoked/user",
            Self::Revoked(SubjectKind::Client) => "revoked/client",
            Self::Revoked(SubjectKind::Session) => "revoked/session",
            Self::Revoked(SubjectKind::Organization) => "revoked/organization",
        }
    }
}

impl FromStr for Topic {
    type Err = StorageError;

    fn from_str(text: &str) -> Result<Self, StorageError> {
        let revoked = SubjectKind::ALL.map(Self::Revoked);
        [Self::Definitions, Self::Keys, Self::Facts]
            .into_iter()
            .chain(revoked)
            .find(|topic| topic.as_str() == text)
            // A newer version may know more topics; what it means cannot be ignored safely.
            .ok_or_else(|| StorageError::corrupt("topic", format!("{text:?} is unknown")))
    }
}

/// News before it has a number.
#[derive(Clone, Debug)]
pub(crate) struct Announcement {
    pub(crate) topic: Topic,
    pub(crate) subject: String,
    pub(crate) at: Timestamp,
}

/// A piece of news.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct News {
    /// Its number: ascending in the order of the commits.
    pub seq: i64,
    /// What it is about.
    pub topic: Topic,
    /// Which one: an id, a version; see [`Topic`].
    pub subject: String,
    /// When it happened.
    pub at: Timestamp,
}

impl Record for News {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            seq: row.get("seq")?,
            topic: row.get::<String>("topic")?.parse()?,
            subject: row.get("subject")?,
            at: row.get("at")?,
        })
    }
}

struct Seq(i64);

impl Record for Seq {
    fn read(row: &Row) -> Result<Self, StorageError> {
        row.get("seq").map(Self)
    }
}

static INSERT_ONE: LazyLock<String> = LazyLock::new(|| insert(1));
static INSERT_MANY: LazyLock<String> = LazyLock::new(|| insert(MANY));

/// The statement that inserts a number of news.
fn insert(count: usize) -> String {
    format!(
        "INSERT INTO news (seq, topic, subject, at) VALUES {}",
        placeholders(count, 4)
    )
}

/// Numbers and writes the news of a transaction; the last thing it does before its commit.
pub(crate) async fn append(
    tx: &mut Transaction,
    news: &[Announcement],
) -> Result<(), StorageError> {
    if news.is_empty() {
        return Ok(());
    }
    let count = news.len() as i64;
    // The row stays locked until the commit: whoever comes next continues after it.
    let Seq(last) = tx
        .fetch_one(
            "UPDATE news_head SET seq = seq + $1 WHERE one = 1 RETURNING seq",
            args![count],
        )
        .await?;
    let numbered: Vec<_> = news.iter().zip(last - count + 1..).collect();
    let chunks = numbered.chunks_exact(MANY);
    let rest = chunks.remainder();
    for chunk in chunks {
        tx.execute(
            INSERT_MANY.as_str(),
            chunk.iter().flat_map(columns).collect(),
        )
        .await?;
    }
    for one in rest {
        tx.execute(INSERT_ONE.as_str(), columns(one)).await?;
    }
    Ok(())
}

fn columns((news, seq): &(&Announcement, i64)) -> Vec<Value> {
    args![*seq, news.topic.as_str(), &news.subject, news.at]
}

/// The number of the newest news; 0 when there never was any.
///
/// # Errors
/// [`StorageError`].
pub async fn last(connection: &mut Connection) -> Result<i64, StorageError> {
    let Seq(seq) = connection
        .fetch_one("SELECT seq FROM news_head WHERE one = 1", args![])
        .await?;
    Ok(seq)
}

/// The news that follow a number, oldest first, at most a thousand at once.
///
/// # Errors
/// [`StorageError`].
pub async fn read_after(connection: &mut Connection, seq: i64) -> Result<Vec<News>, StorageError> {
    connection
        .fetch_all(
            "SELECT seq, topic, subject, at FROM news WHERE seq > $1 ORDER BY seq LIMIT $2",
            args![seq, PAGE],
        )
        .await
}

/// The news since a time, in no order.
///
/// # Errors
/// [`StorageError`].
pub(crate) async fn read_since(
    connection: &mut Connection,
    at: Timestamp,
) -> Result<Vec<News>, StorageError> {
    connection
        .fetch_all(
            "SELECT seq, topic, subject, at FROM news WHERE at >= $1",
            args![at],
        )
        .await
}

/// Removes news that nobody needs any more; answers how many there were.
///
/// # Errors
/// [`StorageError`].
pub async fn forget(tx: &mut Transaction, now: Timestamp) -> Result<u64, StorageError> {
    tx.execute("DELETE FROM news WHERE at < $1", args![now.minus(KEPT)])
        .await
}
