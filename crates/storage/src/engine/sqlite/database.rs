//! Statements on an SQLite database, by way of `rusqlite`.
//!
//! Everything here is synchronous and runs on the threads of the writer and the readers: a statement
//! costs microseconds, and handing each one to another thread would cost several times that.

use std::cell::Cell;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Error, ErrorCode};

use crate::StorageError;
use crate::engine::value::{Engine, Record, Value};
use crate::engine::{self};

/// Runs a statement and tells how many rows it changed.
pub(in crate::engine) fn execute(
    connection: &Connection,
    sql: &'static str,
    arguments: &[Value],
) -> Result<u64, StorageError> {
    let mut statement = prepare(connection, sql, arguments)?;
    Ok(statement.raw_execute()? as u64)
}

/// Runs a statement that steers the connection or its transaction.
pub(in crate::engine) fn control(
    connection: &Connection,
    sql: &'static str,
) -> Result<(), StorageError> {
    // Some of them answer a row, which nobody needs.
    let mut statement = prepare(connection, sql, &[])?;
    let mut rows = statement.raw_query();
    while rows.next()?.is_some() {}
    Ok(())
}

/// Runs a statement and reads at most so many rows of the answer.
pub(in crate::engine) fn fetch<T: Record>(
    connection: &Connection,
    sql: &'static str,
    arguments: &[Value],
    limit: usize,
) -> Result<Vec<T>, StorageError> {
    let mut statement = prepare(connection, sql, arguments)?;
    let writes = !statement.readonly();
    let mut rows = statement.raw_query();
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        if records.len() < limit {
            let row = Row {
                row,
                next: Cell::new(0),
            };
            records.push(T::read(&engine::Row(Engine::Sqlite(row)))?);
        } else if !writes {
            // A statement that writes runs to its end.
            break;
        }
    }
    Ok(records)
}

fn prepare<'c>(
    connection: &'c Connection,
    sql: &'static str,
    arguments: &[Value],
) -> Result<CachedStatement<'c>, StorageError> {
    let mut statement = connection.prepare_cached(sql)?;
    for index in 1..=statement.parameter_count() {
        // SQLite numbers placeholders by their first mention; ours say their number themselves.
        let number = statement
            .parameter_name(index)
            .and_then(|name| name.get(1..)?.parse().ok());
        let argument = number.and_then(|number: usize| arguments.get(number.checked_sub(1)?));
        let argument = argument.ok_or(Error::InvalidParameterCount(index, arguments.len()))?;
        match argument {
            Value::Text(value) => statement.raw_bind_parameter(index, value)?,
            Value::Integer(value) => statement.raw_bind_parameter(index, value)?,
            Value::Bytes(value) => statement.raw_bind_parameter(index, value)?,
            Value::Boolean(value) => statement.raw_bind_parameter(index, value)?,
        }
    }
    Ok(statement)
}

/// A row while the statement stands at it.
pub(in crate::engine) struct Row<'r> {
    row: &'r rusqlite::Row<'r>,
    /// Where the next column probably is: records read them in order.
    next: Cell<usize>,
}

impl Row<'_> {
    pub(in crate::engine) fn text(
        &self,
        column: &'static str,
    ) -> Result<Option<String>, StorageError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(error) => Err(StorageError::corrupt(column, error)),
            },
            _ => Err(StorageError::corrupt(column, "is no text")),
        }
    }

    pub(in crate::engine) fn integer(
        &self,
        column: &'static str,
    ) -> Result<Option<i64>, StorageError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            _ => Err(StorageError::corrupt(column, "is no integer")),
        }
    }

    pub(in crate::engine) fn bytes(
        &self,
        column: &'static str,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes.to_vec())),
            _ => Err(StorageError::corrupt(column, "is not bytes")),
        }
    }

    pub(in crate::engine) fn boolean(
        &self,
        column: &'static str,
    ) -> Result<Option<bool>, StorageError> {
        Ok(self.integer(column)?.map(|number| number != 0))
    }

    fn value(&self, column: &'static str) -> Result<ValueRef<'_>, StorageError> {
        let statement = self.row.as_ref();
        let guess = self.next.get();
        let index = match statement.column_name(guess) {
            Ok(name) if name == column => guess,
            _ => statement.column_index(column)?,
        };
        self.next.set(index + 1);
        Ok(self.row.get_ref(index)?)
    }
}

impl From<Error> for StorageError {
    fn from(error: Error) -> Self {
        let code = error.sqlite_error_code();
        let cause = Box::new(error);
        match code {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::ConstraintViolation) => Self::Constraint(cause),
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::PermissionDenied,
            ) => Self::Unavailable(cause),
            _ => Self::Statement(cause),
        }
    }
}
