//! The least that signing and verifying an ES256 JWT can cost.

use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::now;

/// The `kid` of the bench's key.
pub const KID: &str = "bench";

/// The key of the bench: identity provider, client and floor are all the same.
pub struct Key {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

/// The claims that the floors look at.
#[derive(Deserialize)]
pub struct Claims {
    /// The subject.
    pub sub: String,
    /// When it ends.
    pub exp: u64,
    /// Its name.
    #[serde(default)]
    pub jti: String,
    /// The client it was issued to.
    pub client_id: Option<String>,
}

#[derive(Deserialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
}

impl Key {
    /// Makes a key and writes `key.pkcs8` and `jwks.json` into a folder.
    ///
    /// # Panics
    /// If the folder cannot be written.
    pub fn create(folder: &Path) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let pkcs8 = pair.to_pkcs8v1().expect("a key that can be written");
        let point = pair.public_key().as_ref();
        let (x, y) = (encode(&point[1..33]), encode(&point[33..65]));
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": KID, "x": x, "y": y,
        });
        std::fs::write(folder.join("key.pkcs8"), pkcs8.as_ref()).expect("a writable folder");
        let jwks = json!({ "keys": [jwk] }).to_string();
        std::fs::write(folder.join("jwks.json"), jwks).expect("a writable folder");
    }

    /// The key that [`Key::create`] wrote.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn load(folder: &Path) -> Self {
        let pkcs8 = std::fs::read(folder.join("key.pkcs8")).expect("`mint keys` comes first");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8);
        Self {
            pair: pair.expect("a key of ours"),
            random: SystemRandom::new(),
        }
    }

    /// Signs claims.
    ///
    /// # Panics
    /// Never: a loaded key signs.
    #[must_use]
    pub fn sign(&self, typ: &str, claims: &Value) -> String {
        let header = format!(r#"{{"alg":"ES256","kid":"{KID}","typ":"{typ}"}}"#);
        let message = format!("{}.{}", encode(header), encode(claims.to_string()));
        let signature = self.pair.sign(&self.random, message.as_bytes());
        format!("{message}.{}", encode(signature.expect("a signature")))
    }

    /// Verifies type-less: split, base64, header, signature, claims, expiry.
    #[must_use]
    pub fn verify(&self, token: &str) -> Option<Claims> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let header = decode(header)?;
        let header: Header<'_> = serde_json::from_slice(&header).ok()?;
        if header.alg != "ES256" || header.kid != KID {
            return None;
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key())
            .verify(message.as_bytes(), &decode(signature)?)
            .ok()?;
        let claims: Claims = serde_json::from_slice(&decode(payload)?).ok()?;
        (claims.exp > now()).then_some(claims)
    }
}

/// A name that was never used before.
///
/// # Panics
/// If the system has no randomness.
#[must_use]
pub fn fresh_id() -> String {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("randomness");
    encode(bytes)
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
