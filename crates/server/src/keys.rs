//! The signing keys of every authorization server here, in memory.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::jose::{Algorithm, JwkSet, SigningKey};
use symbolon_protocol::time::Timestamp;
use symbolon_storage::signing_key::{self, KeyPurpose, KeyUse, StoredKey};

/// Keys by authorization server; replaced as a whole when one rotates.
#[derive(Debug, Default)]
pub struct KeyRing {
    roles: HashMap<String, RoleKeys>,
}

#[derive(Debug)]
struct RoleKeys {
    keys: Vec<StoredKey>,
    verification: Arc<JwkSet>,
}

impl KeyRing {
    /// Sorts keys as storage lists them.
    #[must_use]
    pub fn new(keys: Vec<StoredKey>) -> Self {
        let mut by_role: HashMap<String, Vec<StoredKey>> = HashMap::new();
        for key in keys {
            by_role.entry(key.usage.role.clone()).or_default().push(key);
        }
        let roles = by_role.into_iter().map(|(role, keys)| {
            let verification = Arc::new(JwkSet::from_keys(keys.iter().map(|key| key.key.jwk())));
            (role, RoleKeys { keys, verification })
        });
        Self {
            roles: roles.collect(),
        }
    }

    /// The key that signs now; `None` until one was created.
    #[must_use]
    pub fn signing(
        &self,
        role: &IssuerRole,
        purpose: KeyPurpose,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Option<&SigningKey> {
        let usage = KeyUse {
            role: role.to_string(),
            purpose,
            algorithm,
        };
        let keys = &self.roles.get(&usage.role)?.keys;
        signing_key::active(keys, &usage, now).map(|key| &key.key)
    }

    /// The JWK Set that the authorization server publishes.
    #[must_use]
    pub fn public_set(&self, role: &IssuerRole) -> Value {
        let keys = self.roles.get(&role.to_string());
        let keys = keys.into_iter().flat_map(|role| &role.keys);
        json!({ "keys": keys.map(|key| key.key.public_jwk()).collect::<Vec<_>>() })
    }

    /// The same keys, ready to verify.
    #[must_use]
    pub fn verification(&self, role: &IssuerRole) -> Arc<JwkSet> {
        let keys = self.roles.get(&role.to_string());
        keys.map_or_else(
            || Arc::new(JwkSet::from_keys([])),
            |role| role.verification.clone(),
        )
    }
}
