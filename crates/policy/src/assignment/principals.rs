//! Who an assignment is for, as entities.

use cedar_policy::EntityUid;
use symbolon_protocol::ids::{ClientId, ConnectionId, GroupKey, UserId};
use symbolon_protocol::issuer::IssuerRole;

use crate::entity;
use crate::input::{AssignmentInput, Who};
use crate::offer::Offers;
use crate::permit::Principals;

/// Finds everybody an assignment names.
///
/// # Errors
/// Each name that is unknown or ambiguous, with the choices.
pub(super) fn resolve(
    assignment: &AssignmentInput,
    offers: &Offers,
    connections: &[ConnectionId],
) -> Result<Principals, Vec<String>> {
    let named = match &assignment.who {
        Who::Everyone => {
            return Ok(Principals::Everyone(entity::organization(
                &assignment.organization,
            )));
        }
        Who::Groups(names) => each(names, |name| group(name, connections))?,
        Who::Users(names) => each(names, |name| user(name))?,
        Who::Services(ids) => each(ids, |id| service(id, assignment, offers))?,
    };
    match named.is_empty() {
        true => Err(vec![
            "it names nobody: add groups, users or services, or everyone".to_owned(),
        ]),
        false => Ok(Principals::Named(named)),
    }
}

/// A group by its name, which the organization's only connection completes (design §4 rule 12).
fn group(name: &str, connections: &[ConnectionId]) -> Result<EntityUid, String> {
    let qualified = name.split_once('/').filter(|(source, _)| {
        connections
            .iter()
            .any(|connection| connection.as_str() == *source)
    });
    let (source, external_id) = match (qualified, connections) {
        (Some(qualified), _) => qualified,
        (None, [only]) => (only.as_str(), name),
        (None, []) => {
            let why = "the organization has no connection";
            return Err(format!("nobody speaks for group {name:?}: {why}"));
        }
        (None, several) => {
            let choices = several.iter().map(|source| format!("\"{source}/{name}\""));
            let choices = choices.collect::<Vec<_>>().join(" or ");
            return Err(format!("group {name:?} is ambiguous: write {choices}"));
        }
    };
    let (source, external_id) = (source.to_owned(), external_id.to_owned());
    Ok(entity::group(&GroupKey {
        source,
        external_id,
    }))
}

/// A person by address or id.
fn user(name: &str) -> Result<EntityUid, String> {
    if name.contains('@') {
        return Ok(entity::email_address(name));
    }
    match UserId::parse(name) {
        Ok(id) => Ok(entity::user(&id)),
        Err(_) => Err(format!(
            "user {name:?} is neither an email address nor a user id"
        )),
    }
}

fn service(
    id: &ClientId,
    assignment: &AssignmentInput,
    offers: &Offers,
) -> Result<EntityUid, String> {
    match offers.client(&assignment.organization, &IssuerRole::As, id) {
        Some(_) => Ok(entity::client(&IssuerRole::As, id)),
        None => Err(format!(
            "service {id} is not a client that the as offers here: register it"
        )),
    }
}

fn each<T>(
    names: &[T],
    find: impl Fn(&T) -> Result<EntityUid, String>,
) -> Result<Vec<EntityUid>, Vec<String>> {
    let (mut entities, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        match find(name) {
            Ok(entity) if entities.contains(&entity) => {}
            Ok(entity) => entities.push(entity),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(entities)
    } else {
        Err(problems)
    }
}
