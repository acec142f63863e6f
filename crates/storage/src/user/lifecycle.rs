//! Disabling, enabling and deleting a person.
//!
//! Disabling and deleting end everything in the transaction that does it: sessions, grants, refresh
//! tokens and codes, and every node hears of it (AS-77, AS-195). Deleting also leaves a tombstone
//! for each linked identity, so that just-in-time provisioning cannot bring the person back
//! (design §4 rule 14).

use symbolon_protocol::ids::{OrganizationId, UserId};
use symbolon_protocol::time::Timestamp;

use super::User;
use crate::audit::By;
use crate::engine::args;
use crate::linked_identity::{self, TombstoneSecret};
use crate::revocation::{self, Subject};
use crate::{StorageError, Transaction};

/// An active person, who stays active until this transaction has ended.
///
/// Whoever inserts something that disabling must end calls this first: otherwise it could be
/// inserted just after everything was ended.
pub(crate) async fn hold(
    tx: &mut Transaction,
    organization: &OrganizationId,
    id: &UserId,
) -> Result<Option<User>, StorageError> {
    tx.fetch_held(
        "SELECT id, organization, email, name, state, created_at FROM users
         WHERE organization = $1 AND id = $2 AND state = 'active' FOR SHARE",
        args![organization, id],
    )
    .await
}

/// A person, active or not, to whom nobody can link or add anything until this transaction has ended.
async fn lock(
    tx: &mut Transaction,
    organization: &OrganizationId,
    id: &UserId,
) -> Result<Option<User>, StorageError> {
    tx.fetch_held(
        "SELECT id, organization, email, name, state, created_at FROM users
         WHERE organization = $1 AND id = $2 FOR UPDATE",
        args![organization, id],
    )
    .await
}

/// Disables a person and ends everything, with the audit event of the revocation; `false` when
/// there is no such active person.
///
/// # Errors
/// [`StorageError`].
pub async fn disable(
    tx: &mut Transaction,
    organization: &OrganizationId,
    id: &UserId,
    by: &By,
    now: Timestamp,
) -> Result<bool, StorageError> {
    if lock(tx, organization, id)
        .await?
        .is_none_or(|user| !user.is_active())
    {
        return Ok(false);
    }
    let sql = "UPDATE users SET state = 'disabled' WHERE id = $1";
    tx.execute(sql, args![id]).await?;
    revocation::revoke(tx, &Subject::User(id.clone()), "disabled", by, now).await?;
    Ok(true)
}

/// Lets a disabled person sign in again; what was ended stays ended.
///
/// # Errors
/// [`StorageError`].
pub async fn enable(
    tx: &mut Transaction,
    organization: &OrganizationId,
    id: &UserId,
) -> Result<bool, StorageError> {
    let changed = tx
        .execute(
            "UPDATE users SET state = 'active'
             WHERE organization = $1 AND id = $2 AND state = 'disabled'",
            args![organization, id],
        )
        .await?;
    Ok(changed > 0)
}

/// Deletes a person with everything, leaving a tombstone for each linked identity.
///
/// # Errors
/// [`StorageError`].
pub async fn delete(
    tx: &mut Transaction,
    organization: &OrganizationId,
    id: &UserId,
    secret: &TombstoneSecret,
    by: &By,
    now: Timestamp,
) -> Result<bool, StorageError> {
    if lock(tx, organization, id).await?.is_none() {
        return Ok(false);
    }
    revocation::revoke(tx, &Subject::User(id.clone()), "deleted", by, now).await?;
    linked_identity::bury_all_of(tx, id, secret, now).await?;
    tx.execute("DELETE FROM users WHERE id = $1", args![id])
        .await?;
    Ok(true)
}
