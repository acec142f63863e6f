//! An issuer with one key, and a way to change one claim of a token that is otherwise fine.

use std::sync::LazyLock;

use serde_json::{Value, json};
use symbolon_protocol::digest::base64url;
use symbolon_protocol::ids::KeyId;
use symbolon_protocol::jose::{Algorithm, JwkSet, SigningKey, UnverifiedJwt, VerifiedJwt};
use symbolon_protocol::time::Timestamp;

/// 2026-11-20T19:00:00Z.
pub(crate) const NOW: i64 = 1_795_201_200;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_seconds(NOW)
}

/// The issuer's key; RSA is slow to generate, so every test shares one of each kind.
pub(crate) fn key() -> &'static SigningKey {
    static KEY: LazyLock<SigningKey> = LazyLock::new(|| generate(Algorithm::Es256, "k1"));
    &KEY
}

pub(crate) fn rsa_key() -> &'static SigningKey {
    static KEY: LazyLock<SigningKey> = LazyLock::new(|| generate(Algorithm::Rs256, "rsa"));
    &KEY
}

pub(crate) fn generate(algorithm: Algorithm, kid: &str) -> SigningKey {
    let pkcs8 = SigningKey::generate(algorithm).unwrap();
    SigningKey::from_pkcs8(algorithm, KeyId::parse(kid).unwrap(), &pkcs8).unwrap()
}

pub(crate) fn set_of(keys: &[&SigningKey]) -> JwkSet {
    let keys: Vec<Value> = keys.iter().map(|key| key.public_jwk()).collect();
    JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

/// Signs and verifies, so that only the claims are left to judge.
pub(crate) fn verified(typ: &str, claims: &Value) -> VerifiedJwt {
    let token = key().sign(typ, claims).unwrap();
    UnverifiedJwt::parse(&token)
        .unwrap()
        .verify(&set_of(&[key()]))
        .unwrap()
}

/// `base` with members replaced; `null` removes one.
pub(crate) fn with(base: &Value, changes: Value) -> Value {
    let mut claims = base.clone();
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    claims
}

/// A token with any header, signed by nobody.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    format!("{}.{}.{}", part(header), part(claims), base64url(&[0; 64]))
}
