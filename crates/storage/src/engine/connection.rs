//! A connection that reads and a transaction that writes, whichever engine is below.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Postgres, Sqlite};

use super::value::{Record, Row, Value, bind};
use crate::StorageError;
use crate::news::Announcement;
use crate::seal::Sealer;

/// A consistent view of the database for reading.
///
/// Handed to the closure of [`Store::read`](crate::Store::read); statements that write fail.
pub struct Connection {
    link: Link,
    sealer: Arc<Sealer>,
    spoiled: bool,
}

enum Link {
    SqliteReader(sqlx::Transaction<'static, Sqlite>),
    SqliteWriter(SqliteConnection),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// Runs the same query on whichever engine is below.
macro_rules! each {
    ($self:ident, $sql:ident, $arguments:ident, $method:ident) => {
        match &mut $self.link {
            Link::SqliteReader(tx) => bind!($sql, $arguments)
                .$method(&mut **tx)
                .await
                .map(Answer::from),
            Link::SqliteWriter(connection) => bind!($sql, $arguments)
                .$method(connection)
                .await
                .map(Answer::from),
            Link::Postgres(tx) => bind!($sql, $arguments)
                .$method(&mut **tx)
                .await
                .map(Answer::from),
        }
    };
}

impl Connection {
    pub(super) fn sqlite_reader(
        tx: sqlx::Transaction<'static, Sqlite>,
        sealer: Arc<Sealer>,
    ) -> Self {
        Self {
            link: Link::SqliteReader(tx),
            sealer,
            spoiled: false,
        }
    }

    pub(super) fn sqlite_writer(connection: SqliteConnection, sealer: Arc<Sealer>) -> Self {
        Self {
            link: Link::SqliteWriter(connection),
            sealer,
            spoiled: false,
        }
    }

    pub(super) fn postgres(tx: sqlx::Transaction<'static, Postgres>, sealer: Arc<Sealer>) -> Self {
        Self {
            link: Link::Postgres(tx),
            sealer,
            spoiled: false,
        }
    }

    /// What opens and seals the secrets of this database.
    pub(crate) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// The first row of the answer, or nothing.
    pub(crate) async fn fetch_optional<T: Record>(
        &mut self,
        sql: &'static str,
        arguments: Vec<Value>,
    ) -> Result<Option<T>, StorageError> {
        let answer: Result<Answer, _> = each!(self, sql, arguments, fetch_optional);
        let rows = self.note(answer)?.rows;
        rows.into_iter().next().map(|row| T::read(&row)).transpose()
    }

    /// The one row of an answer that always has one.
    pub(crate) async fn fetch_one<T: Record>(
        &mut self,
        sql: &'static str,
        arguments: Vec<Value>,
    ) -> Result<T, StorageError> {
        self.fetch_optional(sql, arguments)
            .await?
            .ok_or_else(|| StorageError::Statement(sqlx::Error::RowNotFound))
    }

    /// Every row of the answer; the statement bounds how many there are.
    pub(crate) async fn fetch_all<T: Record>(
        &mut self,
        sql: &'static str,
        arguments: Vec<Value>,
    ) -> Result<Vec<T>, StorageError> {
        let answer: Result<Answer, _> = each!(self, sql, arguments, fetch_all);
        self.note(answer)?.rows.iter().map(T::read).collect()
    }

    /// Remembers that a statement failed: PostgreSQL would turn the commit into a silent rollback.
    fn note<T>(&mut self, answer: Result<T, sqlx::Error>) -> Result<T, StorageError> {
        answer.map_err(|error| {
            self.spoiled = true;
            error.into()
        })
    }

    pub(super) async fn end(self) -> Result<(), StorageError> {
        match self.link {
            Link::SqliteReader(tx) => tx.commit().await?,
            Link::SqliteWriter(connection) => sqlx::Connection::close(connection).await?,
            Link::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// Rows, or the number of rows a statement changed.
#[derive(Default)]
struct Answer {
    rows: Vec<Row>,
    changed: u64,
}

impl<R: Into<Row>> From<Option<R>> for Answer {
    fn from(row: Option<R>) -> Self {
        Self {
            rows: row.map(Into::into).into_iter().collect(),
            changed: 0,
        }
    }
}

impl<R: Into<Row>> From<Vec<R>> for Answer {
    fn from(rows: Vec<R>) -> Self {
        Self {
            rows: rows.into_iter().map(Into::into).collect(),
            changed: 0,
        }
    }
}

impl From<sqlx::sqlite::SqliteQueryResult> for Answer {
    fn from(result: sqlx::sqlite::SqliteQueryResult) -> Self {
        Self {
            changed: result.rows_affected(),
            ..Self::default()
        }
    }
}

impl From<sqlx::postgres::PgQueryResult> for Answer {
    fn from(result: sqlx::postgres::PgQueryResult) -> Self {
        Self {
            changed: result.rows_affected(),
            ..Self::default()
        }
    }
}

/// One transaction: everything it writes becomes durable together, or nothing does.
///
/// Reads like a [`Connection`] and sees its own writes.
pub struct Transaction {
    connection: Connection,
    news: Vec<Announcement>,
}

impl Transaction {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            news: Vec::new(),
        }
    }

    /// Runs a statement and tells how many rows it changed.
    pub(crate) async fn execute(
        &mut self,
        sql: &'static str,
        arguments: Vec<Value>,
    ) -> Result<u64, StorageError> {
        let connection = &mut self.connection;
        let answer: Result<Answer, _> = each!(connection, sql, arguments, execute);
        Ok(self.connection.note(answer)?.changed)
    }

    /// The first row of the answer, which nobody else changes until this transaction has ended.
    ///
    /// The statement ends in `FOR SHARE` or `FOR UPDATE`; SQLite does not know that and does not need
    /// it, since its one writer holds everything.
    pub(crate) async fn fetch_held<T: Record>(
        &mut self,
        sql: &'static str,
        arguments: Vec<Value>,
    ) -> Result<Option<T>, StorageError> {
        let sql = match &self.connection.link {
            Link::Postgres(_) => sql,
            Link::SqliteReader(_) | Link::SqliteWriter(_) => sql
                .trim_end_matches(" FOR SHARE")
                .trim_end_matches(" FOR UPDATE"),
        };
        self.connection.fetch_optional(sql, arguments).await
    }

    /// Waits until no other transaction is writing to some tables and keeps others out until the
    /// commit, where several can write at once: `lock` is PostgreSQL's statement for that.
    pub(crate) async fn keep_writers_out(
        &mut self,
        lock: &'static str,
    ) -> Result<(), StorageError> {
        match &self.connection.link {
            Link::Postgres(_) => self.execute(lock, Vec::new()).await.map(drop),
            Link::SqliteReader(_) | Link::SqliteWriter(_) => Ok(()),
        }
    }

    /// Remembers news to be numbered and written at the very end of the transaction.
    pub(crate) fn announce(&mut self, news: Announcement) {
        self.news.push(news);
    }

    /// Forgets what an earlier job of the same group left behind.
    pub(super) fn restart(&mut self) {
        self.news.clear();
        self.connection.spoiled = false;
    }

    /// The last statements of a transaction; afterwards it may be committed.
    ///
    /// # Errors
    /// [`StorageError::Spoiled`] when a statement had failed and the job went on nevertheless.
    pub(super) async fn complete(&mut self) -> Result<(), StorageError> {
        if self.connection.spoiled {
            return Err(StorageError::Spoiled);
        }
        let news = std::mem::take(&mut self.news);
        crate::news::append(self, &news).await
    }

    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
