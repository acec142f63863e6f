//! The least a gateway can do: axum in front of a pooled client, nothing decided.
//!
//! `proxy --port PORT --to http://127.0.0.1:PORT [--key FOLDER] [--remember N]`
//!
//! With `--key` it verifies the bearer token of each request and checks the name of the tool; with
//! `--remember` it verifies each token once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use symbolon_bench::arguments::Arguments;
use symbolon_bench::jwt::Key;
use symbolon_bench::{now, serve};

struct Proxy {
    client: Client<HttpConnector, Body>,
    to: String,
    checks: Option<Checks>,
}

struct Checks {
    key: Key,
    remembered: Mutex<HashMap<[u8; 32], u64>>,
    capacity: usize,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    method: &'a str,
    #[serde(borrow)]
    params: Option<Parameters<'a>>,
}

#[derive(Deserialize)]
struct Parameters<'a> {
    #[serde(borrow)]
    name: Option<&'a str>,
}

impl Checks {
    fn accept(&self, headers: &HeaderMap) -> Option<()> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let token = value.strip_prefix("Bearer ")?;
        if self.capacity == 0 {
            return self.key.verify(token).map(drop);
        }
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
        let digest: [u8; 32] = digest.as_ref().try_into().ok()?;
        if let Some(until) = self.remembered.lock().ok()?.get(&digest)
            && *until > now()
        {
            return Some(());
        }
        let claims = self.key.verify(token)?;
        let mut remembered = self.remembered.lock().ok()?;
        if remembered.len() >= self.capacity {
            remembered.clear();
        }
        remembered.insert(digest, claims.exp);
        Some(())
    }
}

fn is_allowed(body: &[u8]) -> bool {
    let message = serde_json::from_slice::<Message<'_>>(body);
    message.is_ok_and(|message| {
        let name = message.params.and_then(|params| params.name);
        message.method == "tools/call" && name == Some("echo")
    })
}

async fn checked(checks: &Checks, request: Request) -> Result<Request, StatusCode> {
    if checks.accept(request.headers()).is_none() {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| StatusCode::BAD_REQUEST)?;
    let body = body.to_bytes();
    if !is_allowed(&body) {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

async fn handle(State(proxy): State<Arc<Proxy>>, mut request: Request) -> Response {
    if let Some(checks) = &proxy.checks {
        request = match checked(checks, request).await {
            Ok(request) => request,
            Err(status) => return status.into_response(),
        };
    }
    let uri = format!("{}{}", proxy.to, request.uri().path());
    *request.uri_mut() = Uri::try_from(uri).expect("a path behind an origin is a URI");
    match proxy.client.request(request).await {
        Ok(answer) => answer.map(Body::new).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

fn main() {
    let arguments = Arguments::read();
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let proxy = Proxy {
        client: Client::builder(TokioExecutor::new()).build(connector),
        to: arguments.required("--to").to_owned(),
        checks: arguments.value("--key").map(|folder| Checks {
            key: Key::load(Path::new(folder)),
            remembered: Mutex::default(),
            capacity: arguments.number("--remember", 0),
        }),
    };
    let router = Router::new().fallback(handle).with_state(Arc::new(proxy));
    serve::on_loopback(arguments.number("--port", 9100), router);
}
