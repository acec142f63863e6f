//! What may be used once: an assertion's `jti`, the state of a sign-in (design §4 rule 4).
//!
//! Using is one statement: of any number of callers on any number of nodes, exactly one inserts the
//! row. Only a hash is kept, so neither length nor contents of what strangers send matter.

use symbolon_protocol::time::Timestamp;

use crate::engine::args;
use crate::row_key::row_key;
use crate::{StorageError, Transaction};

/// What is used once. The same value of two kinds is two things.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SingleUse {
    /// The `jti` of an ID-JAG; its scope is the issuer (AS-100).
    IdJag,
    /// The `jti` of a client assertion; its scope is issuer and client (AS-52).
    ClientAssertion,
    /// The `state` of a sign-in at an identity provider; its scope is the connection (AS-43).
    SignInState,
    /// The link that makes the first administrator.
    BootstrapLink,
}

impl SingleUse {
    fn as_str(self) -> &'static str {
        match self {
            Self::IdJag => "id_jag",
            Self::ClientAssertion => "client_assertion",
            Self::SignInState => "sign_in_state",
            Self::BootstrapLink => "bootstrap_link",
        }
    }
}

/// Uses a value up; `false` when somebody was first.
///
/// `expires_at` must not be earlier than the moment from which the value is refused for its age,
/// allowed clock difference included: afterwards it is forgotten.
///
/// # Errors
/// [`StorageError`]; the caller must then refuse the value.
pub async fn claim(
    tx: &mut Transaction,
    kind: SingleUse,
    scope: &str,
    value: &str,
    expires_at: Timestamp,
) -> Result<bool, StorageError> {
    let key = row_key(&[kind.as_str(), scope, value]);
    let inserted = tx
        .execute(
            "INSERT INTO single_use (key, expires_at) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
            args![key, expires_at],
        )
        .await?;
    Ok(inserted == 1)
}
