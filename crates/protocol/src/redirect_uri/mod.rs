//! Redirect URIs: what may be registered, and when a requested one is the registered one.
//!
//! Rules of requirements 1.11 (last box): `https` with any host, exact; `http` only on `127.0.0.1`,
//! `[::1]` and `localhost`, where the port alone may vary ([RFC 8252] §7.3); private-use schemes in
//! reverse domain form (§7.1). Comparison works on the text, so no parser can be made to disagree
//! with a browser about what was compared.
//!
//! [RFC 8252]: https://www.rfc-editor.org/rfc/rfc8252

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

use crate::absolute_uri;

/// Names that an authorization response adds and a registered query must therefore not contain.
const RESPONSE_PARAMETERS: [&str; 6] = [
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
];

/// How a redirect URI reaches the client; decides who may register it and what consent shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RedirectUriKind {
    /// A web server.
    Https,
    /// A program on the person's own machine: the port is free.
    Loopback,
    /// An installed app that owns a URI scheme.
    PrivateUse,
}

/// A redirect URI of a client's registration.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct RegisteredRedirectUri(String);

/// The `redirect_uri` parameter of a request, not yet compared with anything.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestedRedirectUri(String);

/// A redirect URI that a client registered: the browser may be sent there.
///
/// Comes from [`select`] only. Loopback URIs carry the port of the request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedRedirectUri {
    text: String,
    kind: RedirectUriKind,
}

/// Why a redirect URI cannot be registered or used; never answered by a redirect (AS-23).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectUriError {
    /// Not an absolute URI, or it has a fragment, userinfo, a wildcard or a part that a browser
    /// would rewrite.
    #[error("a redirect URI is absolute, in normal form, without fragment, userinfo or wildcard")]
    Malformed,
    /// A scheme that is neither `https`, nor `http` on loopback, nor a reverse domain name.
    #[error("a redirect URI is https, http on loopback, or a scheme like com.example.app")]
    Scheme,
    /// The query has a parameter that the response would repeat.
    #[error("the query of a redirect URI must not contain code, state, iss or error")]
    ReservedParameter,
    /// No registered URI equals the requested one.
    #[error("redirect_uri is not registered for this client")]
    NotRegistered,
    /// The request names none, and not exactly one is registered.
    #[error("redirect_uri is needed: not exactly one is registered for this client")]
    Ambiguous,
}

impl RegisteredRedirectUri {
    /// Reads a redirect URI of a manifest or a registration.
    ///
    /// # Errors
    /// [`RedirectUriError::Malformed`], [`RedirectUriError::Scheme`] or
    /// [`RedirectUriError::ReservedParameter`].
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        let url = absolute_uri::parse(text).ok_or(RedirectUriError::Malformed)?;
        let is_normal = url.as_str().strip_suffix('/').unwrap_or(url.as_str())
            == text.strip_suffix('/').unwrap_or(text);
        if !is_normal || text.contains('*') {
            return Err(RedirectUriError::Malformed);
        }
        kind_of(&url).ok_or(RedirectUriError::Scheme)?;
        if url
            .query_pairs()
            .any(|(name, _)| RESPONSE_PARAMETERS.contains(&name.as_ref()))
        {
            return Err(RedirectUriError::ReservedParameter);
        }
        Ok(Self(text.to_owned()))
    }

    /// The exact text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How it reaches the client.
    #[must_use]
    pub fn kind(&self) -> RedirectUriKind {
        let url = Url::parse(&self.0).ok();
        url.and_then(|url| kind_of(&url))
            .expect("parse() accepted this text")
    }
}

impl RequestedRedirectUri {
    /// Takes a `redirect_uri` parameter; whether it is acceptable is decided by comparison alone.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as requested.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the registered URI: the same text, or, on loopback, the same but for the
    /// port (AS-22, N-003, N-004, N-005).
    #[must_use]
    pub fn matches(&self, registered: &RegisteredRedirectUri) -> bool {
        if self.0 == registered.0 {
            return true;
        }
        match (split_loopback(&self.0), split_loopback(&registered.0)) {
            (Some(requested), Some(registered)) => requested == registered,
            _ => false,
        }
    }
}

/// Finds where the browser may be sent.
///
/// # Errors
/// [`RedirectUriError::NotRegistered`], or [`RedirectUriError::Ambiguous`] when the request names
/// none although the client does not have exactly one (N-002).
pub fn select(
    requested: Option<&RequestedRedirectUri>,
    registered: &[RegisteredRedirectUri],
) -> Result<VerifiedRedirectUri, RedirectUriError> {
    let (text, found) = match (requested, registered) {
        (None, [only]) => (only.as_str(), only),
        (None, _) => return Err(RedirectUriError::Ambiguous),
        (Some(requested), _) => {
            let found = registered
                .iter()
                .find(|registered| requested.matches(registered));
            (
                requested.as_str(),
                found.ok_or(RedirectUriError::NotRegistered)?,
            )
        }
    };
    Ok(VerifiedRedirectUri {
        text: text.to_owned(),
        kind: found.kind(),
    })
}

impl VerifiedRedirectUri {
    /// The exact text, to be stored with the code and compared at the token endpoint.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How it reaches the client.
    #[must_use]
    pub fn kind(&self) -> RedirectUriKind {
        self.kind
    }

    /// What the consent page shows: the host, or the scheme of an installed app (AS-41, N-005).
    #[must_use]
    pub fn display_host(&self) -> String {
        let url = self.to_url();
        url.host_str().unwrap_or(url.scheme()).to_owned()
    }

    /// The source expression for `form-action` of a Content-Security-Policy.
    #[must_use]
    pub fn csp_source(&self) -> String {
        let url = self.to_url();
        match self.kind {
            RedirectUriKind::PrivateUse => format!("{}:", url.scheme()),
            _ => url.origin().ascii_serialization(),
        }
    }

    fn to_url(&self) -> Url {
        Url::parse(&self.text).expect("it equals a registered URI but for the port")
    }
}

fn kind_of(url: &Url) -> Option<RedirectUriKind> {
    match url.scheme() {
        "https" => url.host().map(|_| RedirectUriKind::Https),
        "http" => split_loopback(url.as_str()).map(|_| RedirectUriKind::Loopback),
        // No browser scheme (javascript, data, file, blob, …) has a period.
        scheme => scheme.contains('.').then_some(RedirectUriKind::PrivateUse),
    }
}

/// Splits `http://{loopback host}[:port]{rest}` into host and rest; `None` for everything else.
fn split_loopback(text: &str) -> Option<(&str, &str)> {
    let authority = text.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]", "localhost"]
        .into_iter()
        .find(|host| authority.starts_with(host))?;
    let rest = &authority[host.len()..];
    let rest = match rest.strip_prefix(':') {
        None => rest,
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let port = &rest[..digits];
            if port.starts_with('0') || port.parse::<u16>().is_err() {
                return None;
            }
            &rest[digits..]
        }
    };
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest))
}

impl fmt::Display for RegisteredRedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for VerifiedRedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for RegisteredRedirectUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
