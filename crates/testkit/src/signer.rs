//! A foreign party that signs: an identity provider, a client, an attacker.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use symbolon_protocol::digest::base64url;
use symbolon_protocol::ids::KeyId;
use symbolon_protocol::jose::{Algorithm, SigningKey};

/// An ES256 key that signs under any header; cloning is cheap.
#[derive(Clone)]
pub struct Signer(Arc<Key>);

struct Key {
    public: SigningKey,
    pair: EcdsaKeyPair,
}

impl Signer {
    /// A new key with a new name.
    ///
    /// # Panics
    /// When the system cannot make a key.
    #[must_use]
    pub fn generate() -> Self {
        let pkcs8 = SigningKey::generate(Algorithm::Es256).expect("the system makes keys");
        let public = SigningKey::from_pkcs8(Algorithm::Es256, KeyId::generate(), &pkcs8);
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8);
        Self(Arc::new(Key {
            public: public.expect("the key was made a line above"),
            pair: pair.expect("the key was made a line above"),
        }))
    }

    /// The key's name.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.0.public.kid().as_str()
    }

    /// The public part with `kid`, `alg` and `use`.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        self.0.public.public_jwk()
    }

    /// The public part as a JWK set.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.public_jwk()] })
    }

    /// Signs a header and claims as they are, in compact form.
    ///
    /// # Panics
    /// When the signature cannot be made.
    #[must_use]
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_raw(&header.to_string(), &claims.to_string())
    }

    /// Signs texts that need not even be JSON.
    ///
    /// # Panics
    /// When the signature cannot be made.
    #[must_use]
    pub fn sign_raw(&self, header: &str, claims: &str) -> String {
        let part = |text: &str| base64url(text.as_bytes());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = self.0.pair.sign(&SystemRandom::new(), message.as_bytes());
        let signature = signature.expect("an ECDSA key signs any message");
        format!("{message}.{}", base64url(signature.as_ref()))
    }
}
