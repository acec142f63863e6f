//! What every URI we read must be before its own rules are looked at ([RFC 3986]).
//!
//! A URL parser repairs: it drops tabs, turns `\` into `/`, lower-cases hosts. Because we compare
//! exact strings (design rule 3), a text that would be repaired in a dangerous way is refused.
//!
//! [RFC 3986]: https://www.rfc-editor.org/rfc/rfc3986

use url::Url;

/// The longest URI that is read, in bytes.
pub(crate) const MAX_URI_BYTES: usize = 2048;

/// Reads an absolute URI made of RFC 3986 characters only, without fragment and without userinfo.
pub(crate) fn parse(text: &str) -> Option<Url> {
    if text.len() > MAX_URI_BYTES || !text.bytes().all(is_uri_byte) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let authority = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    // An empty userinfo ("https://@host") is dropped by the parser, hence the look at the text.
    (url.fragment().is_none() && !authority.contains('@')).then_some(url)
}

/// RFC 3986 §2: unreserved, reserved and `%`; notably no space, quote, backslash or `|`.
fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_parser_would_repair_is_refused() {
        for bad in [
            "",
            "/path",
            "https:",
            "https://a.example/#x",
            "https://a.example/#",
            "https://u@a.example/",
            "https://@a.example/",
            "https://a.example\\@evil.example/",
            " https://a.example/",
            "https://a.example/\t",
            "https://ä.example/",
        ] {
            assert!(parse(bad).is_none(), "{bad:?}");
        }
        assert!(parse(&format!("https://a.example/{}", "x".repeat(MAX_URI_BYTES))).is_none());
        assert!(parse("https://a.example/p?q=@").is_some());
    }
}
