//! A sign-in under way, as the browser carries it: one sealed cookie per attempt (AS-43, N-022).
//!
//! `state`, `nonce` and PKCE verifier are random per attempt, counted for ten minutes and used once.
//! Several tabs may sign in at once; of too many attempts the oldest are forgotten.

use std::time::Duration;

use axum::http::HeaderValue;
use serde::{Deserialize, Serialize};
use symbolon_protocol::digest::{base64url, constant_time_eq, sha256};
use symbolon_protocol::ids::ConnectionId;
use symbolon_protocol::issuer::{Issuer, IssuerRole};
use symbolon_protocol::pkce::CodeVerifier;
use symbolon_protocol::random;
use symbolon_protocol::secret::SecretBytes;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::directory::Connection;

use super::start::Wish;
use crate::authorize::resume::Stage;
use crate::cookies::{Cookie, Cookies};
use crate::sealed::{self, Purpose};

/// How long a person may take at the identity provider.
pub(super) const LIFETIME: Duration = Duration::from_secs(600);

/// The longest query that fits: a browser keeps 4096 bytes of name and value.
pub(super) const MAX_QUERY_BYTES: usize = 2500;

/// How many attempts one browser may have under way: all of them together still fit into the 16 KiB
/// of headers that HTTP/2 servers take.
const MAX_ATTEMPTS: usize = 3;

/// What has to be known when the answer arrives.
#[derive(Deserialize, Serialize)]
pub(super) struct Attempt {
    /// The authorization server the person signs in to.
    pub(super) role: IssuerRole,
    /// The authorization request to come back to.
    pub(super) query: String,
    /// The connection.
    pub(super) connection: ConnectionId,
    /// The issuer the browser was sent to.
    pub(super) issuer: Issuer,
    /// Returned by the identity provider.
    pub(super) state: String,
    /// Repeated in its ID token.
    pub(super) nonce: String,
    /// Proves that we began this.
    pub(super) verifier: String,
    /// Oldest acceptable sign-in there, in seconds.
    pub(super) max_age: Option<u64>,
    /// What the browser will have been through.
    pub(super) stage: Stage,
    /// When it began.
    pub(super) started_at: Timestamp,
}

impl Attempt {
    /// A new attempt.
    pub(super) fn new(
        role: &IssuerRole,
        query: &str,
        connection: &Connection,
        wish: &Wish,
        now: Timestamp,
    ) -> Self {
        Self {
            role: role.clone(),
            query: query.to_owned(),
            connection: connection.id.clone(),
            issuer: connection.issuer.clone(),
            state: random::token().expose().to_owned(),
            nonce: random::token().expose().to_owned(),
            verifier: CodeVerifier::generate().expose().to_owned(),
            max_age: wish.max_age,
            stage: wish.stage,
            started_at: now,
        }
    }

    /// The cookies to set: this attempt, and the removal of those that are too old or too many.
    pub(super) fn cookies(
        &self,
        cookies: &Cookies,
        secret: &SecretBytes,
        now: Timestamp,
    ) -> Vec<HeaderValue> {
        let mut others: Vec<(Option<Timestamp>, &str)> = cookies
            .sign_ins()
            .map(|(name, value)| (open(secret, value, now).map(|other| other.started_at), name))
            .collect();
        others.sort_unstable();
        let live = others
            .iter()
            .filter(|(started_at, _)| started_at.is_some())
            .count();
        let dead = others.len() - live;
        let surplus = dead + live.saturating_sub(MAX_ATTEMPTS - 1);
        let mut set: Vec<HeaderValue> = others[..surplus]
            .iter()
            .map(|(_, name)| cookies.remove(Cookie::SignIn(name)))
            .collect();
        let sealed = sealed::seal(secret, Purpose::SignIn, self);
        set.push(cookies.set(Cookie::SignIn(&name(&self.state)), &sealed, LIFETIME));
        set
    }

    /// The attempt of this browser that `state` belongs to.
    pub(super) fn find(
        cookies: &Cookies,
        secret: &SecretBytes,
        state: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let sealed = cookies.find(Cookie::SignIn(&name(state)))?;
        open(secret, sealed, now)
            .filter(|attempt| constant_time_eq(attempt.state.as_bytes(), state.as_bytes()))
    }

    /// The removal of this attempt.
    pub(super) fn forget(&self, cookies: &Cookies) -> HeaderValue {
        cookies.remove(Cookie::SignIn(&name(&self.state)))
    }
}

