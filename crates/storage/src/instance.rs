//! The deployment as one row: its identity, its epoch, and proof of the right key-encryption key.
//!
//! The epoch is raised when a backup is restored: what was handed out before (sessions, tokens,
//! links) is dead then. Creating the key is the business of `init` and `demo`; here it is only
//! checked (design §4 rule 19).

use crate::engine::{Record, Row, args};
use crate::seal::{Context, SealError};
use crate::{StorageError, Transaction};

const CHECK: Context<'_> = Context {
    organization: "",
    table: "instance",
    row: "1",
    column: "kek_check",
};
const CHECK_VALUE: &[u8] = b"this key opens this database";

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
    let check = tx.sealer().seal(CHECK, CHECK_VALUE);
    tx.execute(
        "INSERT INTO instance (one, id, epoch, kek_check) VALUES (1, $1, 1, $2)
         ON CONFLICT (one) DO NOTHING",
        args![symbolon_protocol::random::id(), check],
    )
    .await?;
    let Check(stored) = tx
        .fetch_one("SELECT kek_check FROM instance", args![])
        .await?;
    match tx.sealer().open(CHECK, &stored) {
        Ok(value) if value.as_slice() == CHECK_VALUE => Ok(()),
        Err(SealError::Malformed) => Err(StorageError::corrupt("kek_check", SealError::Malformed)),
        _ => Err(StorageError::WrongKey),
    }
}
