//! Consent that an administrator gave for everybody (AS-45).
//!
//! An assignment that leaves the client open says who may reach a server, not that a certain client
//! may act for them; only one that names the client is consent. It counts for exactly the scopes it
//! carries and only if policy relied on it for this person, so it never covers somebody it is not for.

use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::directory::{Assignment, Client, Target};

use crate::authorize::permission::Granted;

/// Who approved every scope of this grant; `None` if anything is left to ask.
pub(super) fn find(
    client: &Client,
    assignments: &[Assignment],
    granted: &Granted,
    now: Timestamp,
) -> Option<String> {
    if client.preapproved {
        return Some("client.preapproved".to_owned());
    }
    let naming: Vec<&Assignment> = assignments
        .iter()
        .filter(|assignment| names(assignment, client, now) && applies(assignment, granted))
        .collect();
    let covers = match &granted.target.server {
        Some(server) => granted.target.scopes.iter().all(|scope| {
            naming.iter().any(|assignment| {
                ScopeSet::from_scopes(&assignment.scopes)
                    .is_ok_and(|own| server.expand(&own).contains(scope))
            })
        }),
        None => !naming.is_empty(),
    };
    let ids: Vec<String> = naming
        .iter()
        .map(|assignment| format!("assignment:{}", assignment.id))
        .collect();
    covers.then(|| ids.join(" "))
}

/// Whether the assignment names the client and has not ended.
fn names(assignment: &Assignment, client: &Client, now: Timestamp) -> bool {
    assignment
        .clients
        .as_ref()
        .is_some_and(|ids| ids.contains(&client.id))
        && assignment.until.is_none_or(|until| now < until)
}

/// Whether the assignment is about this target, and policy relied on it.
fn applies(assignment: &Assignment, granted: &Granted) -> bool {
    match (&granted.target.server, &assignment.target) {
        (Some(server), Target::Server(id)) => {
            let own = format!("assignment:{}#", assignment.id);
            server.id == *id
                && granted
                    .policies
                    .iter()
                    .any(|policy| policy.starts_with(&own))
        }
        // A sign-in at our identity provider opens nothing by itself: that an administrator named
        // the client for anything is enough.
        (None, _) => true,
        _ => false,
    }
}
