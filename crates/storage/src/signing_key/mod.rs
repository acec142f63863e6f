//! Signing keys, per authorization server and purpose, sealed (design §8 and §4 rule 19).
//!
//! A key is published before it is used and kept until the last token under it has expired:
//! `published_at` ≤ `active_from` < `retired_at` < `forget_after`. The key that signs at a time is
//! the youngest that is active then.

mod rotate;
mod stored;
#[cfg(test)]
mod tests;

use symbolon_protocol::jose::Algorithm;

pub use rotate::{Rotation, ensure, forget, rotate};
pub(crate) use stored::context;
pub use stored::{StoredKey, active, list, public_jwks};

/// Name of the owner of keys that belong to no authorization server: the audit trail's.
pub const DEPLOYMENT: &str = "deployment";

/// What a key signs; never anything else.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum KeyPurpose {
    /// Access tokens.
    Token,
    /// ID-JAGs.
    IdJag,
    /// ID tokens.
    IdToken,
    /// Checkpoints of the audit trail.
    Audit,
    /// What the gateway tells an upstream about the caller.
    IdentityHeader,
}

impl KeyPurpose {
    /// Every purpose.
    pub const ALL: [Self; 5] = [
        Self::Token,
        Self::IdJag,
        Self::IdToken,
        Self::Audit,
        Self::IdentityHeader,
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::IdJag => "id_jag",
            Self::IdToken => "id_token",
            Self::Audit => "audit",
            Self::IdentityHeader => "identity_header",
        }
    }
}

/// Which keys are meant: those of one owner, for one purpose, with one algorithm.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyUse {
    /// `as`, `idp/{organization}` or [`DEPLOYMENT`].
    pub role: String,
    /// What they sign.
    pub purpose: KeyPurpose,
    /// With which algorithm.
    pub algorithm: Algorithm,
}
