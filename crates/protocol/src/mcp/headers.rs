//! The request headers that mirror a body, as they came: repeated ones stay visible (N-213).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The MCP headers of one request.
#[derive(Clone, Debug, Default)]
pub struct Headers<'a> {
    pub(super) protocol_version: Field<'a>,
    pub(super) method: Field<'a>,
    pub(super) name: Field<'a>,
    /// `Mcp-Param-*`, by what follows the prefix.
    pub(super) parameters: Vec<(&'a str, &'a [u8])>,
}

/// One header.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Field<'a> {
    #[default]
    Absent,
    Once(&'a [u8]),
    Repeated,
}

const PARAMETER_PREFIX: &str = "mcp-param-";
const ENCODED_PREFIX: &str = "=?base64?";
const ENCODED_SUFFIX: &str = "?=";

impl<'a> Headers<'a> {
    /// Picks the MCP headers out of all headers of a request, given as names and raw values.
    #[must_use]
    pub fn read(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut read = Self::default();
        for (name, value) in headers {
            // Most headers are not ours.
            if !name
                .get(..4)
                .is_some_and(|start| start.eq_ignore_ascii_case("mcp-"))
            {
                continue;
            }
            if name.eq_ignore_ascii_case("mcp-protocol-version") {
                read.protocol_version.add(value);
            } else if name.eq_ignore_ascii_case("mcp-method") {
                read.method.add(value);
            } else if name.eq_ignore_ascii_case("mcp-name") {
                read.name.add(value);
            } else if let Some((prefix, suffix)) = name.split_at_checked(PARAMETER_PREFIX.len())
                && prefix.eq_ignore_ascii_case(PARAMETER_PREFIX)
            {
                read.parameters.push((suffix, value));
            }
        }
        read
    }

    /// The header `Mcp-Param-{name}`.
    pub(super) fn parameter(&self, name: &str) -> Field<'a> {
        let mut field = Field::Absent;
        for (own, value) in &self.parameters {
            if own.eq_ignore_ascii_case(name) {
                field.add(value);
            }
        }
        field
    }
}

impl<'a> Field<'a> {
    fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Absent => Self::Once(value),
            _ => Self::Repeated,
        };
    }
}

/// A value without surrounding white space; `None` if it has characters that a header value must
/// not have (RFC 9110 §5.5).
pub(super) fn plain(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    text.bytes()
        .all(|b| matches!(b, b'\t' | b' '..=b'~'))
        .then_some(text)
}

/// A value that may be wrapped in `=?base64?…?=`; `None` if it is malformed (RS-66, N-211).
pub(super) fn decoded(value: &[u8]) -> Option<Cow<'_, str>> {
    let text = plain(value)?;
    let Some(inner) = text.strip_prefix(ENCODED_PREFIX) else {
        return (!is_miscased(text)).then_some(Cow::Borrowed(text));
    };
    // Without the end marker it is a literal value.
    let Some(inner) = inner.strip_suffix(ENCODED_SUFFIX) else {
        return Some(Cow::Borrowed(text));
    };
    String::from_utf8(STANDARD.decode(inner).ok()?)
        .ok()
        .map(Cow::Owned)
}

/// Whether a lenient reader would take it for an encoded value although the marker is not exact.
fn is_miscased(text: &str) -> bool {
    let prefix = text.get(..ENCODED_PREFIX.len());
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(ENCODED_PREFIX))
        && text.ends_with(ENCODED_SUFFIX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The table of the specification (`#value-encoding`).
    #[test]
    fn encoded_values_are_decoded() {
        for (value, expected) in [
            ("us-west1", "us-west1"),
            ("=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, 世界"),
            ("=?base64?IHBhZGRlZCA=?=", " padded "),
            ("=?base64?bGluZTEKbGluZTI=?=", "line1\nline2"),
            ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?="),
            ("  spaced\t", "spaced"),
            ("=?base64?SGVsbG8=", "=?base64?SGVsbG8="),
            ("SGVsbG8=", "SGVsbG8="),
        ] {
            assert_eq!(
                decoded(value.as_bytes()).as_deref(),
                Some(expected),
                "{value}"
            );
        }
    }

    /// N-211.
    #[test]
    fn malformed_encodings_are_refused() {
        for bad in [
            "=?base64?!!!?=",
            "=?BASE64?SGVsbG8=?=",
            "=?base64?SGVsbG8?=",
            "=?base64?SGVs!!!bG8=?=",
            "=?base64?/w==?=",
            "a\u{7f}",
            "ä",
        ] {
            assert_eq!(decoded(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(decoded(b"\xff"), None);
        assert_eq!(decoded(b"a\r\nMcp-Name: b"), None);
    }

    /// N-213, RS-66.
    #[test]
    fn names_match_in_any_case_and_repetition_is_seen() {
        let headers: [(&str, &[u8]); 5] = [
            ("MCP-METHOD", b"a"),
            ("mcp-method", b"a"),
            ("Mcp-Name", b"n"),
            ("Mcp-Param-Region", b"eu"),
            ("Content-Type", b"x"),
        ];
        let headers = Headers::read(headers);
        assert_eq!(headers.method, Field::Repeated);
        assert_eq!(headers.name, Field::Once(b"n"));
        assert_eq!(headers.protocol_version, Field::Absent);
        assert_eq!(headers.parameter("REGION"), Field::Once(b"eu"));
        assert_eq!(headers.parameter("zone"), Field::Absent);
    }

    proptest! {
        #[test]
        fn reading_never_panics(name in "\\PC{0,20}", value: Vec<u8>) {
            let headers = Headers::read([(name.as_str(), value.as_slice())]);
            let _ = (headers.parameter("x"), decoded(&value));
        }

        #[test]
        fn what_is_encoded_is_decoded(text in "\\PC{0,30}") {
            let header = format!("=?base64?{}?=", STANDARD.encode(&text));
            let decoded = decoded(header.as_bytes());
            prop_assert_eq!(decoded.as_deref(), Some(text.as_str()));
        }
    }
}
