//! Plain requests, as a client of the demonstration sends them.

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde_json::Value;
use symbolon_net::{HttpClient, NetConfig, UrlClass, upstream};

/// Largest answer that is read.
const LIMIT: usize = 1024 * 1024;

/// A client that follows no redirect and reaches loopback only.
#[derive(Clone)]
pub struct Http(upstream::Client<Full<Bytes>>);

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Http {
    /// A client of this machine's loopback.
    ///
    /// # Errors
    /// When the TLS configuration cannot be made.
    pub fn loopback() -> Result<Self> {
        let allow = vec!["127.0.0.0/8".parse()?, "::1/128".parse()?];
        let net = HttpClient::new(NetConfig {
            allow,
            ..NetConfig::default()
        })?;
        Ok(Self(upstream::client(&net, UrlClass::DeploymentAdmin)?))
    }

    /// Sends one request.
    ///
    /// # Errors
    /// When the server does not answer, or answers more than a mebibyte.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(HeaderName, String)],
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name, HeaderValue::from_str(value)?);
        }
        let request = request.body(Full::new(body.into()))?;
        let response = self
            .0
            .request(request)
            .await
            .with_context(|| format!("{url} does not answer"))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LIMIT)
            .collect()
            .await
            .map_err(|error| anyhow::anyhow!("the answer of {url} broke off: {error}"))?;
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    /// Posts a form, with client authentication by `client_secret_basic` if credentials are given.
    ///
    /// # Errors
    /// As [`Http::send`].
    pub async fn post_form(
        &self,
        url: &str,
        credentials: Option<(&str, &str)>,
        form: &[(&str, &str)],
    ) -> Result<Answer> {
        let kind = "application/x-www-form-urlencoded".to_owned();
        let mut headers = vec![(header::CONTENT_TYPE, kind)];
        if let Some((id, secret)) = credentials {
            headers.push((header::AUTHORIZATION, basic(id, secret)));
        }
        let body = serde_urlencoded::to_string(form)?;
        self.send(Method::POST, url, &headers, body).await
    }
}

/// `Basic` credentials, form-encoded first (RFC 6749 §2.3.1).
fn basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    let encode =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(id), encode(secret));
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair)
    )
}

impl Answer {
    /// A header's text, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON; `null` when it is none. Of an event stream, the last event's data.
    #[must_use]
    pub fn json(&self) -> Value {
        let is_stream = self
            .header("content-type")
            .is_some_and(|t| t.starts_with("text/event-stream"));
        let text = match is_stream {
            true => self
                .body
                .lines()
                .rev()
                .find_map(|line| line.strip_prefix("data:")),
            false => Some(self.body.as_str()),
        };
        text.and_then(|text| serde_json::from_str(text.trim()).ok())
            .unwrap_or(Value::Null)
    }
}
