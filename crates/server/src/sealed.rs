//! What travels through a browser and must come back unread and unchanged (design §4 rule 20).
//!
//! AES-256-GCM. Each message has a key of its own, derived from the deployment's cookie secret, the
//! purpose and 128 random bits: what was sealed for one purpose does not open for another, and the
//! number of messages is not limited by the length of a nonce.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use symbolon_protocol::digest::{base64url, from_base64url, hmac_sha256};
use symbolon_protocol::random;
use symbolon_protocol::secret::SecretBytes;

const SALT: usize = 16;
const NONCE: usize = 12;

/// What a message is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// A sign-in under way at an identity provider.
    SignIn,
    /// "This request has been through sign-in."
    Resume,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::SignIn => b"symbolon sealed sign-in v1",
            Self::Resume => b"symbolon sealed resume v1",
        }
    }
}

/// Encrypts a value; the text is base64url.
pub(crate) fn seal(secret: &SecretBytes, purpose: Purpose, value: &impl Serialize) -> String {
    let salt = random::bytes::<SALT>();
    let nonce = random::bytes::<NONCE>();
    let mut message = serde_json::to_vec(value).expect("our own types have string keys only");
    key(secret, purpose, &salt)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(purpose.label()),
            &mut message,
        )
        .expect("the message is far below the limit of the cipher");
    let mut sealed = Vec::with_capacity(SALT + NONCE + message.len());
    sealed.extend_from_slice(&salt);
    sealed.extend_from_slice(&nonce);
    sealed.append(&mut message);
    base64url(&sealed)
}

/// Decrypts a value that [`seal`] made for the same purpose; `None` for everything else.
pub(crate) fn open<T: DeserializeOwned>(
    secret: &SecretBytes,
    purpose: Purpose,
    text: &str,
) -> Option<T> {
    let mut sealed = from_base64url(text).ok()?;
    let (salt, rest) = sealed.split_at_mut_checked(SALT)?;
    let (nonce, message) = rest.split_at_mut_checked(NONCE)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let aad = Aad::from(purpose.label());
    let message = key(secret, purpose, salt)
        .open_in_place(nonce, aad, message)
        .ok()?;
    serde_json::from_slice(message).ok()
}

fn key(secret: &SecretBytes, purpose: Purpose, salt: &[u8]) -> LessSafeKey {
    let info = [purpose.label(), b"\0", salt].concat();
    let key = hmac_sha256(secret.expose(), &info);
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).expect("HMAC-SHA-256 gives 256 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SecretBytes {
        SecretBytes::new(*b"a cookie secret of a test, 32 by")
    }

    #[test]
    fn what_was_sealed_opens_again() {
        let text = seal(&secret(), Purpose::SignIn, &("ada", 7));
        let opened: Option<(String, u8)> = open(&secret(), Purpose::SignIn, &text);
        assert_eq!(opened, Some(("ada".to_owned(), 7)));
        assert_ne!(text, seal(&secret(), Purpose::SignIn, &("ada", 7)));
    }

    /// N-021, N-022: a planted or altered cookie is worth nothing.
    #[test]
    fn nothing_else_opens() {
        let text = seal(&secret(), Purpose::SignIn, &"ada");
        let open = |purpose, text: &str| open::<String>(&secret(), purpose, text);
        assert_eq!(open(Purpose::Resume, &text), None, "another purpose");
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(open(Purpose::SignIn, &other), None, "changed at {at}");
        }
        for short in ["", "AAAA", &text[..20], &text[..text.len() - 4]] {
            assert_eq!(open(Purpose::SignIn, short), None);
        }
        let other = SecretBytes::new(*b"another secret of a test, 32 byt");
        assert_eq!(super::open::<String>(&other, Purpose::SignIn, &text), None);
    }
}
