//! Tokens whose signature was verified already (design §4 rule 17).
//!
//! The key is the SHA-256 of the whole token, so that only the very same token is found. An entry
//! says that signature, type, issuer and audience were right; everything that can change while the
//! token lives is asked each time: time, keys, definitions and, by the caller, the revocation index.
//! The cache is never flushed to revoke.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use symbolon_protocol::digest::sha256;
use symbolon_protocol::time::Timestamp;

/// An entry that nobody asked for is forgotten after this long.
const IDLE: Duration = Duration::from_secs(600);

/// The SHA-256 of a whole token.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of a token.
    pub(crate) fn of(token: &str) -> Self {
        Self(sha256(token.as_bytes()))
    }
}

/// What a verification depended on; when it changes, the token is verified again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Epoch {
    /// The version of our own keys.
    OwnKeys(u64),
    /// The version of the definitions, which name the foreign issuer and its keys.
    Definitions(u64),
}

/// The versions of now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Epochs {
    /// Of our own keys.
    pub(crate) own_keys: u64,
    /// Of the definitions.
    pub(crate) definitions: u64,
}

impl Epochs {
    fn has(self, epoch: Epoch) -> bool {
        match epoch {
            Epoch::OwnKeys(version) => version == self.own_keys,
            Epoch::Definitions(version) => version == self.definitions,
        }
    }
}

struct Remembered<T> {
    token: Arc<T>,
    epoch: Epoch,
    until: Timestamp,
}

/// Verified tokens, at most as many as its capacity.
pub(crate) struct TokenCache<T>(Option<Cache<TokenDigest, Arc<Remembered<T>>, DigestHasher>>);

impl<T: Send + Sync + 'static> TokenCache<T> {
    /// A cache of at most `capacity` tokens; 0 turns it off.
    pub(crate) fn new(capacity: u64) -> Self {
        Self((capacity > 0).then(|| {
            Cache::builder()
                .max_capacity(capacity)
                .time_to_idle(IDLE)
                .build_with_hasher(DigestHasher::default())
        }))
    }

    /// The token of this digest, if its verification still stands.
    pub(crate) fn find(
        &self,
        digest: TokenDigest,
        epochs: Epochs,
        now: Timestamp,
    ) -> Option<Arc<T>> {
        let found = self.0.as_ref()?.get(&digest)?;
        (now < found.until && epochs.has(found.epoch)).then(|| Arc::clone(&found.token))
    }

    /// Remembers a token until `until`, which is not after its expiry.
    pub(crate) fn remember(
        &self,
        digest: TokenDigest,
        token: Arc<T>,
        epoch: Epoch,
        until: Timestamp,
    ) {
        if let Some(cache) = &self.0 {
            cache.insert(
                digest,
                Arc::new(Remembered {
                    token,
                    epoch,
                    until,
                }),
            );
        }
    }
}

type DigestHasher = BuildHasherDefault<FirstBytes>;

/// A digest is as good as a hash: its first bytes are taken.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length that precedes the bytes of an array says nothing.
    fn write_usize(&mut self, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_201_200);
    const EPOCHS: Epochs = Epochs {
        own_keys: 3,
        definitions: 7,
    };

    fn cache() -> TokenCache<&'static str> {
        let cache = TokenCache::new(10);
        let until = NOW.plus(Duration::from_secs(60));
        cache.remember(
            TokenDigest::of("own"),
            Arc::new("own"),
            Epoch::OwnKeys(3),
            until,
        );
        let foreign = Arc::new("foreign");
        cache.remember(
            TokenDigest::of("foreign"),
            foreign,
            Epoch::Definitions(7),
            until,
        );
        cache
    }

    fn find(epochs: Epochs, after: u64, token: &str) -> Option<&'static str> {
        let now = NOW.plus(Duration::from_secs(after));
        cache()
            .find(TokenDigest::of(token), epochs, now)
            .map(|token| *token)
    }

    #[test]
    fn only_the_very_same_token_is_found() {
        assert_eq!(find(EPOCHS, 0, "own"), Some("own"));
        assert_eq!(find(EPOCHS, 0, "foreign"), Some("foreign"));
        assert_eq!(find(EPOCHS, 0, "own "), None);
    }

    #[test]
    fn an_entry_never_outlives_its_token() {
        assert_eq!(find(EPOCHS, 59, "own"), Some("own"));
        assert_eq!(find(EPOCHS, 60, "own"), None);
    }

    #[test]
    fn changed_keys_and_definitions_end_what_they_were_used_for() {
        let keys = Epochs {
            own_keys: 4,
            ..EPOCHS
        };
        assert_eq!(
            (find(keys, 0, "own"), find(keys, 0, "foreign")),
            (None, Some("foreign"))
        );
        let rows = Epochs {
            definitions: 8,
            ..EPOCHS
        };
        assert_eq!(
            (find(rows, 0, "own"), find(rows, 0, "foreign")),
            (Some("own"), None)
        );
    }

    #[test]
    fn a_cache_without_capacity_remembers_nothing() {
        let cache = TokenCache::new(0);
        cache.remember(TokenDigest::of("a"), Arc::new("a"), Epoch::OwnKeys(3), NOW);
        assert!(cache.find(TokenDigest::of("a"), EPOCHS, NOW).is_none());
    }
}
