//! Which `Host` and `Origin` a request may carry (requirements RS-61, RS-62).
//!
//! A browser sends the name it was told in `Host` and the page it runs for in `Origin`. Comparing
//! both with `public_url` is what stops a web page from reaching a gateway on the visitor's machine
//! or network by rebinding a name to its address. On a loopback `public_url` the other names of
//! loopback are accepted too, with any port.

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use symbolon_protocol::issuer::is_loopback;
use url::Url;

/// The names of loopback that clients use.
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Why a request was not accepted for this site; over the wire both are 403.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum SiteError {
    /// `Host` (or `:authority`) is absent, repeated, or of another site.
    #[error("Host is not the host of public_url")]
    Host,
    /// `Origin` is repeated or of another site.
    #[error("Origin is not the origin of public_url")]
    Origin,
}

/// The site that `public_url` names.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    origin: String,
    authority: String,
    authority_with_port: Option<String>,
    is_loopback: bool,
}

impl Site {
    /// The site of our own URLs.
    pub(crate) fn new(public_url: &Url) -> Self {
        let host = public_url.host_str().unwrap_or_default();
        let port = public_url.port_or_known_default();
        let with_port = port.map(|port| format!("{host}:{port}"));
        let authority = match public_url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Self {
            origin: public_url.origin().ascii_serialization(),
            authority_with_port: with_port.filter(|with_port| *with_port != authority),
            authority,
            is_loopback: is_loopback(public_url),
        }
    }

    /// Checks a request's `Host`, `:authority` and `Origin`.
    ///
    /// # Errors
    /// [`SiteError`] names the one that is wrong; nothing else of the request may be looked at.
    pub(crate) fn admit(&self, parts: &Parts) -> Result<(), SiteError> {
        self.admit_host(parts)?;
        let mut origins = parts.headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => Ok(()),
            (Some(origin), None) if origin.to_str().is_ok_and(|text| self.is_origin(text)) => {
                Ok(())
            }
            _ => Err(SiteError::Origin),
        }
    }

    fn admit_host(&self, parts: &Parts) -> Result<(), SiteError> {
        let mut hosts = parts.headers.get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => Some(host.to_str().map_err(|_| SiteError::Host)?),
            (None, _) => None,
            (Some(_), Some(_)) => return Err(SiteError::Host),
        };
        let authority = parts.uri.authority().map(Authority::as_str);
        let mut named = host.into_iter().chain(authority).peekable();
        if named.peek().is_some() && named.all(|name| self.is_authority(name)) {
            Ok(())
        } else {
            Err(SiteError::Host)
        }
    }

    fn is_authority(&self, text: &str) -> bool {
        text.eq_ignore_ascii_case(&self.authority)
            || self
                .authority_with_port
                .as_ref()
                .is_some_and(|own| text.eq_ignore_ascii_case(own))
            || (self.is_loopback && is_loopback_authority(text))
    }

    fn is_origin(&self, text: &str) -> bool {
        text == self.origin || (self.is_loopback && is_loopback_origin(text))
    }
}

fn is_loopback_authority(text: &str) -> bool {
    !text.contains('@')
        && text.parse::<Authority>().is_ok_and(|authority| {
            LOOPBACK_NAMES
                .iter()
                .any(|name| authority.host().eq_ignore_ascii_case(name))
        })
}

fn is_loopback_origin(text: &str) -> bool {
    let authority = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    authority.is_some_and(|authority| !authority.contains('/') && is_loopback_authority(authority))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn admit(public_url: &str, headers: &[(&str, &str)]) -> Result<(), SiteError> {
        let mut request = Request::post("/mcp/tracker");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Site::new(&Url::parse(public_url).unwrap()).admit(&parts)
    }

    const PUBLIC: &str = "https://id.acme.example";
    const LOCAL: &str = "http://127.0.0.1:8443";

    #[test]
    fn the_host_of_public_url_is_accepted_with_and_without_its_port() {
        for host in ["id.acme.example", "ID.acme.example", "id.acme.example:443"] {
            assert_eq!(admit(PUBLIC, &[("host", host)]), Ok(()), "{host}");
        }
        assert_eq!(admit("https://h:8443", &[("host", "h:8443")]), Ok(()));
    }

    /// N-205.
    #[test]
    fn another_host_is_refused() {
        for host in [
            "evil.example",
            "id.acme.example:8443",
            "id.acme.example.evil.example",
            "",
        ] {
            assert_eq!(
                admit(PUBLIC, &[("host", host)]),
                Err(SiteError::Host),
                "{host}"
            );
        }
        assert_eq!(admit(PUBLIC, &[]), Err(SiteError::Host));
        let twice = [("host", "id.acme.example"), ("host", "id.acme.example")];
        assert_eq!(admit(PUBLIC, &twice), Err(SiteError::Host));
        assert_eq!(
            admit(PUBLIC, &[("host", "localhost")]),
            Err(SiteError::Host)
        );
    }

    /// N-204.
    #[test]
    fn another_origin_is_refused() {
        let with = |origin| admit(PUBLIC, &[("host", "id.acme.example"), ("origin", origin)]);
        assert_eq!(with("https://id.acme.example"), Ok(()));
        for origin in ["https://evil.example", "null", "http://id.acme.example", ""] {
            assert_eq!(with(origin), Err(SiteError::Origin), "{origin}");
        }
    }

    /// RS-62.
    #[test]
    fn on_loopback_every_name_of_loopback_is_accepted() {
        for host in [
            "127.0.0.1:8443",
            "localhost:8443",
            "localhost",
            "[::1]:9",
            "127.0.0.1",
        ] {
            let origin = format!("http://{host}");
            let headers = [("host", host), ("origin", origin.as_str())];
            assert_eq!(admit(LOCAL, &headers), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "localhost@evil.example",
        ] {
            assert_eq!(
                admit(LOCAL, &[("host", host)]),
                Err(SiteError::Host),
                "{host}"
            );
            let origin = format!("http://{host}");
            let headers = [("host", "localhost"), ("origin", origin.as_str())];
            assert_eq!(admit(LOCAL, &headers), Err(SiteError::Origin), "{host}");
        }
    }
}
