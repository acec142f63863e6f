//! Which of our people an identity is (requirements 1.8 for sign-in).
//!
//! An existing link, then a link by email where an administrator allowed that for the connection,
//! then a new person where the connection provisions just in time. Whoever was removed or disabled
//! stays out.

use symbolon_protocol::ids::UserId;
use symbolon_storage::directory::Connection;
use symbolon_storage::group::{self, TokenReport};
use symbolon_storage::linked_identity::{self, Linked, TombstoneSecret};
use symbolon_storage::secret_key::SecretPurpose;
use symbolon_storage::user::{self, User};
use symbolon_storage::{StorageError, Transaction};

use super::identity::Identity;
use crate::subject;
use crate::visit::Visit;

/// Why somebody is not let in, for the administrator.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAdmitted {
    /// The person was disabled.
    #[error("the person is disabled")]
    Disabled,
    /// There is no such person, and the connection does not let her come into being.
    #[error("{0}")]
    NotProvisioned(String),
}

/// Finds or creates the person, and writes what was said about her.
///
/// # Errors
/// [`StorageError`]; the inner error says why she may not come in.
pub(super) async fn resolve(
    visit: &Visit,
    tx: &mut Transaction,
    connection: &Connection,
    identity: &Identity,
) -> Result<Result<User, NotAdmitted>, StorageError> {
    let external = &identity.external;
    let known = linked_identity::find(tx, external).await?;
    if known.is_none() {
        link_by_email(visit, tx, connection, identity).await?;
    }
    let mut profile = identity.profile.clone();
    if let Some(email) = profile.email.take() {
        let own = known.as_ref().map(|user| &user.id);
        profile.email = match identity.is_email_verified {
            true => Some(email),
            false => {
                subject::unverified_email(tx, &visit.directory, connection, &email, own).await?
            }
        };
    }
    let profile = &profile;
    let found = subject::find_or_create(&visit.state, tx, connection, external, profile).await?;
    let user = match found {
        Ok(user) if user.is_active() => user,
        Ok(_) => return Ok(Err(NotAdmitted::Disabled)),
        Err(reason) => return Ok(Err(NotAdmitted::NotProvisioned(reason))),
    };
    user::update(tx, &user.id, profile, visit.now).await?;
    report_groups(visit, tx, connection, identity, &user.id).await?;
    Ok(Ok(user))
}

/// Links to the one person who has this verified address, once, if an administrator wants that.
///
/// A person who has an identity at this connection already is somebody else: the address was given
/// to another (AS-128).
async fn link_by_email(
    visit: &Visit,
    tx: &mut Transaction,
    connection: &Connection,
    identity: &Identity,
) -> Result<(), StorageError> {
    let email = identity
        .profile
        .email
        .as_deref()
        .filter(|_| identity.is_email_verified);
    let Some(email) = email.filter(|_| connection.link_by_email) else {
        return Ok(());
    };
    let people = user::find_by_email(tx, &connection.organization, email).await?;
    let [person] = people.as_slice() else {
        return Ok(());
    };
    let links = linked_identity::list_of(tx, &person.id).await?;
    if links.iter().any(|link| link.connection == connection.id) {
        return Ok(());
    }
    let secret = TombstoneSecret::new(visit.state.secrets.get(SecretPurpose::Tombstone).clone());
    let linked =
        linked_identity::link(tx, &identity.external, &person.id, &secret, visit.now).await?;
    if linked == Linked::Linked {
        tracing::info!(
            connection = %connection.id, user = %person.id, request.id = %visit.request_id,
            "linked user {} by email through connection {}", person.id, connection.id
        );
    }
    Ok(())
}

/// Keeps the groups with their source, or forgets them when they were not said this time.
async fn report_groups(
    visit: &Visit,
    tx: &mut Transaction,
    connection: &Connection,
    identity: &Identity,
    user: &UserId,
) -> Result<(), StorageError> {
    let Some(groups) = &identity.groups else {
        return group::forget(tx, user, &connection.id, visit.now).await;
    };
    let report = TokenReport {
        organization: &connection.organization,
        user,
        source: &connection.id,
        groups,
        learned_at: identity.said_at,
    };
    group::replace_from_token(tx, &report, visit.now).await
}
