//! Finding and listing grants.

use symbolon_protocol::ids::{ClientId, GrantId, OrganizationId, UserId};

use super::Grant;
use crate::engine::args;
use crate::page::Page;
use crate::{Connection, StorageError};

/// Which grants are wanted; `None` does not restrict.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GrantFilter {
    /// Of one organization; `None` is for deployment administrators.
    pub organization: Option<OrganizationId>,
    /// Of one person.
    pub user: Option<UserId>,
    /// Used by one client.
    pub client: Option<ClientId>,
    /// Leave out the revoked ones.
    pub live_only: bool,
}

/// Reads a grant. A refresh does not touch the grant; its family says when that was.
macro_rules! select {
    ($($condition:literal),+) => {
        concat!(
            "SELECT id, role, organization, user_id, client_id, resource, origin, scopes,
                 session_id, created_at, revoked_at,
                 CASE WHEN last_used_at > coalesce(refreshed_at, 0)
                     THEN last_used_at ELSE refreshed_at END AS last_used_at
             FROM (SELECT grants.*, (SELECT max(rotated_at) FROM refresh_family
                     WHERE refresh_family.grant_id = grants.id) AS refreshed_at
                 FROM grants WHERE ",
            $($condition),+,
            ") AS used "
        )
    };
}

/// Lists grants, the newest first, after an indexed condition.
macro_rules! page {
    ($first:literal) => {
        select!(
            $first,
            " AND ($1 IS NULL OR organization = $1) AND ($2 IS NULL OR user_id = $2)
              AND ($3 IS NULL OR client_id = $3) AND (NOT $4 OR revoked_at IS NULL)
              AND ($5 IS NULL
                  OR (created_at, id) < (SELECT created_at, id FROM grants WHERE id = $5))
              ORDER BY created_at DESC, id DESC LIMIT $6"
        )
    };
}

const LIST_OF_USER: &str = page!("user_id = $2");
const LIST_OF_CLIENT: &str = page!("client_id = $3");
const LIST_OF_ORGANIZATION: &str = page!("organization = $1");
const LIST_ALL: &str = page!("TRUE");

/// A grant, live or not.
///
/// # Errors
/// [`StorageError`].
pub async fn find(
    connection: &mut Connection,
    id: &GrantId,
) -> Result<Option<Grant>, StorageError> {
    connection
        .fetch_optional(select!("id = $1"), args![id])
        .await
}

/// The grants that pass the filter, the newest first.
///
/// # Errors
/// [`StorageError`].
pub async fn list(
    connection: &mut Connection,
    filter: &GrantFilter,
    page: &Page<GrantId>,
) -> Result<Vec<Grant>, StorageError> {
    let sql = match filter {
        GrantFilter { user: Some(_), .. } => LIST_OF_USER,
        GrantFilter {
            client: Some(_), ..
        } => LIST_OF_CLIENT,
        GrantFilter {
            organization: Some(_),
            ..
        } => LIST_OF_ORGANIZATION,
        _ => LIST_ALL,
    };
    let arguments = args![
        filter.organization.as_ref(),
        filter.user.as_ref(),
        filter.client.as_ref(),
        filter.live_only,
        page.after.as_ref(),
        page.limit(),
    ];
    let mut grants: Vec<Grant> = connection.fetch_all(sql, arguments).await?;
    grants.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    Ok(grants)
}
