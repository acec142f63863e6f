//! Who is signed in at the provider: a cookie and an entry in memory.
//!
//! Cookies do not tell ports apart, so the name of the cookie does.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderValue, header};
use symbolon_protocol::{random, secret::Secret, time::Timestamp};

/// `acr` of a sign-in with one factor.
pub(super) const PASSWORD: &str = "password";
/// `acr` of a sign-in with two factors.
pub(super) const SECOND_FACTOR: &str = "second_factor";

const LIFETIME: Duration = Duration::from_secs(8 * 3600);
const REMEMBERED: usize = 1_000;

/// A sign-in of a person.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) person: String,
    pub(super) authenticated_at: Timestamp,
    pub(super) has_second_factor: bool,
}

/// The sign-ins of one provider.
pub(super) struct Sessions {
    cookie: String,
    by_token: Mutex<HashMap<String, Session>>,
}

impl Session {
    /// A sign-in that happens now.
    pub(super) fn begin(person: &str, has_second_factor: bool, now: Timestamp) -> Self {
        Self {
            id: random::id(),
            person: person.to_owned(),
            authenticated_at: now,
            has_second_factor,
        }
    }

    pub(super) fn acr(&self) -> &'static str {
        if self.has_second_factor {
            SECOND_FACTOR
        } else {
            PASSWORD
        }
    }

    /// RFC 8176.
    pub(super) fn amr(&self) -> &'static [&'static str] {
        if self.has_second_factor {
            &["pwd", "otp", "mfa"]
        } else {
            &["pwd"]
        }
    }
}

impl Sessions {
    pub(super) fn new(port: u16) -> Self {
        Self {
            cookie: format!("development_idp_{port}"),
            by_token: Mutex::default(),
        }
    }

    /// The sign-in of the browser that sent these headers.
    pub(super) fn find(&self, headers: &HeaderMap, now: Timestamp) -> Option<Session> {
        let token = self.token(headers)?;
        let sessions = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get(token)?;
        (now.since(session.authenticated_at) < LIFETIME).then(|| session.clone())
    }

    /// Remembers a sign-in; the value is for `Set-Cookie`.
    pub(super) fn insert(&self, session: Session) -> Secret {
        let token = random::token();
        let mut sessions = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= REMEMBERED {
            sessions.clear();
        }
        sessions.insert(token.expose().to_owned(), session);
        let attributes = "Path=/; HttpOnly; SameSite=Lax";
        Secret::new(format!("{}={}; {attributes}", self.cookie, token.expose()))
    }

    /// Ends the sign-in of the browser that sent these headers; the value is for `Set-Cookie`.
    pub(super) fn end(&self, headers: &HeaderMap) -> Secret {
        if let Some(token) = self.token(headers) {
            let mut sessions = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.remove(token);
        }
        Secret::new(format!("{}=; Path=/; Max-Age=0", self.cookie))
    }

    fn token<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let cookies = headers.get_all(header::COOKIE).iter();
        let cookies = cookies.filter_map(|value| value.to_str().ok());
        let mut pairs = cookies
            .flat_map(|text| text.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs
            .find(|(name, _)| *name == self.cookie)
            .map(|(_, token)| token)
    }
}

/// A `Set-Cookie` header that logs do not show.
pub(super) fn set_cookie(cookie: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(cookie.expose()).ok()?;
    value.set_sensitive(true);
    Some(value)
}
