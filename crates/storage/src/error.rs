//! Why the database could not do what was asked.
//!
//! One error for the whole crate: callers act on three facts only (is it worth retrying, is the
//! database away, or is it a fault of ours), see [`StorageError::is_retryable`]. Denials are never
//! errors here: a code that was already redeemed is a value, not a failure.

use std::sync::Arc;

use crate::seal::SealError;

/// What the engine said; for the log.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a read or a transaction did not happen. Nothing of a failed transaction is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Too many writers are waiting, or the database is locked by another process.
    #[error("the database is busy; try again")]
    Busy,
    /// Two transactions collided and this one lost; running it again is safe.
    #[error("the transaction collided with another one; try again")]
    Collision(#[source] Cause),
    /// The database cannot be reached.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Cause),
    /// A statement hit a constraint of the schema (a row exists already or refers to nothing).
    #[error("a constraint of the database refused the statement")]
    Constraint(#[source] Cause),
    /// The database refused a statement: a fault in this program or a damaged database.
    #[error("the database refused a statement")]
    Statement(#[source] Cause),
    /// A stored value cannot be read back as what it should be.
    #[error("column {column}: {problem}")]
    Corrupt {
        /// The column, or the record, that holds the value.
        column: &'static str,
        /// What is wrong with it; never the value of a secret.
        problem: String,
    },
    /// The group of transactions this one was committed with did not become durable.
    #[error("the transaction was not committed")]
    NotCommitted(#[source] Arc<StorageError>),
    /// The job went on after one of its statements had failed; it was rolled back.
    #[error("the transaction was rolled back because one of its statements had failed")]
    Spoiled,
    /// The job panicked; its transaction was rolled back.
    #[error("the transaction panicked and was rolled back")]
    Panicked,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The key-encryption key is not the one this database was sealed with.
    #[error(
        "the key-encryption key does not open this database; configure the key that \
         `symbolon init` created with it (secrets.key_encryption_key)"
    )]
    WrongKey,
    /// The URL of the database is not one of ours.
    #[error("storage url: {0}; write sqlite://FILE or postgres://USER@HOST/DATABASE")]
    Url(String),
    /// There is no database and the options do not allow creating one.
    #[error("there is no database at {0}; run `symbolon init`, or correct storage.url")]
    Missing(String),
    /// The database has no schema, or an older one, and the options do not allow migrating it.
    #[error("the database has schema {found}, this version needs {needed}; run `symbolon migrate`")]
    NotMigrated {
        /// Version found, 0 for an empty database.
        found: i64,
        /// Version this program needs.
        needed: i64,
    },
    /// The database was migrated by a program more than one schema version ahead.
    #[error(
        "the database has schema {found}, this version knows {known}; install a newer symbolon"
    )]
    TooNew {
        /// Version found.
        found: i64,
        /// Newest version this program knows.
        known: i64,
    },
    /// A migration did not run.
    #[error("the migration did not run")]
    Migration(#[source] Cause),
}

impl StorageError {
    /// Whether the same transaction may succeed when it is run again.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Busy | Self::Collision(_) => true,
            Self::NotCommitted(cause) => cause.is_retryable(),
            _ => false,
        }
    }

    /// Whether the database is away: the caller answers 503, not 500.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Busy | Self::Collision(_) | Self::Unavailable(_) | Self::Closed => true,
            Self::NotCommitted(cause) => cause.is_outage(),
            _ => false,
        }
    }

    /// A stored value that cannot be what it should be.
    pub(crate) fn corrupt(column: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::Corrupt {
            column,
            problem: problem.to_string(),
        }
    }
}
