//! A person of one organization.
//!
//! Created by a sign-in (just in time) or by provisioning. Who that is at an identity provider is a
//! [linked identity](crate::linked_identity); an email address identifies nobody by itself.

mod lifecycle;

use std::fmt;

use symbolon_protocol::ids::{OrganizationId, UserId};
use symbolon_protocol::time::Timestamp;

pub(crate) use lifecycle::hold;
pub use lifecycle::{delete, disable, enable};

use crate::engine::{Record, Row, args};
use crate::news::{Announcement, Topic};
use crate::page::Page;
use crate::{Connection, StorageError, Transaction};

/// Longest email address (RFC 5321 §4.5.3.1): a longer text is none.
const MAX_EMAIL_BYTES: usize = 320;

/// Longest name that is kept, in characters.
const MAX_NAME_CHARACTERS: usize = 256;

/// A person of one organization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// Unique over all organizations; the `sub` of our tokens.
    pub id: UserId,
    /// The one organization the person belongs to.
    pub organization: OrganizationId,
    /// As the identity provider wrote it. Neither unique nor proof of anything.
    pub email: Option<String>,
    /// For display.
    pub name: Option<String>,
    /// Whether the person may do anything.
    pub state: UserState,
    /// When the person was created.
    pub created_at: Timestamp,
}

impl User {
    /// Whether the person may do anything.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == UserState::Active
    }
}

/// Whether a person may do anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UserState {
    /// May sign in.
    Active,
    /// May not sign in, and is not created again.
    Disabled,
}

impl UserState {
    /// The name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for UserState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Record for User {
    fn read(row: &Row) -> Result<Self, StorageError> {
        let state: String = row.get("state")?;
        Ok(Self {
            id: row.get("id")?,
            organization: row.get("organization")?,
            email: row.get("email")?,
            name: row.get("name")?,
            state: match state.as_str() {
                "active" => UserState::Active,
                "disabled" => UserState::Disabled,
                _ => {
                    return Err(StorageError::corrupt(
                        "state",
                        format!("{state:?} is unknown"),
                    ));
                }
            },
            created_at: row.get("created_at")?,
        })
    }
}

/// What an identity provider says about a person, apart from who it is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Profile {
    /// Dropped when longer than any address is.
    pub email: Option<String>,
    /// Cut after 256 characters.
    pub name: Option<String>,
}

impl Profile {
    fn kept_email(&self) -> Option<&str> {
        self.email
            .as_deref()
            .filter(|email| email.len() <= MAX_EMAIL_BYTES)
    }

    fn kept_name(&self) -> Option<&str> {
        let name = self.name.as_deref()?;
        Some(match name.char_indices().nth(MAX_NAME_CHARACTERS) {
            Some((end, _)) => &name[..end],
            None => name,
        })
    }
}

/// The form in which addresses are compared.
fn email_key(email: &str) -> String {
    email.to_lowercase()
}

/// Creates a person. A sign-in creates one by way of
/// [`linked_identity::provision`](crate::linked_identity::provision).
///
/// # Errors
/// [`StorageError`].
pub async fn insert(
    tx: &mut Transaction,
    organization: &OrganizationId,
    profile: &Profile,
    now: Timestamp,
) -> Result<User, StorageError> {
    let email = profile.kept_email();
    tx.fetch_one(
        "INSERT INTO users (id, organization, email, email_key, name, state, created_at)
         VALUES ($1, $2, $3, $4, $5, 'active', $6)
         RETURNING id, organization, email, name, state, created_at",
        args![
            &UserId::generate(),
            organization,
            email,
            email.map(email_key),
            profile.kept_name(),
            now,
        ],
    )
    .await
}

/// Writes what the identity provider says now; what it does not say stays as it is.
///
/// # Errors
/// [`StorageError`].
pub async fn update(
    tx: &mut Transaction,
    id: &UserId,
    profile: &Profile,
    now: Timestamp,
) -> Result<(), StorageError> {
    let email = profile.kept_email();
    let changed = tx
        .execute(
            "UPDATE users SET email = coalesce($2, email), email_key = coalesce($3, email_key),
                 name = coalesce($4, name)
             WHERE id = $1 AND (email IS DISTINCT FROM coalesce($2, email)
                 OR name IS DISTINCT FROM coalesce($4, name))",
            args![id, email, email.map(email_key), profile.kept_name()],
        )
        .await?;
    if changed > 0 {
        announce_facts(tx, id, now);
    }
    Ok(())
}

/// Tells every node that what is known about a person changed.
pub(crate) fn announce_facts(tx: &mut Transaction, id: &UserId, now: Timestamp) {
    tx.announce(Announcement {
        topic: Topic::Facts,
        subject: id.to_string(),
        at: now,
    });
}

/// Somebody of an organization.
///
/// # Errors
/// [`StorageError`].
pub async fn find(
    connection: &mut Connection,
    organization: &OrganizationId,
    id: &UserId,
) -> Result<Option<User>, StorageError> {
    connection
        .fetch_optional(
            "SELECT id, organization, email, name, state, created_at FROM users
             WHERE organization = $1 AND id = $2",
            args![organization, id],
        )
        .await
}

/// Somebody of any organization; for deployment administrators.
///
/// # Errors
/// [`StorageError`].
pub async fn find_anywhere(
    connection: &mut Connection,
    id: &UserId,
) -> Result<Option<User>, StorageError> {
    connection
        .fetch_optional(
            "SELECT id, organization, email, name, state, created_at FROM users WHERE id = $1",
            args![id],
        )
        .await
}

/// Everybody of an organization with this address, in whatever case; at most a hundred.
///
/// # Errors
/// [`StorageError`].
pub async fn find_by_email(
    connection: &mut Connection,
    organization: &OrganizationId,
    email: &str,
) -> Result<Vec<User>, StorageError> {
    connection
        .fetch_all(
            "SELECT id, organization, email, name, state, created_at FROM users
             WHERE organization = $1 AND email_key = $2 ORDER BY created_at, id LIMIT 100",
            args![organization, email_key(email)],
        )
        .await
}

/// Everybody of an organization, the oldest first.
///
/// # Errors
/// [`StorageError`].
pub async fn list(
    connection: &mut Connection,
    organization: &OrganizationId,
    page: &Page<UserId>,
) -> Result<Vec<User>, StorageError> {
    connection
        .fetch_all(
            "SELECT id, organization, email, name, state, created_at FROM users
             WHERE organization = $1 AND ($2 IS NULL
                 OR (created_at, id) > (SELECT created_at, id FROM users WHERE id = $2))
             ORDER BY created_at, id LIMIT $3",
            args![organization, page.after.as_ref(), page.limit()],
        )
        .await
}
