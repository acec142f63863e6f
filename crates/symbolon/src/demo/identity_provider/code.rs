//! Authorization codes: kept for a minute, given out once.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use symbolon_protocol::{
    digest, ids::ClientId, pkce::CodeChallenge, random, scope::ScopeSet, secret::Secret,
    time::Timestamp,
};

use super::session::Session;

const LIFETIME: Duration = Duration::from_secs(60);
const REMEMBERED: usize = 1_000;

/// What a code stands for.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) client: ClientId,
    pub(super) redirect_uri: String,
    pub(super) challenge: CodeChallenge,
    pub(super) scope: ScopeSet,
    pub(super) nonce: Option<String>,
    pub(super) session: Session,
    pub(super) issued_at: Timestamp,
}

/// The codes that nobody has redeemed yet, by their hash.
#[derive(Default)]
pub(super) struct Codes(Mutex<HashMap<[u8; 32], Code>>);

impl Codes {
    /// Issues a code.
    pub(super) fn insert(&self, code: Code) -> Secret {
        let now = code.issued_at;
        let token = random::token();
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, code| now.since(code.issued_at) < LIFETIME);
        if codes.len() >= REMEMBERED {
            codes.clear();
        }
        codes.insert(digest::sha256(token.expose().as_bytes()), code);
        token
    }

    /// Takes a code out: whoever presents it, and rightly or not, it is gone.
    pub(super) fn redeem(&self, token: &Secret, now: Timestamp) -> Option<Code> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let code = codes.remove(&digest::sha256(token.expose().as_bytes()))?;
        (now.since(code.issued_at) < LIFETIME).then_some(code)
    }
}
