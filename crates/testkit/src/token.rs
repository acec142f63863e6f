//! Tokens of every kind, right by default and broken on purpose.

use std::time::Duration;

use serde_json::{Map, Value, json};
use symbolon_protocol::digest::{base64url, hmac_sha256};
use symbolon_protocol::random;
use symbolon_protocol::time::Timestamp;

use crate::Signer;

/// A JWT before it is signed. Every method changes one thing.
#[derive(Clone)]
#[must_use]
pub struct Token {
    signer: Signer,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Token {
    /// A token of type `typ` with these claims, signed by `signer`.
    pub fn new(signer: &Signer, typ: &str, claims: Value) -> Self {
        let header = json!({ "alg": "ES256", "typ": typ, "kid": signer.kid() });
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        Self {
            signer: signer.clone(),
            header: object(header),
            claims: object(claims),
        }
    }

    /// An ID-JAG of `issuer` about `subject`, made at `now` for two minutes (draft §3.1). The
    /// caller adds `aud`, `client_id`, `resource` and `scope`.
    pub fn id_jag(signer: &Signer, issuer: &str, subject: &str, now: Timestamp) -> Self {
        Self::lived(signer, "oauth-id-jag+jwt", now, 120)
            .with("iss", issuer)
            .with("sub", subject)
    }

    /// A client assertion for one authorization server, made at `now` for a minute (RFC 7523 §3).
    pub fn client_assertion(signer: &Signer, client: &str, audience: &str, now: Timestamp) -> Self {
        Self::lived(signer, "client-authentication+jwt", now, 60)
            .with("iss", client)
            .with("sub", client)
            .with("aud", audience)
    }

    /// An ID token of `issuer` about `subject` for a client, made at `now` for ten minutes.
    pub fn id_token(
        signer: &Signer,
        issuer: &str,
        subject: &str,
        client: &str,
        now: Timestamp,
    ) -> Self {
        Self::lived(signer, "JWT", now, 600)
            .with("iss", issuer)
            .with("sub", subject)
            .with("aud", client)
            .with("auth_time", now.unix_seconds())
    }

    fn lived(signer: &Signer, typ: &str, now: Timestamp, seconds: u64) -> Self {
        let exp = now.plus(Duration::from_secs(seconds)).unix_seconds();
        let claims = json!({ "jti": random::id(), "iat": now.unix_seconds(), "exp": exp });
        Self::new(signer, typ, claims)
    }

    /// Sets a claim.
    pub fn with(mut self, claim: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(claim.to_owned(), value.into());
        self
    }

    /// Removes a claim.
    pub fn without(mut self, claim: &str) -> Self {
        self.claims.remove(claim);
        self
    }

    /// Sets a member of the header.
    pub fn header(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.header.insert(member.to_owned(), value.into());
        self
    }

    /// Removes a member of the header.
    pub fn without_header(mut self, member: &str) -> Self {
        self.header.remove(member);
        self
    }

    /// Lets another key sign, under the name of the first one: a forgery.
    pub fn forged_by(mut self, signer: &Signer) -> Self {
        self.signer = signer.clone();
        self
    }

    /// The name of the token.
    #[must_use]
    pub fn jti(&self) -> String {
        self.claims
            .get("jti")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    /// The token, signed.
    #[must_use]
    pub fn sign(&self) -> String {
        self.signer
            .sign(&self.header.clone().into(), &self.claims.clone().into())
    }

    /// The token under `alg: none`, without a signature (RFC 8725 §2.1).
    #[must_use]
    pub fn unsigned(&self) -> String {
        format!("{}.", self.clone().header("alg", "none").message())
    }

    /// The token under `alg: HS256`, with bytes that everybody knows as the key (RFC 8725 §2.1).
    #[must_use]
    pub fn hs256(&self, key: &[u8]) -> String {
        let message = self.clone().header("alg", "HS256").message();
        let mac = base64url(&hmac_sha256(key, message.as_bytes()));
        format!("{message}.{mac}")
    }

    fn message(&self) -> String {
        let part =
            |map: &Map<String, Value>| base64url(Value::from(map.clone()).to_string().as_bytes());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}
