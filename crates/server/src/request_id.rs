//! The id that ties a public error text to the log line that explains it (design §10).

use std::convert::Infallible;
use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use symbolon_protocol::random;

/// A fresh random id of one request. A caller's own header is never trusted for it.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// A new id.
    pub(crate) fn new() -> Self {
        Self(random::id())
    }

    /// The text shown to people and written to the log.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        if let Some(id) = parts.extensions.get::<Self>() {
            return Ok(id.clone());
        }
        let id = Self::new();
        parts.extensions.insert(id.clone());
        Ok(id)
    }
}
