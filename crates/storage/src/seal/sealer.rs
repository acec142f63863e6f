//! AES-256-GCM with random nonces, bound to the place of the value.
//!
//! Layout of a sealed value: `01`, key version (4 bytes, big endian), nonce (12), ciphertext and tag.
//! Associated data: the ASCII text `symbolon sealed value 1`, then organization, table, row and
//! column, each with its length in bytes before it (4 bytes, big endian), then the key version.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

use super::{KeyEncryptionKey, SealError};

const FORMAT: u8 = 1;
const HEADER: usize = 1 + 4 + NONCE_LEN;
const LABEL: &[u8] = b"symbolon sealed value 1";

/// Where a sealed value lives. It opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The organization that owns the row; empty for the deployment.
    pub organization: &'a str,
    /// Name of the table.
    pub table: &'a str,
    /// Key of the row; a compound key is joined in a way that cannot be ambiguous.
    pub row: &'a str,
    /// Name of the column.
    pub column: &'a str,
}

impl Context<'_> {
    fn associated_data(&self, version: u32) -> Vec<u8> {
        let mut data = LABEL.to_vec();
        for part in [self.organization, self.table, self.row, self.column] {
            // The lengths keep ("ab", "c") and ("a", "bc") apart.
            data.extend((part.len() as u32).to_be_bytes());
            data.extend(part.as_bytes());
        }
        data.extend(version.to_be_bytes());
        data
    }
}

/// Seals under the current key-encryption key and opens under every configured one.
pub struct Sealer {
    current: u32,
    keys: BTreeMap<u32, RandomizedNonceKey>,
}

impl Sealer {
    /// A sealer with one key.
    pub fn new(key: &KeyEncryptionKey) -> Self {
        let sealer = Self {
            current: key.version(),
            keys: BTreeMap::new(),
        };
        sealer.also_opening(key)
    }

    /// Adds a key that only opens: an earlier version, until everything is resealed.
    #[must_use]
    pub fn also_opening(mut self, key: &KeyEncryptionKey) -> Self {
        let prepared = RandomizedNonceKey::new(&AES_256_GCM, key.bytes())
            .expect("a key of 32 bytes is a valid AES-256 key");
        self.keys.insert(key.version(), prepared);
        self
    }

    /// Encrypts a value for one place.
    pub fn seal(&self, context: Context<'_>, plaintext: &[u8]) -> Vec<u8> {
        let data = context.associated_data(self.current);
        let mut body = plaintext.to_vec();
        let (nonce, tag) = self.keys[&self.current]
            .seal_in_place_separate_tag(Aad::from(data), &mut body)
            .expect("AES-GCM refuses only messages of more than 64 GiB");
        let mut sealed = Vec::with_capacity(HEADER + body.len() + tag.as_ref().len());
        sealed.push(FORMAT);
        sealed.extend(self.current.to_be_bytes());
        sealed.extend(nonce.as_ref());
        sealed.extend(body);
        sealed.extend(tag.as_ref());
        sealed
    }

    /// Decrypts a value at its place.
    ///
    /// # Errors
    /// [`SealError`]; a value that does not open is never used in part.
    pub fn open(
        &self,
        context: Context<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let version = version_of(sealed)?;
        let key = self
            .keys
            .get(&version)
            .ok_or(SealError::UnknownVersion { version })?;
        let nonce = Nonce::try_assume_unique_for_key(&sealed[HEADER - NONCE_LEN..HEADER])
            .map_err(|_| SealError::Malformed)?;
        let mut body = Zeroizing::new(sealed[HEADER..].to_vec());
        let data = Aad::from(context.associated_data(version));
        let length = key
            .open_in_place(nonce, data, body.as_mut_slice())
            .map_err(|_| SealError::NotAuthentic)?
            .len();
        body.truncate(length);
        Ok(body)
    }

    /// Seals a value again under the current key; `None` when it already is.
    ///
    /// # Errors
    /// As [`Sealer::open`].
    pub fn reseal(
        &self,
        context: Context<'_>,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, SealError> {
        if version_of(sealed)? == self.current {
            return Ok(None);
        }
        Ok(Some(self.seal(context, &self.open(context, sealed)?)))
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Sealer")
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}

/// The key version a value was sealed under.
fn version_of(sealed: &[u8]) -> Result<u32, SealError> {
    match sealed {
        [FORMAT, a, b, c, d, ..] if sealed.len() >= HEADER => {
            Ok(u32::from_be_bytes([*a, *b, *c, *d]))
        }
        _ => Err(SealError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Context<'_> = Context {
        organization: "acme",
        table: "definition",
        row: "a",
        column: "sealed",
    };

    fn sealer() -> Sealer {
        Sealer::new(&KeyEncryptionKey::generate())
    }

    #[test]
    fn a_sealed_value_opens_where_it_was_put() {
        let sealer = sealer();
        let sealed = sealer.seal(HERE, b"client secret");
        assert_eq!(
            sealer.open(HERE, &sealed).unwrap().as_slice(),
            b"client secret"
        );
        assert!(!sealed.windows(6).any(|window| window == b"client"));
    }

    #[test]
    fn a_value_moved_to_another_place_does_not_open() {
        let sealer = sealer();
        let sealed = sealer.seal(HERE, b"secret");
        let elsewhere = [
            Context {
                organization: "other",
                ..HERE
            },
            Context {
                table: "signing_key",
                ..HERE
            },
            Context { row: "b", ..HERE },
            Context {
                column: "document",
                ..HERE
            },
            Context {
                organization: "acmed",
                table: "efinition",
                ..HERE
            },
        ];
        for context in elsewhere {
            assert_eq!(
                sealer.open(context, &sealed).unwrap_err(),
                SealError::NotAuthentic
            );
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let sealer = sealer();
        let sealed = sealer.seal(HERE, b"secret");
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(sealer.open(HERE, &changed).is_err(), "byte {position}");
        }
        for length in 0..sealed.len() {
            assert!(
                sealer.open(HERE, &sealed[..length]).is_err(),
                "length {length}"
            );
        }
    }

    #[test]
    fn another_key_of_the_same_version_does_not_open() {
        let sealed = sealer().seal(HERE, b"secret");
        assert_eq!(
            sealer().open(HERE, &sealed).unwrap_err(),
            SealError::NotAuthentic
        );
    }

    #[test]
    fn a_version_that_is_not_configured_is_named() {
        let first = KeyEncryptionKey::generate();
        let sealed = Sealer::new(&first.successor()).seal(HERE, b"secret");
        let error = Sealer::new(&first).open(HERE, &sealed).unwrap_err();
        assert_eq!(error, SealError::UnknownVersion { version: 2 });
    }

    #[test]
    fn resealing_moves_a_value_to_the_current_key() {
        let first = KeyEncryptionKey::generate();
        let second = first.successor();
        let sealed = Sealer::new(&first).seal(HERE, b"secret");
        let both = Sealer::new(&second).also_opening(&first);

        let resealed = both
            .reseal(HERE, &sealed)
            .unwrap()
            .expect("sealed under the first key");

        assert_eq!(both.reseal(HERE, &resealed).unwrap(), None);
        assert_eq!(
            Sealer::new(&second)
                .open(HERE, &resealed)
                .unwrap()
                .as_slice(),
            b"secret"
        );
    }
}
