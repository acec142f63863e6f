//! The least a token endpoint can do. A floor to compare a server with, not a server.
//!
//! `asfloor --port PORT --key FOLDER --grant redemption|exchange [--database FILE]`
//!
//! `redemption` verifies a client assertion and an ID-JAG, writes both names durably (SQLite in WAL
//! mode, synchronous=FULL, group commit) and signs an access token. `exchange` verifies one ID
//! token, writes one row and signs an ID-JAG. Without `--database` nothing is written.

use std::path::Path;
use std::sync::{Arc, mpsc};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use rusqlite::{Connection, params};
use serde_json::json;
use symbolon_bench::arguments::Arguments;
use symbolon_bench::jwt::{Claims, Key, fresh_id};
use symbolon_bench::{now, serve};
use tokio::sync::oneshot;

/// As many requests share one commit.
const BATCH: usize = 512;

struct Job {
    names: Vec<String>,
    expires_at: u64,
    done: oneshot::Sender<bool>,
}

struct Floor {
    key: Key,
    store: Option<mpsc::Sender<Job>>,
    exchanges: bool,
}

fn field<'a>(form: &'a str, name: &str) -> Option<&'a str> {
    form.split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

impl Floor {
    fn verify(&self, form: &str) -> Option<(Claims, Vec<String>)> {
        if self.exchanges {
            let claims = self.key.verify(field(form, "subject_token")?)?;
            return Some((claims, vec![fresh_id()]));
        }
        let client = self.key.verify(field(form, "client_assertion")?)?;
        let id_jag = self.key.verify(field(form, "assertion")?)?;
        if id_jag.client_id.as_ref() != Some(&client.sub) {
            return None;
        }
        let names = vec![id_jag.jti.clone(), client.jti];
        Some((id_jag, names))
    }

    async fn write(&self, names: Vec<String>, expires_at: u64) -> bool {
        let Some(store) = &self.store else {
            return true;
        };
        let (done, written) = oneshot::channel();
        let job = Job {
            names,
            expires_at,
            done,
        };
        store.send(job).is_ok() && written.await.unwrap_or(false)
    }

    fn sign(&self, subject: &str) -> String {
        let (now, jti) = (now(), fresh_id());
        let typ = if self.exchanges {
            "oauth-id-jag+jwt"
        } else {
            "at+jwt"
        };
        let claims = json!({
            "iss": "https://as.example", "sub": subject, "aud": "https://mcp.example/mcp",
            "client_id": "bench", "scope": "tools:use", "iat": now, "exp": now + 300, "jti": jti,
        });
        self.key.sign(typ, &claims)
    }
}

async fn token(State(floor): State<Arc<Floor>>, body: Bytes) -> Response {
    let refused = || (StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#).into_response();
    let form = std::str::from_utf8(&body).unwrap_or_default();
    let Some((claims, names)) = floor.verify(form) else {
        return refused();
    };
    if !floor.write(names, claims.exp).await {
        return refused();
    }
    let token = floor.sign(&claims.sub);
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let body = format!(
        r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":300,"scope":"tools:use"}}"#
    );
    (headers, body).into_response()
}

fn store(file: &str) -> rusqlite::Result<mpsc::Sender<Job>> {
    let mut connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
         CREATE TABLE used(name TEXT PRIMARY KEY, expires_at INTEGER) WITHOUT ROWID;",
    )?;
    let (sender, jobs) = mpsc::channel::<Job>();
    std::thread::spawn(move || {
        while let Ok(first) = jobs.recv() {
            let batch = std::iter::once(first).chain(jobs.try_iter().take(BATCH - 1));
            commit(&mut connection, batch.collect()).expect("the database takes rows");
        }
    });
    Ok(sender)
}

fn commit(connection: &mut Connection, jobs: Vec<Job>) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let mut outcomes = Vec::with_capacity(jobs.len());
    {
        let mut insert = transaction.prepare_cached("INSERT OR IGNORE INTO used VALUES (?, ?)")?;
        for job in &jobs {
            let mut is_new = true;
            let expires_at = job.expires_at.cast_signed();
            for name in &job.names {
                is_new &= insert.execute(params![name, expires_at])? == 1;
            }
            outcomes.push(is_new);
        }
    }
    transaction.commit()?;
    for (job, is_new) in jobs.into_iter().zip(outcomes) {
        // A caller that hung up needs no answer.
        let _ = job.done.send(is_new);
    }
    Ok(())
}

fn main() {
    let arguments = Arguments::read();
    let database = arguments.value("--database");
    let floor = Floor {
        key: Key::load(Path::new(arguments.required("--key"))),
        store: database.map(|file| store(file).expect("a new database")),
        exchanges: arguments.required("--grant") == "exchange",
    };
    let router = Router::new()
        .route("/token", post(token))
        .with_state(Arc::new(floor));
    serve::on_loopback(arguments.number("--port", 9200), router);
}
