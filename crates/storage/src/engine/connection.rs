//! A connection that reads and a transaction that writes, whichever engine is below.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::value::{Record, Value};
use super::{postgres, sqlite};
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
    Sqlite(rusqlite::Connection),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Connection {
    pub(super) fn sqlite(connection: rusqlite::Connection, sealer: Arc<Sealer>) -> Self {
        Self {
            link: Link::Sqlite(connection),
            sealer,
            spoiled: false,
        }
    }

    pub(super) fn postgres(
        tx: sqlx::Transaction<'static, sqlx::Postgres>,
        sealer: Arc<Sealer>,
    ) -> Self {
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
        let answer = match &mut self.link {
            Link::Sqlite(connection) => {
                sqlite::fetch(connection, sql, &arguments, 1).map(|rows| rows.into_iter().next())
            }
            Link::Postgres(tx) => postgres::fetch_optional(tx, sql, arguments).await,
        };
        self.note(answer)
    }

    /// The one row of an answer that always has one.
    pub(crate) async fn fetch_one<T: Record>(
        &mut self,
        sql: &'static str,
        arguments: Vec<Value>,
    ) -> Result<T, StorageError> {
        self.fetch_optional(sql, arguments)
            .await?
            .ok_or_else(|| StorageError::Statement("a row that must exist is missing".into()))
    }

    /// Every row of the answer; the statement bounds how many there are.
    pub(crate) async fn fetch_all<T: Record>(
        &mut self,
        sql: &'static str,
        arguments: Vec<Value>,
    ) -> Result<Vec<T>, StorageError> {
        let answer = match &mut self.link {
            Link::Sqlite(connection) => sqlite::fetch(connection, sql, &arguments, usize::MAX),
            Link::Postgres(tx) => postgres::fetch_all(tx, sql, arguments).await,
        };
        self.note(answer)
    }

    /// Remembers that a statement failed: PostgreSQL would turn the commit into a silent rollback.
    fn note<T>(&mut self, answer: Result<T, StorageError>) -> Result<T, StorageError> {
        self.spoiled |= answer.is_err();
        answer
    }

    /// Runs a statement that steers an SQLite connection or its transaction.
    pub(super) fn control(&mut self, sql: &'static str) -> Result<(), StorageError> {
        match &self.link {
            Link::Sqlite(connection) => sqlite::control(connection, sql),
            Link::Postgres(_) => Ok(()),
        }
    }

    /// Ends a transaction on PostgreSQL.
    pub(super) async fn commit(self) -> Result<(), StorageError> {
        match self.link {
            Link::Sqlite(_) => Ok(()),
            Link::Postgres(tx) => Ok(tx.commit().await?),
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
        let answer = match &mut self.connection.link {
            Link::Sqlite(connection) => sqlite::execute(connection, sql, &arguments),
            Link::Postgres(tx) => postgres::execute(tx, sql, arguments).await,
        };
        self.connection.note(answer)
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
            Link::Sqlite(_) => sql
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
            Link::Sqlite(_) => Ok(()),
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