fn open(secret: &SecretBytes, sealed: &str, now: Timestamp) -> Option<Attempt> {
    sealed::open::<Attempt>(secret, Purpose::SignIn, sealed)
        .filter(|attempt| now.since(attempt.started_at) <= LIFETIME)
}

/// The short name of an attempt; says nothing about its state.
fn name(state: &str) -> String {
    base64url(&sha256(state.as_bytes()))[..12].to_owned()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header};

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_201_200);

    fn secret() -> SecretBytes {
        SecretBytes::new(*b"a cookie secret of a test, 32 by")
    }

    fn attempt(started_at: Timestamp) -> Attempt {
        Attempt {
            role: IssuerRole::As,
            query: "x".repeat(MAX_QUERY_BYTES),
            connection: ConnectionId::parse(&"c".repeat(63)).unwrap(),
            issuer: Issuer::parse("https://login.acme.example").unwrap(),
            state: random::token().expose().to_owned(),
            nonce: random::token().expose().to_owned(),
            verifier: random::token().expose().to_owned(),
            max_age: Some(u64::from(u32::MAX)),
            stage: Stage::SteppedUp,
            started_at,
        }
    }

    /// A browser that keeps what it is told.
    fn browser(before: &Cookies, set: &[HeaderValue]) -> Cookies {
        let mut kept: Vec<(String, String)> = before
            .sign_ins()
            .map(|(name, value)| (format!("symbolon-sign-in.{name}"), value.to_owned()))
            .collect();
        for cookie in set {
            let text = cookie.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            kept.retain(|(own, _)| own != name);
            if !value.is_empty() {
                kept.push((name.to_owned(), value.to_owned()));
            }
        }
        let header: Vec<String> = kept
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            HeaderValue::try_from(header.join("; ")).unwrap(),
        );
        Cookies::read(&headers, false)
    }

    fn empty() -> Cookies {
        Cookies::read(&HeaderMap::new(), false)
    }

    /// N-022.
    #[test]
    fn an_attempt_is_found_by_its_state_in_its_browser_within_ten_minutes() {
        let attempt = attempt(NOW);
        let state = attempt.state.clone();
        let browser = browser(&empty(), &attempt.cookies(&empty(), &secret(), NOW));
        let find = |cookies: &Cookies, state: &str, now| {
            Attempt::find(cookies, &secret(), state, now).is_some()
        };
        assert!(find(&browser, &state, NOW.plus(LIFETIME)));
        assert!(!find(
            &browser,
            &state,
            NOW.plus(LIFETIME + Duration::from_secs(1))
        ));
        assert!(!find(&browser, "another state", NOW));
        assert!(!find(&empty(), &state, NOW));
    }

    /// N-021: the cookie of one attempt under the name of another.
    #[test]
    fn a_cookie_counts_for_its_own_state_only() {
        let (first, second) = (attempt(NOW), attempt(NOW));
        let sealed = sealed::seal(&secret(), Purpose::SignIn, &first);
        let planted = empty().set(
            Cookie::SignIn(&name(&second.state)),
            &sealed,
            Duration::from_secs(60),
        );
        let browser = browser(&empty(), &[planted]);
        assert!(Attempt::find(&browser, &secret(), &second.state, NOW).is_none());
        assert!(Attempt::find(&browser, &secret(), &first.state, NOW).is_none());
    }

    #[test]
    fn a_cookie_fits_into_a_browser() {
        let attempt = attempt(NOW);
        for cookie in attempt.cookies(&Cookies::read(&HeaderMap::new(), true), &secret(), NOW) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().len();
            assert!(pair <= 4096, "{pair} bytes");
        }
    }

    #[test]
    fn of_too_many_attempts_the_oldest_are_forgotten() {
        let mut cookies = empty();
        let mut states = Vec::new();
        for minute in 0..6 {
            let now = NOW.plus(Duration::from_secs(minute));
            let attempt = attempt(now);
            cookies = browser(&cookies, &attempt.cookies(&cookies, &secret(), now));
            states.push(attempt.state);
        }
        let found = |state: &String| Attempt::find(&cookies, &secret(), state, NOW).is_some();
        let found: Vec<bool> = states.iter().map(found).collect();
        assert_eq!(found, [false, false, false, true, true, true]);
    }
}
