//! An answer of bounded size.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::error::FetchError;

/// A complete answer: neither a redirect nor larger than the limit it was read with.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body, at most as long as the limit.
    pub body: Bytes,
    host: String,
}

impl Response {
    /// Reads the body while it arrives and stops where the limit is passed.
    pub(crate) async fn read(
        mut answer: reqwest::Response,
        limit: usize,
        timeout: Duration,
    ) -> Result<Self, FetchError> {
        let host = answer.url().host_str().unwrap_or_default().to_owned();
        let status = answer.status();
        if status.is_redirection() {
            return Err(FetchError::Redirected { host, status });
        }
        let too_large = |host| FetchError::TooLarge { host, limit };
        let announced = answer.content_length().unwrap_or(0);
        if announced > limit as u64 {
            return Err(too_large(host));
        }
        let mut body = BytesMut::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(too_large(host)),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return Err(FetchError::from_client(&host, timeout, error)),
            }
        }
        Ok(Self {
            status,
            headers: std::mem::take(answer.headers_mut()),
            body: body.freeze(),
            host,
        })
    }

    /// This answer if its status is 200.
    ///
    /// # Errors
    /// [`FetchError::Status`] for any other, also for another of the 2xx.
    pub fn ok(self) -> Result<Self, FetchError> {
        if self.status == StatusCode::OK {
            return Ok(self);
        }
        Err(FetchError::Status {
            host: self.host,
            status: self.status,
        })
    }

    /// The body as JSON, whatever the content type says.
    ///
    /// # Errors
    /// [`FetchError::NotJson`] when it is no JSON or has another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, FetchError> {
        serde_json::from_slice(&self.body).map_err(|_| self.not_json())
    }

    /// Whether the content type is `application/json` or one with the suffix `+json`.
    #[must_use]
    pub fn is_json(&self) -> bool {
        let content_type = self.headers.get(header::CONTENT_TYPE);
        let text = content_type
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let essence = text
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        essence == "application/json"
            || (essence.starts_with("application/") && essence.ends_with("+json"))
    }

    /// How long the answer may be reused: `max-age` of `Cache-Control` (RFC 9111 §5.2.2.1), if it
    /// says so.
    ///
    /// `no-store` and `no-cache` count as zero.
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        let values = self.headers.get_all(header::CACHE_CONTROL).iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        let mut found = None;
        for directive in texts.flat_map(|text| text.split(',')) {
            let directive = directive.trim().to_ascii_lowercase();
            if directive == "no-store" || directive == "no-cache" {
                return Some(Duration::ZERO);
            }
            if let Some(seconds) = directive.strip_prefix("max-age=") {
                found = seconds
                    .trim_matches('"')
                    .parse()
                    .ok()
                    .map(Duration::from_secs);
            }
        }
        found
    }

    pub(crate) fn not_json(&self) -> FetchError {
        FetchError::NotJson {
            host: self.host.clone(),
        }
    }
}
