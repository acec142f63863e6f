//! Sealing: secrets that we must send or sign with are stored encrypted under a key-encryption key.
//!
//! A sealed value opens only where it was put: organization, table, row, column and key version are
//! its associated data, so a value copied into another row is refused. Values that we only compare
//! are stored as hashes and never come here.

mod kek;
mod reseal;
mod sealer;

pub use kek::KeyEncryptionKey;
pub use reseal::reseal;
pub use sealer::{Context, Sealer};

/// Why a value could not be sealed or opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The text is not a key: `VERSION.KEY` with 32 bytes of base64url, or the key alone.
    #[error("the key-encryption key is not VERSION.KEY with a key of 32 bytes in base64url")]
    MalformedKey,
    /// The bytes are not a sealed value.
    #[error("the sealed value is malformed")]
    Malformed,
    /// The value was sealed under a key that is not configured.
    #[error(
        "the value is sealed under version {version} of the key-encryption key, which is not configured"
    )]
    UnknownVersion {
        /// Version of the key that is missing.
        version: u32,
    },
    /// The key does not open the value: another key, another place, or changed bytes.
    #[error("the sealed value does not open: it was changed, moved, or sealed under another key")]
    NotAuthentic,
}
