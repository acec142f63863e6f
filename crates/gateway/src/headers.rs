//! Which headers pass, in both directions (requirements RS-24, RS-25, RS-73; design rule 22).
//!
//! Both directions are lists of what passes, because a list of what must not is never complete:
//! `Authorization`, `DPoP`, `Cookie`, `Forwarded`, `X-Forwarded-*`, client certificate headers,
//! hop-by-hop headers and whatever name some upstream takes an identity from are all simply absent.

use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    RETRY_AFTER, USER_AGENT, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The session id of protocol versions up to 2025-11-25.
pub(crate) const MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// Where a legacy client resumes an event stream.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Request headers that reach an upstream as the client sent them.
const INBOUND: [HeaderName; 8] = [
    ACCEPT,
    ACCEPT_LANGUAGE,
    USER_AGENT,
    HeaderName::from_static("mcp-protocol-version"),
    HeaderName::from_static("mcp-method"),
    HeaderName::from_static("mcp-name"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
];
/// Mirrored tool arguments pass too, known or not (RS-67).
const INBOUND_PREFIX: &str = "mcp-param-";
/// Response headers that reach a client as the upstream sent them.
const OUTBOUND: [HeaderName; 2] = [ALLOW, RETRY_AFTER];

/// `application/json`.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// `text/event-stream`.
pub(crate) const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// The headers of the upstream request, before credential, identity and session are set.
pub(crate) fn inbound(client: &HeaderMap, has_body: bool) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    for (name, value) in client {
        if INBOUND.contains(name) || name.as_str().starts_with(INBOUND_PREFIX) {
            headers.append(name.clone(), value.clone());
        }
    }
    if has_body {
        headers.insert(CONTENT_TYPE, JSON);
    }
    headers
}

/// The headers of the answer to the client, before session and content type are set.
pub(crate) fn outbound(upstream: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    for name in OUTBOUND {
        if let Some(value) = upstream.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers
}

/// Foreign bytes stay foreign: what every answer of the gateway carries (design rule 22).
pub(crate) fn seal_off(headers: &mut HeaderMap) {
    const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, SANDBOX);
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// Marks an answer as an event stream that nothing on the way may hold back (RS-75).
pub(crate) fn set_event_stream(headers: &mut HeaderMap) {
    headers.insert(CONTENT_TYPE, EVENT_STREAM);
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
}

/// What a body is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MediaType {
    /// `application/json`.
    Json,
    /// `text/event-stream`.
    EventStream,
    /// Anything else.
    Other,
}

impl MediaType {
    /// Reads `Content-Type`; `None` without one.
    ///
    /// Two different ones, a compressed body and a charset that is not UTF-8 are [`Self::Other`]:
    /// we could not read what the other side does.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        let value = values.next()?;
        let is_single = values.next().is_none() && !is_encoded(headers);
        Some(if is_single {
            Self::parse(value)
        } else {
            Self::Other
        })
    }

    fn parse(value: &HeaderValue) -> Self {
        if *value == JSON {
            return Self::Json;
        }
        let Ok(text) = value.to_str() else {
            return Self::Other;
        };
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        if !is_utf8(parameters) {
            return Self::Other;
        }
        let essence = essence.trim();
        if essence.eq_ignore_ascii_case("application/json") {
            Self::Json
        } else if essence.eq_ignore_ascii_case("text/event-stream") {
            Self::EventStream
        } else {
            Self::Other
        }
    }
}

fn is_utf8(parameters: &str) -> bool {
    parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .all(|(name, value)| {
            !name.trim().eq_ignore_ascii_case("charset")
                || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(http::header::CONTENT_ENCODING).iter();
    encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        map
    }

    /// RS-24, RS-25, N-197.
    #[test]
    fn nothing_of_the_clients_identity_reaches_the_upstream() {
        let stripped = [
            "authorization",
            "proxy-authorization",
            "dpop",
            "cookie",
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-user",
            "x-client-cert",
            "ssl-client-cert",
            "x-remote-user",
            "x_forwarded_for",
            "mcp-session-id",
            "mcp-identity",
            "connection",
            "transfer-encoding",
            "upgrade",
            "te",
            "host",
            "content-length",
            "origin",
        ];
        let sent: Vec<(&str, &str)> = stripped.iter().map(|name| (*name, "x")).collect();
        assert_eq!(inbound(&map(&sent), false), HeaderMap::new());
    }

    /// RS-67.
    #[test]
    fn protocol_headers_pass() {
        let sent = [
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "add_comment"),
            ("mcp-param-region", "eu"),
            ("traceparent", "00-1-2-01"),
        ];
        assert_eq!(inbound(&map(&sent), false), map(&sent));
        assert_eq!(
            inbound(&HeaderMap::new(), true),
            map(&[("content-type", "application/json")])
        );
    }

    /// Design rule 22.
    #[test]
    fn an_upstream_sets_no_cookies_redirects_cors_or_cache() {
        let upstream = map(&[
            ("set-cookie", "a=b"),
            ("location", "https://evil.example"),
            ("access-control-allow-origin", "*"),
            ("cache-control", "public"),
            (
                "www-authenticate",
                "Bearer resource_metadata=\"https://evil.example\"",
            ),
            ("content-security-policy", "default-src *"),
            ("link", "<https://evil.example>"),
            ("retry-after", "3"),
        ]);
        let mut headers = outbound(&upstream);
        assert_eq!(headers, map(&[("retry-after", "3")]));
        seal_off(&mut headers);
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(
            headers["content-security-policy"],
            "sandbox; default-src 'none'"
        );
        assert_eq!(headers["cache-control"], "no-store");
    }

    #[test]
    fn a_media_type_is_read_without_guessing() {
        let of = |value| MediaType::of(&map(&[("content-type", value)]));
        assert_eq!(of("application/json"), Some(MediaType::Json));
        assert_eq!(
            of("Application/JSON; charset=\"UTF-8\""),
            Some(MediaType::Json)
        );
        assert_eq!(
            of("text/event-stream; charset=utf-8"),
            Some(MediaType::EventStream)
        );
        for other in [
            "text/html",
            "application/json5",
            "application/json; charset=utf-16",
            "",
        ] {
            assert_eq!(of(other), Some(MediaType::Other), "{other}");
        }
        let twice = [
            ("content-type", "application/json"),
            ("content-type", "text/html"),
        ];
        assert_eq!(MediaType::of(&map(&twice)), Some(MediaType::Other));
        let zipped = [
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ];
        assert_eq!(MediaType::of(&map(&zipped)), Some(MediaType::Other));
        assert_eq!(MediaType::of(&HeaderMap::new()), None);
    }
}
