//! A real MCP server behind the gateway: it records what reaches it and answers what it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A request as the upstream saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

#[derive(Clone)]
pub(crate) struct Upstream {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    answers: Mutex<VecDeque<Response>>,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let router = Router::new()
            .route("/mcp", any(answer))
            .with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    /// Answers the next request with this instead of an empty result.
    pub(crate) fn next(&self, response: Response) {
        self.shared.answers.lock().unwrap().push_back(response);
    }

    /// Answers the next request with an event stream that the test writes.
    pub(crate) fn next_stream(&self) -> mpsc::Sender<&'static str> {
        let (sender, receiver) = mpsc::channel::<&'static str>(8);
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
            let event = receiver.recv().await?;
            Some((Ok::<_, std::io::Error>(Bytes::from(event)), receiver))
        });
        let response = Response::builder().header("content-type", "text/event-stream");
        self.next(response.body(Body::from_stream(stream)).unwrap());
        sender
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    #[track_caller]
    pub(crate) fn assert_untouched(&self) {
        assert!(
            self.seen().is_empty(),
            "the upstream was called: {:?}",
            self.seen()
        );
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let message: Option<Value> = serde_json::from_slice(&body).ok();
    let seen = Seen {
        method: parts.method,
        headers: parts.headers,
        body,
    };
    shared.seen.lock().unwrap().push(seen);
    let told = shared.answers.lock().unwrap().pop_front();
    told.unwrap_or_else(|| {
        result(
            message.as_ref().map_or(&Value::Null, |m| &m["id"]),
            json!({}),
        )
    })
}

/// A JSON answer with a result.
pub(crate) fn result(id: &Value, result: Value) -> Response {
    json_response(json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

pub(crate) fn json_response(body: Value) -> Response {
    with_type(200, "application/json", body.to_string())
}

pub(crate) fn with_type(status: u16, content_type: &str, body: impl Into<Body>) -> Response {
    let response = Response::builder()
        .status(status)
        .header("content-type", content_type);
    response.body(body.into()).unwrap()
}
