//! Checkpoints: signed statements of what a chain's hash was at a position.
//!
//! A statement is a JWT of type `audit-checkpoint+jwt` with the claims `deployment`, `organization`,
//! `position`, `hash` (base64url) and `iat`. Of each minute the last one is kept. Whoever rewrites a
//! chain must also forge the statements, for which the audit key would be needed.

use std::time::Duration;

use serde::Serialize;
use symbolon_protocol::digest::base64url;
use symbolon_protocol::jose::{JwkSet, SigningKey, UnverifiedJwt};
use symbolon_protocol::time::Timestamp;

use crate::engine::{Record, Row, args};
use crate::{Connection, StorageError, Transaction};

const TYPE: &str = "audit-checkpoint+jwt";

/// Of checkpoints that lie closer together only the last is kept.
const SPACING: Duration = Duration::from_secs(60);

/// What a checkpoint says.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Claims<'a> {
    pub(super) deployment: &'a str,
    pub(super) organization: &'a str,
    pub(super) position: i64,
    #[serde(serialize_with = "encoded")]
    pub(super) hash: &'a [u8; 32],
    #[serde(rename = "iat", serialize_with = "seconds")]
    pub(super) at: Timestamp,
}

fn encoded<S: serde::Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&base64url(hash))
}

fn seconds<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(at.unix_seconds())
}

/// A checkpoint as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// The position it speaks of.
    pub position: i64,
    /// When it was signed.
    pub at: Timestamp,
    /// The signed statement.
    pub statement: String,
}

impl Record for Checkpoint {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            position: row.get("position")?,
            at: row.get("at")?,
            statement: row.get("statement")?,
        })
    }
}

impl Checkpoint {
    /// Checks the signature and that the statement says exactly this.
    ///
    /// `hash` is what the chain has at the position.
    pub(super) fn agrees(&self, expected: &Claims<'_>, keys: &JwkSet) -> bool {
        let verified = UnverifiedJwt::parse(&self.statement).and_then(|jwt| jwt.verify(keys));
        let Ok(verified) = verified else {
            return false;
        };
        let claims = verified.claims();
        let position = claims.value("position").and_then(serde_json::Value::as_i64);
        verified.typ() == Some(TYPE)
            && claims.text("deployment") == Ok(expected.deployment)
            && claims.optional_text("organization") == Ok(Some(expected.organization))
            && claims.text("hash") == Ok(&base64url(expected.hash))
            && position == Some(expected.position)
    }
}

/// Signs and stores a checkpoint, which replaces those of the last minute.
pub(super) async fn insert(
    tx: &mut Transaction,
    claims: &Claims<'_>,
    key: &SigningKey,
) -> Result<(), StorageError> {
    let statement = key
        .sign(TYPE, claims)
        .map_err(|error| StorageError::corrupt("checkpoint", error))?;
    let minute = SPACING.as_micros() as i64;
    let start = claims.at.micros() - claims.at.micros().rem_euclid(minute);
    tx.execute(
        "DELETE FROM audit_checkpoint WHERE organization = $1 AND at >= $2 AND position < $3",
        args![claims.organization, start, claims.position],
    )
    .await?;
    tx.execute(
        "INSERT INTO audit_checkpoint (organization, position, at, statement)
         VALUES ($1, $2, $3, $4)",
        args![claims.organization, claims.position, claims.at, statement],
    )
    .await?;
    Ok(())
}

/// The checkpoints of a chain from a position on, in order.
pub(super) async fn list(
    connection: &mut Connection,
    organization: &str,
    from: i64,
) -> Result<Vec<Checkpoint>, StorageError> {
    connection
        .fetch_all(
            "SELECT position, at, statement FROM audit_checkpoint
             WHERE organization = $1 AND position >= $2 ORDER BY position",
            args![organization, from],
        )
        .await
}
