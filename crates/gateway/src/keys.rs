//! Our own keys as the gateway needs them: public ones to verify access tokens, and the private one
//! that signs what upstreams are told about the caller.

use symbolon_protocol::jose::{Jwk, JwkSet, SigningKey};
use symbolon_protocol::time::Timestamp;
use symbolon_storage::signing_key::{KeyPurpose, StoredKey};

/// The owner of the keys: the authorization server whose tokens the gateway accepts.
const ROLE: &str = "as";

/// Our keys at one version. Built whole and replaced whole when keys change.
#[derive(Default)]
pub struct GatewayKeys {
    version: u64,
    tokens: JwkSet,
    identity: Vec<StoredKey>,
}

impl GatewayKeys {
    /// Takes what the gateway needs from all keys of the deployment.
    ///
    /// `version` must be another one whenever the keys are: remembered tokens are verified again.
    #[must_use]
    pub fn new(version: u64, keys: Vec<StoredKey>) -> Self {
        let own = keys.into_iter().filter(|key| key.usage.role == ROLE);
        let (tokens, others): (Vec<_>, Vec<_>) =
            own.partition(|key| key.usage.purpose == KeyPurpose::Token);
        let tokens: Vec<&Jwk> = tokens.iter().map(|stored| stored.key.jwk()).collect();
        let identity = others.into_iter();
        Self {
            version,
            tokens: JwkSet::from_keys(tokens),
            identity: identity
                .filter(|key| key.usage.purpose == KeyPurpose::IdentityHeader)
                .collect(),
        }
    }

    /// The version of these keys.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The keys that access tokens are signed with.
    pub(crate) fn tokens(&self) -> &JwkSet {
        &self.tokens
    }

    /// The key that signs identity headers now: the youngest that is active.
    pub(crate) fn identity(&self, now: Timestamp) -> Option<&SigningKey> {
        let active = self.identity.iter().filter(|stored| stored.is_active(now));
        active
            .max_by_key(|stored| stored.active_from)
            .map(|stored| &stored.key)
    }
}
