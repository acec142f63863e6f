//! Cookies of the browser pages (requirements AS-42, design §11).
//!
//! On https every name has the prefix `__Host-`, so that no other host and no plain http connection
//! can plant one; on a plain-http loopback deployment (development) prefix and `Secure` are absent.
//! Every cookie is `HttpOnly`, `SameSite=Lax` and for the whole host. Sessions of the `as` and of
//! each organization's `idp` have different names and never stand for each other.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use symbolon_protocol::issuer::IssuerRole;

use crate::state::AppState;

/// Which cookie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cookie<'a> {
    /// The browser session at one of our authorization servers.
    Session(&'a IssuerRole),
    /// The organization that was chosen last at one of our authorization servers.
    Organization(&'a IssuerRole),
    /// A sign-in under way, by the short name of the attempt.
    SignIn(&'a str),
    /// A random value that forms shown before sign-in are bound to.
    Visitor,
}

/// The cookies of one request.
#[derive(Clone, Debug)]
pub(crate) struct Cookies {
    is_https: bool,
    pairs: Vec<(String, String)>,
}

impl Cookies {
    /// Reads every `Cookie` header.
    pub(crate) fn read(headers: &HeaderMap, is_https: bool) -> Self {
        let pairs = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self { is_https, pairs }
    }

    /// The value of a cookie; `None` when it is absent, empty, or there with two values: then one
    /// of them was planted, and which one nobody can tell.
    pub(crate) fn find(&self, cookie: Cookie<'_>) -> Option<&str> {
        let name = self.name(cookie);
        let mut values = self
            .pairs
            .iter()
            .filter(|(own, _)| *own == name)
            .map(|(_, value)| value.as_str());
        let first = values.next().filter(|value| !value.is_empty())?;
        values.all(|other| other == first).then_some(first)
    }

    /// Every sign-in under way in this browser: short name and value.
    pub(crate) fn sign_ins(&self) -> impl Iterator<Item = (&str, &str)> {
        let prefix = self.name(Cookie::SignIn(""));
        self.pairs.iter().filter_map(move |(name, value)| {
            name.strip_prefix(prefix.as_str())
                .map(|attempt| (attempt, value.as_str()))
        })
    }

    /// The `Set-Cookie` value that keeps `value` for `max_age`.
    pub(crate) fn set(&self, cookie: Cookie<'_>, value: &str, max_age: Duration) -> HeaderValue {
        let name = self.name(cookie);
        let secure = if self.is_https { "; Secure" } else { "" };
        let text = format!(
            "{name}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            max_age.as_secs()
        );
        HeaderValue::try_from(text).expect("names are ids, values base64url or ids")
    }

    /// The `Set-Cookie` value that removes a cookie.
    pub(crate) fn remove(&self, cookie: Cookie<'_>) -> HeaderValue {
        self.set(cookie, "", Duration::ZERO)
    }

    fn name(&self, cookie: Cookie<'_>) -> String {
        let prefix = if self.is_https { "__Host-" } else { "" };
        // Ids have no dot, so no two roles share a name.
        let role = |role: &IssuerRole| match role {
            IssuerRole::As => "as".to_owned(),
            IssuerRole::Idp(organization) => format!("idp.{organization}"),
        };
        match cookie {
            Cookie::Session(of) => format!("{prefix}symbolon-session.{}", role(of)),
            Cookie::Organization(of) => format!("{prefix}symbolon-organization.{}", role(of)),
            Cookie::SignIn(attempt) => format!("{prefix}symbolon-sign-in.{attempt}"),
            Cookie::Visitor => format!("{prefix}symbolon-visitor"),
        }
    }
}

impl FromRequestParts<AppState> for Cookies {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.headers, state.is_https()))
    }
}

#[cfg(test)]
mod tests {
    use symbolon_protocol::ids::OrganizationId;

    use super::*;

    fn cookies(header: &'static str, is_https: bool) -> Cookies {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static(header));
        Cookies::read(&headers, is_https)
    }

    fn acme() -> IssuerRole {
        IssuerRole::Idp(OrganizationId::parse("acme").unwrap())
    }

    /// AS-42.
    #[test]
    fn on_https_a_cookie_is_bound_to_the_host() {
        let session = Cookie::Session(&IssuerRole::As);
        let set = cookies("", true).set(session, "v", Duration::from_secs(60));
        assert_eq!(
            set,
            "__Host-symbolon-session.as=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        let plain = cookies("", false).set(session, "v", Duration::from_secs(60));
        assert_eq!(
            plain,
            "symbolon-session.as=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn a_cookie_without_the_prefix_does_not_count_on_https() {
        let planted = cookies("symbolon-session.as=evil", true);
        assert_eq!(planted.find(Cookie::Session(&IssuerRole::As)), None);
    }

    /// N-021.
    #[test]
    fn a_cookie_with_two_values_does_not_count() {
        let session = Cookie::Session(&IssuerRole::As);
        let two = cookies("symbolon-session.as=a; symbolon-session.as=b", false);
        assert_eq!(two.find(session), None);
        let same = cookies("symbolon-session.as=a; symbolon-session.as=a", false);
        assert_eq!(same.find(session), Some("a"));
    }

    #[test]
    fn sessions_of_two_roles_are_two_cookies() {
        let both = cookies("symbolon-session.as=a; symbolon-session.idp.acme=i", false);
        assert_eq!(both.find(Cookie::Session(&IssuerRole::As)), Some("a"));
        assert_eq!(both.find(Cookie::Session(&acme())), Some("i"));
        assert_eq!(both.find(Cookie::Organization(&acme())), None);
    }

    #[test]
    fn every_sign_in_under_way_is_found() {
        let two = cookies(
            "x=1; __Host-symbolon-sign-in.ab=1; __Host-symbolon-sign-in.cd=2",
            true,
        );
        assert_eq!(
            two.sign_ins().collect::<Vec<_>>(),
            [("ab", "1"), ("cd", "2")]
        );
    }
}
