//! PostgreSQL for tests, where `SYMBOLON_TEST_POSTGRES` is the URL of a server.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use symbolon_protocol::random;

/// A schema of its own on the server of the tests.
pub struct Schema {
    name: String,
    server: String,
    /// URL whose connections see only this schema.
    pub url: String,
}

impl Schema {
    /// Creates a schema; `None` where there is no server to test with.
    ///
    /// # Panics
    /// When there is one and it refuses.
    pub async fn create() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "the one setting of the tests")]
        let server = std::env::var("SYMBOLON_TEST_POSTGRES").ok()?;
        let unique = random::id().replace(['-', '_'], "").to_ascii_lowercase();
        let name = format!("product_{}_{unique}", std::process::id());
        let mark = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{mark}options[search_path]={name}");
        let schema = Self { name, server, url };
        schema.run("CREATE SCHEMA", "").await;
        Some(schema)
    }

    /// Removes the schema with everything in it.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn remove(self) {
        self.run("DROP SCHEMA IF EXISTS", "CASCADE").await;
    }

    async fn run(&self, what: &str, how: &str) {
        let sql = AssertSqlSafe(format!("{what} {} {how}", self.name));
        let connection = PgConnection::connect(&self.server).await;
        let mut connection = connection.expect("the server of the tests answers");
        sqlx::raw_sql(sql)
            .execute(&mut connection)
            .await
            .expect("the schema");
        connection.close().await.expect("the connection closes");
    }
}
