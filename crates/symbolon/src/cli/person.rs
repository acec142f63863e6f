//! Naming a person on the command line: by user id, or by email address.

use anyhow::{Result, bail};
use symbolon_protocol::ids::{OrganizationId, UserId};
use symbolon_storage::directory::Directory;
use symbolon_storage::user::{self, User};
use symbolon_storage::{Connection, StorageError, Store};

/// Finds the one person that is meant.
///
/// # Errors
/// Nobody or several people are meant: an address is not unique (design §4 rule 6), an id is.
pub(super) async fn find(
    store: &Store,
    organization: Option<&OrganizationId>,
    name: &str,
) -> Result<User> {
    let mut found = match UserId::parse(name) {
        Ok(id) => by_id(store, organization, id).await?,
        Err(_) => by_email(store, organization, name).await?,
    };
    match (found.pop(), found.is_empty()) {
        (Some(person), true) => Ok(person),
        (Some(last), false) => bail!(ambiguous(name, found.iter().chain([&last]))),
        (None, _) => bail!(
            "there is no person {name:?}{}: people appear when they first sign in, and \
             `symbolon user list --organization …` lists them",
            organization
                .map(|id| format!(" in {id}"))
                .unwrap_or_default()
        ),
    }
}

/// How a person is shown: the address where there is one, and always the id.
pub(super) fn describe(person: &User) -> String {
    match &person.email {
        Some(email) => format!("{email} ({}) of {}", person.id, person.organization),
        None => format!("{} of {}", person.id, person.organization),
    }
}

async fn by_id(
    store: &Store,
    organization: Option<&OrganizationId>,
    id: UserId,
) -> Result<Vec<User>> {
    let found = store
        .read(|c| Box::pin(async move { user::find_anywhere(c, &id).await }))
        .await?;
    let is_meant = |user: &User| organization.is_none_or(|id| user.organization == *id);
    Ok(found.into_iter().filter(is_meant).collect())
}

async fn by_email(
    store: &Store,
    organization: Option<&OrganizationId>,
    email: &str,
) -> Result<Vec<User>> {
    let organizations = match organization {
        Some(id) => vec![id.clone()],
        None => organizations(store).await?,
    };
    let email = email.to_owned();
    let read = store.read(move |c| Box::pin(async move { at(c, &organizations, &email).await }));
    Ok(read.await?)
}

async fn at(
    connection: &mut Connection,
    organizations: &[OrganizationId],
    email: &str,
) -> Result<Vec<User>, StorageError> {
    let mut found = Vec::new();
    for organization in organizations {
        found.extend(user::find_by_email(connection, organization, email).await?);
    }
    Ok(found)
}

async fn organizations(store: &Store) -> Result<Vec<OrganizationId>> {
    let (directory, _) = store.read(|c| Box::pin(Directory::load(c))).await?;
    Ok(directory
        .organizations()
        .map(|organization| organization.id.clone())
        .collect())
}

fn ambiguous<'a>(name: &str, people: impl Iterator<Item = &'a User>) -> String {
    let people: Vec<String> = people.map(describe).collect();
    format!(
        "{name:?} is more than one person, name one by id:\n  {}",
        people.join("\n  ")
    )
}
