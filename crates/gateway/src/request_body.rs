//! Reading the body of a call (requirements RS-60, N-223, N-224).
//!
//! The whole body is read before anything is decided, because the decision is about what it says;
//! the same bytes go to the upstream. Size and time are bounded.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::headers::MediaType;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum BodyError {
    /// Not `application/json` in UTF-8, or compressed: 415.
    #[error("the body must be application/json, not compressed")]
    UnsupportedMediaType,
    /// Longer than the limit: 413.
    #[error("the body is too large")]
    TooLarge,
    /// Not complete in time: 408.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The connection broke or the framing is wrong: 400.
    #[error("the body is not complete")]
    Broken,
}

/// How much is read, and how long is waited for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// Bytes.
    pub(crate) size: usize,
    /// From the end of the headers to the end of the body.
    pub(crate) time: Duration,
}

/// Reads a body.
///
/// # Errors
/// [`BodyError`]; a body announced as too large is not read at all.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limits: BodyLimits,
) -> Result<Bytes, BodyError> {
    if MediaType::of(headers) != Some(MediaType::Json) {
        return Err(BodyError::UnsupportedMediaType);
    }
    if body.size_hint().lower() > limits.size as u64 {
        return Err(BodyError::TooLarge);
    }
    let whole = tokio::time::timeout(limits.time, Limited::new(body, limits.size).collect());
    match whole.await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Ok(Err(_)) => Err(BodyError::Broken),
        Err(_) => Err(BodyError::TooSlow),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    const LIMITS: BodyLimits = BodyLimits {
        size: 10,
        time: Duration::from_millis(20),
    };

    async fn read_as(media_type: &str, body: Body) -> Result<Bytes, BodyError> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", media_type.parse().unwrap());
        read(&headers, body, LIMITS).await
    }

    /// N-223.
    #[tokio::test]
    async fn a_large_body_is_refused_announced_or_not() {
        let json = "application/json";
        assert_eq!(
            read_as(json, Body::from("0123456789")).await.unwrap(),
            "0123456789"
        );
        assert_eq!(
            read_as(json, Body::from("0123456789a")).await,
            Err(BodyError::TooLarge)
        );
        let pieces = stream::iter(["01234", "56789", "a"].map(Ok::<_, std::io::Error>));
        assert_eq!(
            read_as(json, Body::from_stream(pieces)).await,
            Err(BodyError::TooLarge)
        );
    }

    /// N-223.
    #[tokio::test]
    async fn a_slow_body_is_given_up() {
        let endless = stream::pending::<Result<Bytes, std::io::Error>>();
        let read = read_as("application/json", Body::from_stream(endless)).await;
        assert_eq!(read, Err(BodyError::TooSlow));
    }

    /// N-224.
    #[tokio::test]
    async fn another_content_type_is_refused() {
        for other in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "text/event-stream",
        ] {
            let read = read_as(other, Body::from("{}")).await;
            assert_eq!(read, Err(BodyError::UnsupportedMediaType), "{other}");
        }
        let without = read(&HeaderMap::new(), Body::from("{}"), LIMITS).await;
        assert_eq!(without, Err(BodyError::UnsupportedMediaType));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_not_used() {
        let broken = stream::iter([Ok(Bytes::from("{}")), Err(std::io::Error::other("reset"))]);
        let read = read_as("application/json", Body::from_stream(broken)).await;
        assert_eq!(read, Err(BodyError::Broken));
    }
}
