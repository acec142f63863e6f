//! Plain HTTP for the tests of the demonstration's servers: no redirects, no cookies, no retries.

use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use serde_json::Value;
use symbolon_net::{HttpClient, NetConfig, UrlClass, upstream};

use super::Running;

/// A client that reaches loopback.
pub(super) fn net() -> HttpClient {
    let config = NetConfig {
        allow: vec!["127.0.0.0/8".parse().expect("a network")],
        ..NetConfig::default()
    };
    HttpClient::new(config).expect("a client")
}

/// An answer that was read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .map(|value| value.to_str().expect("ascii"));
        value.unwrap_or_default()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// Sends one request and reads the whole answer.
pub(super) async fn send(
    server: &Running,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Answer {
    let answer = open(server, method, path, headers, body).await;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).expect("text"),
    }
}

/// Sends one request and leaves the body to be read.
pub(super) async fn open(
    server: &Running,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> axum::http::Response<Incoming> {
    let client: upstream::Client<Full<Bytes>> =
        upstream::client(&net(), UrlClass::DeploymentAdmin).expect("a client");
    let mut request = Request::builder().method(method).uri(server.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::from(body)).expect("a request");
    client.request(request).await.expect("an answer")
}

/// Gets a page or a document.
pub(super) async fn get(server: &Running, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(server, Method::GET, path, headers, String::new()).await
}

/// Posts a form.
pub(super) async fn post_form(
    server: &Running,
    path: &str,
    headers: &[(&str, &str)],
    form: &[(&str, &str)],
) -> Answer {
    let form_type = (
        header::CONTENT_TYPE.as_str(),
        "application/x-www-form-urlencoded",
    );
    let headers: Vec<_> = headers.iter().copied().chain([form_type]).collect();
    let body = serde_urlencoded::to_string(form).expect("a form");
    send(server, Method::POST, path, &headers, body).await
}
