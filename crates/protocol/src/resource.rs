//! Resource indicators ([RFC 8707]) and the metadata address of a protected resource ([RFC 9728]).
//!
//! The identifier of an MCP server is the exact text of its URL: it is compared byte for byte and
//! never normalised, so that the `aud` of a token, the `resource` of a request and the metadata
//! document of the server are one string.
//!
//! [RFC 8707]: https://www.rfc-editor.org/rfc/rfc8707
//! [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use url::{Position, Url};

use crate::{absolute_uri, issuer::is_https_or_loopback};

/// The identifier of a protected resource.
///
/// An absolute `https` URI, or `http` on loopback, without fragment and userinfo, at most 2048
/// bytes. Equality is that of the text.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct ResourceIndicator(String);

/// The text is not a resource identifier; over the wire this is `invalid_target`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a resource is an absolute https URL (http on loopback) without fragment or userinfo")]
pub struct MalformedResource;

impl ResourceIndicator {
    /// Reads a `resource` parameter or a configured resource (RFC 8707 §2, requirements AS-26, RS-04).
    ///
    /// # Errors
    /// [`MalformedResource`] for a relative URI, another scheme, a fragment or userinfo.
    pub fn parse(text: &str) -> Result<Self, MalformedResource> {
        absolute_uri::parse(text)
            .filter(is_https_or_loopback)
            .map(|_| Self(text.to_owned()))
            .ok_or(MalformedResource)
    }

    /// The exact text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier as a URL to connect to.
    #[must_use]
    pub fn to_url(&self) -> Url {
        Url::parse(&self.0).expect("parse() accepted this text")
    }

    /// Where clients find the metadata: the well-known part goes between host and path
    /// (RFC 9728 §3.1, requirements RS-03).
    #[must_use]
    pub fn metadata_url(&self) -> String {
        let url = self.to_url();
        let path = url.path();
        let path = if path == "/" { "" } else { path };
        let query = url
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let origin = &url[..Position::AfterPort];
        format!("{origin}/.well-known/oauth-protected-resource{path}{query}")
    }
}

impl fmt::Display for ResourceIndicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ResourceIndicator {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ResourceIndicator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_text_is_kept_as_it_is() {
        for text in [
            "https://h",
            "https://h/",
            "HTTPS://H:443/a/../b?x=%2F",
            "http://[::1]:1/mcp",
        ] {
            assert_eq!(ResourceIndicator::parse(text).unwrap().as_str(), text);
        }
        assert_ne!(
            ResourceIndicator::parse("https://h"),
            ResourceIndicator::parse("https://h/")
        );
    }

    /// N-012, AS-26.
    #[test]
    fn relative_uris_fragments_and_plain_http_are_refused() {
        for bad in [
            "",
            "/mcp",
            "mcp.example/mcp",
            "https://h/mcp#x",
            "http://h/mcp",
            "api://h",
        ] {
            assert_eq!(
                ResourceIndicator::parse(bad),
                Err(MalformedResource),
                "{bad:?}"
            );
        }
    }

    /// RS-03.
    #[test]
    fn the_well_known_part_goes_between_host_and_path() {
        let url = |text| ResourceIndicator::parse(text).unwrap().metadata_url();
        let well_known = "/.well-known/oauth-protected-resource";
        assert_eq!(
            url("https://h/a/mcp"),
            format!("https://h{well_known}/a/mcp")
        );
        assert_eq!(
            url("https://h:8443/mcp?v=1"),
            format!("https://h:8443{well_known}/mcp?v=1")
        );
        assert_eq!(url("https://h/a/"), format!("https://h{well_known}/a/"));
        assert_eq!(url("https://h/"), format!("https://h{well_known}"));
        assert_eq!(url("https://h"), format!("https://h{well_known}"));
        assert_eq!(
            url("http://[::1]:9/mcp"),
            format!("http://[::1]:9{well_known}/mcp")
        );
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "(https?://)?\\PC*") {
            if let Ok(resource) = ResourceIndicator::parse(&text) {
                let _ = resource.metadata_url();
            }
        }
    }
}
