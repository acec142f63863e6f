//! "This request has been through sign-in": the `resume` parameter we add on the way back.
//!
//! Without it a request that wants a fresh sign-in (`prompt=login`, a step-up) would ask for one for
//! ever. It is sealed, names the session and the request, and counts for ten minutes.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use symbolon_protocol::digest::{base64url, sha256};
use symbolon_protocol::ids::SessionId;
use symbolon_protocol::time::Timestamp;

use crate::browser_session::SignedIn;
use crate::sealed::{self, Purpose};
use crate::visit::Visit;

const PREFIX: &str = "resume=";
const LIFETIME: Duration = Duration::from_secs(600);

/// What the browser has been through.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Stage {
    /// A sign-in as the client asked for it.
    SignedIn,
    /// A sign-in as policy asked for it: there is no use in asking again.
    SteppedUp,
}

#[derive(Deserialize, Serialize)]
struct Resume {
    stage: Stage,
    session: SessionId,
    request: String,
    issuer: String,
    at: Timestamp,
}

/// Takes our own parameter out of a query.
pub(super) fn split(query: &str) -> (String, Option<String>) {
    let (own, others): (Vec<&str>, Vec<&str>) =
        query.split('&').partition(|pair| pair.starts_with(PREFIX));
    let resume = own
        .first()
        .and_then(|pair| pair.strip_prefix(PREFIX))
        .map(str::to_owned);
    (others.join("&"), resume)
}

/// Puts our own parameter back.
pub(super) fn join(query: &str, resume: &str) -> String {
    format!("{query}&{PREFIX}{resume}")
}

/// The path and query that bring a browser with a new session back to its request.
pub(crate) fn location(visit: &Visit, query: &str, session: &SessionId, stage: Stage) -> String {
    let resume = Resume {
        stage,
        session: session.clone(),
        request: digest(query),
        issuer: visit.issuer.issuer.to_string(),
        at: visit.now,
    };
    let resume = sealed::seal(visit.secret(), Purpose::Resume, &resume);
    format!("{}?{}", visit.path("authorize"), join(query, &resume))
}

/// What `text` proves about this request and session.
pub(super) fn stage(visit: &Visit, query: &str, signed_in: &SignedIn, text: &str) -> Option<Stage> {
    let resume = sealed::open::<Resume>(visit.secret(), Purpose::Resume, text)?;
    let fits = resume.session == signed_in.session.id
        && resume.request == digest(query)
        && resume.issuer == visit.issuer.issuer.as_str()
        && visit.now.since(resume.at) <= LIFETIME;
    fits.then_some(resume.stage)
}

fn digest(query: &str) -> String {
    base64url(&sha256(query.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_parameter_is_taken_out() {
        let (query, resume) = split("client_id=c&resume=abc&state=resume%3D");
        assert_eq!(query, "client_id=c&state=resume%3D");
        assert_eq!(resume.as_deref(), Some("abc"));
        assert_eq!(split("client_id=c"), ("client_id=c".to_owned(), None));
        assert_eq!(
            split(&join("a=b", "xyz")),
            ("a=b".to_owned(), Some("xyz".to_owned()))
        );
    }
}
