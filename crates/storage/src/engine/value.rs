//! What goes into a statement and what comes out of a row.
//!
//! The schema uses four types that both engines hold alike: text, 64 bit integers, bytes and
//! booleans. Times are integers: microseconds since 1970, UTC.

use std::str::FromStr;

use symbolon_protocol::ids::{
    ClientId, ConnectionId, GrantId, KeyId, OrganizationId, PolicyId, ServerId, SessionId, UserId,
};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;

use super::sqlite;
use crate::StorageError;

/// One argument of a statement, possibly null; a null keeps its type.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Bytes(Option<Vec<u8>>),
    Boolean(Option<bool>),
}

/// The arguments of a statement in the order of its placeholders: `args![id, now]`.
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::engine::Value::from($value)),*]
    };
}
pub(crate) use args;

macro_rules! value_from {
    ($($variant:ident($inner:ty): $($type:ty => |$name:ident| $expression:expr),+;)+) => {$($(
        impl From<$type> for Value {
            fn from($name: $type) -> Self {
                Self::$variant(Some($expression))
            }
        }

        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Self::$variant(value.map(|$name| -> $inner { $expression }))
            }
        }
    )+)+};
}

value_from! {
    Text(String): &str => |text| text.to_owned(), String => |text| text, &String => |text| text.clone();
    Integer(i64): i64 => |number| number, Timestamp => |time| time.micros();
    Bytes(Vec<u8>): &[u8] => |bytes| bytes.to_vec(), Vec<u8> => |bytes| bytes, &Vec<u8> => |bytes| bytes.clone(),
        [u8; 32] => |bytes| bytes.to_vec(), &[u8; 32] => |bytes| bytes.to_vec();
    Boolean(bool): bool => |truth| truth;
}

/// Types that are stored as the text they print.
macro_rules! textual {
    ($($type:ty),+ $(,)?) => {$(
        impl From<&$type> for Value {
            fn from(value: &$type) -> Self {
                Self::Text(Some(value.to_string()))
            }
        }

        impl From<Option<&$type>> for Value {
            fn from(value: Option<&$type>) -> Self {
                Self::Text(value.map(ToString::to_string))
            }
        }

        impl Column for $type {
            fn read(row: &Row<'_>, column: &'static str) -> Result<Self, StorageError> {
                parse(&row.get::<String>(column)?, column)
            }
        }

        impl Column for Option<$type> {
            fn read(row: &Row<'_>, column: &'static str) -> Result<Self, StorageError> {
                let text: Option<String> = row.get(column)?;
                text.map(|text| parse(&text, column)).transpose()
            }
        }
    )+};
}

textual!(
    ClientId,
    ConnectionId,
    GrantId,
    IssuerRole,
    KeyId,
    OrganizationId,
    PolicyId,
    ScopeSet,
    ServerId,
    SessionId,
    UserId,
);

fn parse<T: FromStr<Err: std::fmt::Display>>(
    text: &str,
    column: &'static str,
) -> Result<T, StorageError> {
    text.parse()
        .map_err(|error| StorageError::corrupt(column, error))
}

/// The placeholders of a list of rows, `($1, $2), ($3, $4)`: for statements over many rows at once.
pub(crate) fn placeholders(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let numbers = (1..=columns).map(|column| format!("${}", row * columns + column));
        format!("({})", numbers.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// One row of an answer.
pub(crate) struct Row<'r>(pub(super) Engine<'r>);

/// The row of either engine.
pub(super) enum Engine<'r> {
    Sqlite(sqlite::Row<'r>),
    Postgres(&'r sqlx::postgres::PgRow),
}

impl Row<'_> {
    /// The value of a column, as the type that is asked for.
    pub(crate) fn get<T: Column>(&self, column: &'static str) -> Result<T, StorageError> {
        T::read(self, column)
    }
}

/// A type that a column can be read as.
pub(crate) trait Column: Sized {
    /// Reads the named column.
    fn read(row: &Row<'_>, column: &'static str) -> Result<Self, StorageError>;
}

macro_rules! plain_column {
    ($($type:ty => $read:ident),+) => {$(
        impl Column for Option<$type> {
            fn read(row: &Row<'_>, column: &'static str) -> Result<Self, StorageError> {
                match &row.0 {
                    Engine::Sqlite(row) => row.$read(column),
                    Engine::Postgres(row) => sqlx::Row::try_get(*row, column)
                        .map_err(|error| StorageError::corrupt(column, error)),
                }
            }
        }

        impl Column for $type {
            fn read(row: &Row<'_>, column: &'static str) -> Result<Self, StorageError> {
                let value: Option<$type> = row.get(column)?;
                value.ok_or_else(|| StorageError::corrupt(column, "is null"))
            }
        }
    )+};
}

plain_column!(String => text, i64 => integer, Vec<u8> => bytes, bool => boolean);

impl Column for Timestamp {
    fn read(row: &Row<'_>, column: &'static str) -> Result<Self, StorageError> {
        row.get(column).map(Self::from_micros)
    }
}

impl Column for Option<Timestamp> {
    fn read(row: &Row<'_>, column: &'static str) -> Result<Self, StorageError> {
        Ok(row.get::<Option<i64>>(column)?.map(Timestamp::from_micros))
    }
}

impl Column for [u8; 32] {
    fn read(row: &Row<'_>, column: &'static str) -> Result<Self, StorageError> {
        let bytes: Vec<u8> = row.get(column)?;
        bytes
            .try_into()
            .map_err(|_| StorageError::corrupt(column, "is not 32 bytes long"))
    }
}

/// A record that is read from one row.
pub(crate) trait Record: Sized {
    /// Reads the record.
    fn read(row: &Row<'_>) -> Result<Self, StorageError>;
}
