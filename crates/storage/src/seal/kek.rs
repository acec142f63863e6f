//! The key-encryption key: 32 bytes and a version, written as `VERSION.BASE64URL`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::SealError;

/// The key that seals every other secret of a deployment. It never enters the database.
pub struct KeyEncryptionKey {
    version: u32,
    bytes: Zeroizing<[u8; 32]>,
}

impl KeyEncryptionKey {
    /// A new random key of version 1; for `init` and `demo` only (design §4 rule 19).
    pub fn generate() -> Self {
        Self {
            version: 1,
            bytes: Zeroizing::new(symbolon_protocol::random::bytes()),
        }
    }

    /// A new random key that follows this one; the old one stays needed until everything is resealed.
    pub fn successor(&self) -> Self {
        Self {
            version: self.version + 1,
            ..Self::generate()
        }
    }

    /// Reads `VERSION.KEY`, or a key alone as version 1; base64 of either alphabet, padded or not.
    ///
    /// # Errors
    /// [`SealError::MalformedKey`].
    pub fn from_base64(text: &str) -> Result<Self, SealError> {
        let (version, key) = match text.trim().split_once('.') {
            Some((version, key)) => (version.parse().map_err(|_| SealError::MalformedKey)?, key),
            None => (1, text.trim()),
        };
        let key = key.trim_end_matches('=');
        let bytes = URL_SAFE_NO_PAD
            .decode(key)
            .or_else(|_| STANDARD_NO_PAD.decode(key));
        let bytes = Zeroizing::new(bytes.map_err(|_| SealError::MalformedKey)?);
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| SealError::MalformedKey)?;
        Ok(Self {
            version,
            bytes: Zeroizing::new(bytes),
        })
    }

    /// The text for the key file; keep it as secret as the key.
    pub fn to_text(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.bytes.as_slice()));
        Zeroizing::new(format!("{}.{}", self.version, key.as_str()))
    }

    /// The version that values sealed under this key carry.
    pub fn version(&self) -> u32 {
        self.version
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl std::fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "KeyEncryptionKey({}, …)", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_text_form() {
        let key = KeyEncryptionKey::generate().successor();
        let again = KeyEncryptionKey::from_base64(&key.to_text()).unwrap();
        assert_eq!((again.version(), again.bytes()), (2, key.bytes()));
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        for text in ["", "1.", "x.AAAA", "1.AAAA", "AAAA", "1.2.3"] {
            let error = KeyEncryptionKey::from_base64(text).unwrap_err();
            assert_eq!(error, SealError::MalformedKey, "{text}");
        }
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let key = KeyEncryptionKey::from_base64(&format!("7.{}", "A".repeat(43))).unwrap();
        assert_eq!(format!("{key:?}"), "KeyEncryptionKey(7, …)");
    }
}
