//! The one place of randomness.

use aws_lc_rs::rand;

use crate::digest::base64url;
use crate::secret::Secret;

/// Unpredictable bytes.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place of randomness")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system's random generator answers");
    bytes
}

/// A secret of 256 bits, 43 base64url characters.
#[must_use]
pub fn token() -> Secret {
    Secret::new(base64url(&bytes::<32>()))
}

/// A unique name of 128 bits, 22 base64url characters; not a secret.
#[must_use]
pub fn id() -> String {
    base64url(&bytes::<16>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_twice() {
        let (one, other) = (token(), token());
        assert_eq!(one.expose().len(), 43);
        assert!(one != other && id() != id() && id().len() == 22);
    }
}
