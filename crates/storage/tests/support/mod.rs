//! Databases for tests: in-memory SQLite always, PostgreSQL where `SYMBOLON_TEST_POSTGRES` is a URL.
//!
//! Every test gets a database (SQLite) or a schema (PostgreSQL) of its own.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its part of the fixture"
)]

use std::future::Future;

use sqlx::{Connection as _, PgConnection};
use symbolon_storage::{KeyEncryptionKey, OpenOptions, Sealer, Store};
use tempfile::TempDir;

/// The key-encryption key of every database of the tests.
pub const KEY: &str = "1.c3ltYm9sb24gdGVzdCBrZXksIG5vdCBhIHNlY3JldCE";

/// Runs a test on every engine, one after the other.
pub async fn for_each_engine<F, Run>(test: F)
where
    F: Fn(Store) -> Run,
    Run: Future<Output = ()>,
{
    test(open("sqlite::memory:").await).await;
    if let Some(schema) = Schema::create().await {
        test(open(&schema.url).await).await;
        schema.remove().await;
    }
}

/// Runs a test on every engine with two stores that share one database, as two nodes would.
pub async fn for_each_pair<F, Run>(test: F)
where
    F: Fn(Store, Store) -> Run,
    Run: Future<Output = ()>,
{
    let (_directory, url) = sqlite_file();
    test(open(&url).await, open(&url).await).await;
    if let Some(schema) = Schema::create().await {
        test(open(&schema.url).await, open(&schema.url).await).await;
        schema.remove().await;
    }
}

/// Opens a database with the key of the tests, creating and migrating it.
pub async fn open(url: &str) -> Store {
    let options = OpenOptions {
        migrate: true,
        create: true,
    };
    Store::open(url, sealer(), options)
        .await
        .expect("the test database opens")
}

/// The sealer of every database of the tests.
pub fn sealer() -> Sealer {
    Sealer::new(&KeyEncryptionKey::from_base64(KEY).expect("the test key is well-formed"))
}

/// The URL of an SQLite file that does not exist yet; it lives as long as the directory.
pub fn sqlite_file() -> (TempDir, String) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let url = format!("sqlite://{}", directory.path().join("test.db").display());
    (directory, url)
}

/// A schema of the PostgreSQL database of the tests.
pub struct Schema {
    name: String,
    server: String,
    /// URL whose connections see only this schema.
    pub url: String,
}

impl Schema {
    /// Creates a schema, where there is a PostgreSQL server to test with.
    pub async fn create() -> Option<Self> {
        #[allow(clippy::disallowed_methods, reason = "the one setting of the tests")]
        let server = std::env::var("SYMBOLON_TEST_POSTGRES").ok()?;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let unique = directory
            .path()
            .file_name()
            .expect("a name")
            .to_string_lossy();
        let unique: String = unique.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!(
            "test_{}_{}",
            std::process::id(),
            unique.to_ascii_lowercase()
        );
        let mark = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{mark}options[search_path]={name}");
        let schema = Self { name, server, url };
        schema.run("CREATE SCHEMA").await;
        Some(schema)
    }

    /// Removes the schema with everything in it.
    pub async fn remove(self) {
        self.run("DROP SCHEMA IF EXISTS").await;
    }

    async fn run(&self, what: &str) {
        let cascade = if what.starts_with("DROP") {
            " CASCADE"
        } else {
            ""
        };
        let sql = format!("{what} {}{cascade}", self.name);
        let mut connection = PgConnection::connect(&self.server)
            .await
            .expect("the test server");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .expect("the schema");
        connection.close().await.expect("the connection closes");
    }
}
