//! The access token of a request ([RFC 6750] §2.1; requirements RS-20).
//!
//! A token travels in exactly one `Authorization` header and nowhere else.
//!
//! [RFC 6750]: https://www.rfc-editor.org/rfc/rfc6750

use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use url::form_urlencoded;

/// Why a request carries no token that may be looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum BearerError {
    /// No `Authorization`: the challenge carries no error code.
    #[error("no access token")]
    Absent,
    /// Another scheme than `Bearer`: to us the same as no token.
    #[error("the Authorization scheme is not Bearer")]
    OtherScheme,
    /// `Bearer` without a token, or with characters that no token has.
    #[error("the bearer token is empty or malformed")]
    Malformed,
    /// More than one `Authorization` header.
    #[error("more than one Authorization header")]
    Repeated,
    /// `access_token` in the query or a form body: it will be in somebody's log.
    #[error("the access token belongs in the Authorization header")]
    Misplaced,
}

/// The token of a request.
///
/// # Errors
/// [`BearerError`]; `Repeated` and `Misplaced` are 400, the others 401.
pub(crate) fn bearer(parts: &Parts) -> Result<&str, BearerError> {
    if parts.uri.query().is_some_and(names_access_token) {
        return Err(BearerError::Misplaced);
    }
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) => value,
        // Without a header a form can only be meant to carry the token (RFC 6750 §2.2).
        (None, _) if is_form(&parts.headers) => return Err(BearerError::Misplaced),
        (None, _) => return Err(BearerError::Absent),
        (Some(_), Some(_)) => return Err(BearerError::Repeated),
    };
    let value = value.to_str().map_err(|_| BearerError::Malformed)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(BearerError::OtherScheme);
    }
    let token = token.trim_matches(' ');
    match token.bytes().all(is_token_byte) && !token.is_empty() {
        true => Ok(token),
        false => Err(BearerError::Malformed),
    }
}

fn names_access_token(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
}

fn is_form(headers: &HeaderMap) -> bool {
    const FORM: &[u8] = b"application/x-www-form-urlencoded";
    let value = headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    value
        .and_then(|value| value.get(..FORM.len()))
        .is_some_and(|start| start.eq_ignore_ascii_case(FORM))
}

/// `b64token` (RFC 6750 §2.1).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn read(uri: &str, headers: &[(&str, &str)]) -> Result<String, BearerError> {
        let mut request = Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        bearer(&parts).map(str::to_owned)
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c"] {
            assert_eq!(
                read("/mcp/a", &[("authorization", value)]).as_deref(),
                Ok("a.b.c")
            );
        }
    }

    /// N-191.
    #[test]
    fn a_token_outside_the_header_is_refused_even_beside_one() {
        let header = ("authorization", "Bearer a.b.c");
        for query in [
            "access_token=a.b.c",
            "x=1&access%5Ftoken=a.b.c",
            "access_token",
        ] {
            let uri = format!("/mcp/a?{query}");
            assert_eq!(read(&uri, &[]), Err(BearerError::Misplaced), "{query}");
            assert_eq!(
                read(&uri, &[header]),
                Err(BearerError::Misplaced),
                "{query}"
            );
        }
        let form = (
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        );
        assert_eq!(read("/mcp/a", &[form]), Err(BearerError::Misplaced));
    }

    /// N-192.
    #[test]
    fn other_schemes_empty_tokens_and_two_headers_are_told_apart() {
        let with = |value| read("/mcp/a", &[("authorization", value)]);
        assert_eq!(read("/mcp/a", &[]), Err(BearerError::Absent));
        assert_eq!(with("Basic YTpi"), Err(BearerError::OtherScheme));
        assert_eq!(with("DPoP a.b.c"), Err(BearerError::OtherScheme));
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer a.b.c, Bearer d.e.f",
            "Bearer a b",
        ] {
            assert_eq!(with(value), Err(BearerError::Malformed), "{value:?}");
        }
        let twice = [
            ("authorization", "Bearer a.b.c"),
            ("authorization", "Bearer a.b.c"),
        ];
        assert_eq!(read("/mcp/a", &twice), Err(BearerError::Repeated));
    }
}
