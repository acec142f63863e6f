//! Using a refresh token.

use symbolon_protocol::ids::ClientId;
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::secret::Secret;
use symbolon_protocol::time::Timestamp;

use super::{IDLE_LIFETIME, PresentedToken, RefreshFamily, Standing, columns, find_row};
use crate::engine::args;
use crate::{StorageError, Transaction, grant};

/// What became of a refresh token that was presented.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rotation {
    /// It was good.
    Rotated {
        /// The token that takes its place.
        successor: Secret,
        /// What it stands for.
        family: Box<RefreshFamily>,
        /// Whether this was the use that rotated it; otherwise it was a repetition within the
        /// overlap, with the same successor.
        is_first: bool,
    },
    /// It was used before. The family and its grant are revoked now; the caller audits that.
    Replayed {
        /// What it stood for.
        family: Box<RefreshFamily>,
    },
    /// It belongs to another client of this authorization server; nothing was changed (N-078).
    NotYours,
    /// There is no such family here, or it has ended.
    Unknown,
}

/// Uses a refresh token: of any number of callers on any number of nodes, exactly one rotates it.
///
/// `role` and `client` are the authorization server and the authenticated client.
///
/// # Errors
/// [`StorageError`]; the caller must then answer with a failure, never with tokens.
pub async fn rotate(
    tx: &mut Transaction,
    token: &PresentedToken,
    role: &IssuerRole,
    client: &ClientId,
    now: Timestamp,
) -> Result<Rotation, StorageError> {
    let rotated: Option<RefreshFamily> = tx
        .fetch_optional(
            concat!(
                "UPDATE refresh_family SET counter = counter + 1, rotated_at = $5,
                     idle_expires_at = CASE WHEN expires_at < $6 THEN expires_at ELSE $6 END
                 WHERE id = $1 AND counter = $2 AND role = $3 AND client_id = $4
                     AND revoked_at IS NULL AND expires_at > $5 AND idle_expires_at > $5
                 RETURNING ",
                columns!()
            ),
            args![
                &token.family,
                token.counter,
                role,
                client,
                now,
                now.plus(IDLE_LIFETIME)
            ],
        )
        .await?;
    match rotated {
        Some(family) => Ok(succeeded(token, family, true)),
        None => explain(tx, token, role, client, now).await,
    }
}

fn succeeded(token: &PresentedToken, family: RefreshFamily, is_first: bool) -> Rotation {
    Rotation::Rotated {
        successor: token.successor.clone(),
        family: Box::new(family),
        is_first,
    }
}

/// Why a token did not rotate its family, and what follows from that.
async fn explain(
    tx: &mut Transaction,
    token: &PresentedToken,
    role: &IssuerRole,
    client: &ClientId,
    now: Timestamp,
) -> Result<Rotation, StorageError> {
    let Some(family) = find_row(tx, token, role).await? else {
        return Ok(Rotation::Unknown);
    };
    if family.bound.client != *client {
        return Ok(Rotation::NotYours);
    }
    match family.standing(token.counter, now) {
        Standing::JustRotated => Ok(succeeded(token, family, false)),
        // Of several replays at once, the one that revokes tells.
        Standing::Used if grant::revoke(tx, &family.bound.grant, now).await? => {
            Ok(Rotation::Replayed {
                family: Box::new(family),
            })
        }
        Standing::Current | Standing::Used | Standing::Ended => Ok(Rotation::Unknown),
    }
}
