//! Issuer identifiers ([RFC 8414] §2) and which of our authorization servers one belongs to.
//!
//! An issuer is compared byte for byte and never normalized: `https://a` and `https://a/` are two
//! (requirements Q-07).
//!
//! [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use url::{Host, Url};

use crate::absolute_uri::{self, MAX_URI_BYTES};
use crate::ids::{InvalidId, OrganizationId};

/// An issuer identifier, kept exactly as it was written.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Issuer(Box<str>);

/// Why a text is not an issuer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// Not an absolute URL, or too long.
    #[error("an issuer is an absolute URL of at most {MAX_URI_BYTES} bytes")]
    NotAUrl,
    /// Plain http anywhere but on loopback, or another scheme.
    #[error("an issuer is an https URL; http is for loopback only")]
    NotHttps,
    /// A query, fragment or user information.
    #[error("an issuer has no query, fragment or user information")]
    ExtraParts,
}

impl Issuer {
    /// Reads an issuer.
    ///
    /// # Errors
    /// [`IssuerError`] names the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        let url = Url::parse(text).map_err(|_| IssuerError::NotAUrl)?;
        if !is_https_or_loopback(&url) {
            return Err(IssuerError::NotHttps);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(IssuerError::ExtraParts);
        }
        // What a URL parser would repair is refused: the text is what gets compared.
        absolute_uri::parse(text)
            .map(|_| Self(text.into()))
            .ok_or(IssuerError::NotAUrl)
    }

    /// The issuer as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where its metadata may be, in the order in which clients look (RFC 8414 §3.1 path insertion,
    /// then OpenID Connect Discovery).
    #[must_use]
    pub fn metadata_urls(&self) -> Vec<Url> {
        let url = Url::parse(&self.0).expect("checked when it was read");
        let path = url.path().trim_end_matches('/').to_owned();
        let at = |path: &str| {
            let mut url = url.clone();
            url.set_path(path);
            url
        };
        let mut urls = vec![
            at(&format!("/.well-known/oauth-authorization-server{path}")),
            at(&format!("/.well-known/openid-configuration{path}")),
        ];
        if !path.is_empty() {
            urls.push(at(&format!("{path}/.well-known/openid-configuration")));
        }
        urls
    }
}

/// Whether a URL is https, or http to a loopback host.
#[must_use]
pub fn is_https_or_loopback(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether a URL's host is `localhost` or a loopback address.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Issuer {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Issuer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// Which tenant of an issuer that several organizations share must have spoken (design §4 rule 11).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TenantClaim<'a> {
    /// The claim that names the tenant, such as `hd` or `tid`.
    pub claim: &'a str,
    /// What it must say, exactly.
    pub value: &'a str,
}

/// One of our authorization servers: `as`, or `idp/{organization}` (design §2).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum IssuerRole {
    /// The MCP authorization server.
    As,
    /// An organization's ID-JAG issuer.
    Idp(OrganizationId),
}

impl fmt::Display for IssuerRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::As => f.write_str("as"),
            Self::Idp(organization) => write!(f, "idp/{organization}"),
        }
    }
}

/// Text that names none of our authorization servers.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidIssuerRole {
    /// Neither `as` nor `idp/…`.
    #[error("{0:?} is neither \"as\" nor \"idp/{{organization}}\"")]
    Unknown(String),
    /// `idp/` with a wrong organization id.
    #[error(transparent)]
    Organization(#[from] InvalidId),
}

impl FromStr for IssuerRole {
    type Err = InvalidIssuerRole;

    fn from_str(text: &str) -> Result<Self, InvalidIssuerRole> {
        match text.split_once('/') {
            None if text == "as" => Ok(Self::As),
            Some(("idp", organization)) => Ok(Self::Idp(OrganizationId::parse(organization)?)),
            _ => Err(InvalidIssuerRole::Unknown(text.to_owned())),
        }
    }
}

impl Serialize for IssuerRole {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IssuerRole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pathed_issuer_is_looked_for_in_three_places() {
        let urls = Issuer::parse("https://id.example/as")
            .unwrap()
            .metadata_urls();
        let urls: Vec<&str> = urls.iter().map(Url::as_str).collect();

        assert_eq!(
            urls,
            [
                "https://id.example/.well-known/oauth-authorization-server/as",
                "https://id.example/.well-known/openid-configuration/as",
                "https://id.example/as/.well-known/openid-configuration",
            ]
        );
    }

    #[test]
    fn an_issuer_is_https_unless_it_is_on_loopback() {
        assert!(Issuer::parse("http://127.0.0.1:9400").is_ok());
        assert_eq!(
            Issuer::parse("http://id.example"),
            Err(IssuerError::NotHttps)
        );
        assert_eq!(
            Issuer::parse("https://id.example?x"),
            Err(IssuerError::ExtraParts)
        );
        assert_eq!(
            Issuer::parse("https://a@id.example"),
            Err(IssuerError::ExtraParts)
        );
        for wrong in [
            "id.example",
            "https://@id.example",
            "https:\\\\id.example",
            " https://id.example",
        ] {
            assert_eq!(Issuer::parse(wrong), Err(IssuerError::NotAUrl), "{wrong:?}");
        }
    }

    #[test]
    fn a_role_reads_what_it_writes() {
        for text in ["as", "idp/acme"] {
            assert_eq!(text.parse::<IssuerRole>().unwrap().to_string(), text);
        }
        assert!("idp/Acme".parse::<IssuerRole>().is_err());
    }
}
