//! The deployment as one row: its identity, its epoch, and proof of the right key-encryption key.
//!
//! The epoch is raised when a backup is restored: what was handed out before (sessions, tokens,
//! links) is dead then. Creating the key is the business of `init` and `demo`; here it is only
//! checked (design §4 rule 19).

use symbolon_protocol::random;

use crate::engine::{Record, Row, args};
use crate::seal::{Context, SealError};
use crate::{Connection, StorageError, Transaction};

const CHECK: Context<'_> = Context {
    organization: "",
    table: "instance",
    row: "1",
    column: "kek_check",
};
const CHECK_VALUE: &[u8] = b"this key opens this database";

/// Which deployment a database belongs to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Instance {
    /// A random name that never changes; audit chains begin with it.
    pub id: String,
    /// How often a backup was restored, from 1.
    pub epoch: i64,
}

impl Record for Instance {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            epoch: row.get("epoch")?,
        })
    }
}

/// Which deployment this database belongs to.
///
/// # Errors
/// [`StorageError`].
pub async fn load(connection: &mut Connection) -> Result<Instance, StorageError> {
    connection
        .fetch_one("SELECT id, epoch FROM instance WHERE one = 1", args![])
        .await
}

struct Check(Vec<u8>);

impl Record for Check {
    fn read(row: &Row) -> Result<Self, StorageError> {
        row.get("kek_check").map(Self)
    }
}

/// Writes the row of a new database, or checks that the sealer is the one of this database.
///
/// # Errors
/// [`StorageError::WrongKey`].
pub(crate) async fn ensure(tx: &mut Transaction) -> Result<(), StorageError> {
    let sealed = tx.sealer().seal(CHECK, CHECK_VALUE);
    tx.execute(
        "INSERT INTO instance (one, id, epoch, kek_check) VALUES (1, $1, 1, $2)
         ON CONFLICT (one) DO NOTHING",
        args![random::id(), sealed],
    )
    .await?;
    let stored = check_value(tx).await?;
    match tx.sealer().open(CHECK, &stored) {
        Ok(value) if value.as_slice() == CHECK_VALUE => Ok(()),
        Err(SealError::Malformed) => Err(StorageError::corrupt("kek_check", SealError::Malformed)),
        _ => Err(StorageError::WrongKey),
    }
}

/// Seals the proof under the current key.
pub(crate) async fn reseal(tx: &mut Transaction) -> Result<u64, StorageError> {
    let stored = check_value(tx).await?;
    match tx.sealer().reseal(CHECK, &stored)? {
        Some(sealed) => {
            tx.execute(
                "UPDATE instance SET kek_check = $1 WHERE one = 1",
                args![sealed],
            )
            .await
        }
        None => Ok(0),
    }
}

async fn check_value(connection: &mut Connection) -> Result<Vec<u8>, StorageError> {
    let Check(stored) = connection
        .fetch_one("SELECT kek_check FROM instance WHERE one = 1", args![])
        .await?;
    Ok(stored)
}
