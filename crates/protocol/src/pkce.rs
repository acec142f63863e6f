//! Proof Key for Code Exchange ([RFC 7636]).
//!
//! **Deviation:** the `plain` method is refused, although §4.2 permits it (OAuth 2.1 §7.5.2).
//!
//! [RFC 7636]: https://www.rfc-editor.org/rfc/rfc7636

use crate::digest::{base64url, constant_time_eq, from_base64url, sha256};
use crate::random;
use crate::secret::Secret;

/// The one `code_challenge_method` that exists here.
pub const METHOD: &str = "S256";

/// The transformed secret a client sends to the authorization endpoint.
///
/// Always 32 bytes: the SHA-256 of the verifier, base64url on the wire (43 characters, no padding).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CodeChallenge([u8; 32]);

/// The secret itself, 43 to 128 unreserved characters.
#[derive(Clone, Debug)]
pub struct CodeVerifier(Secret);

/// Why a challenge or verifier is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PkceError {
    /// Not of the form that RFC 7636 §4.1 and §4.2 prescribe.
    #[error("not 43 to 128 unreserved characters, or not a base64url SHA-256")]
    Malformed,
    /// The verifier does not belong to the challenge.
    #[error("the code verifier does not belong to the code challenge")]
    Mismatch,
}

impl CodeChallenge {
    /// Reads the `code_challenge` parameter of method [`METHOD`].
    ///
    /// # Errors
    /// [`PkceError::Malformed`] unless the text is base64url of exactly 32 bytes (N-009).
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        let bytes = from_base64url(text).map_err(|_| PkceError::Malformed)?;
        Ok(Self(bytes.try_into().map_err(|_| PkceError::Malformed)?))
    }

    /// The form on the wire.
    #[must_use]
    pub fn to_text(&self) -> String {
        base64url(&self.0)
    }

    /// Checks that `verifier` produced this challenge (RFC 7636 §4.6), in constant time.
    ///
    /// # Errors
    /// [`PkceError::Mismatch`]; the authorization code must then be treated as stolen.
    pub fn verify(&self, verifier: &CodeVerifier) -> Result<(), PkceError> {
        if constant_time_eq(&verifier.challenge().0, &self.0) {
            Ok(())
        } else {
            Err(PkceError::Mismatch)
        }
    }
}

impl CodeVerifier {
    /// Draws a new verifier of 256 bit, for our own sign-in at an identity provider.
    #[must_use]
    pub fn generate() -> Self {
        Self(random::token())
    }

    /// Reads the `code_verifier` parameter.
    ///
    /// # Errors
    /// [`PkceError::Malformed`] unless it has 43 to 128 unreserved characters.
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved) {
            Ok(Self(Secret::new(text)))
        } else {
            Err(PkceError::Malformed)
        }
    }

    /// The challenge of this verifier.
    #[must_use]
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(sha256(self.0.expose().as_bytes()))
    }

    /// The text, for the token request of our own sign-in.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_vector_of_rfc_7636_appendix_b_holds() {
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        let challenge =
            CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert_eq!(verifier.challenge(), challenge);
        assert_eq!(challenge.verify(&verifier), Ok(()));
    }

    /// The sign-in of requirements §6.5.
    #[test]
    fn the_worked_example_holds() {
        let verifier = CodeVerifier::parse("vq0L2mZ8yT4rXk7aWc9Dn3HsJf6GpUeB1QxRiYoKtNM").unwrap();
        let challenge = verifier.challenge();
        assert_eq!(
            challenge.to_text(),
            "5ZsKhopJWYh0ldFmcZw3yg0d91R2ukRXRfGGncNxqA4"
        );
    }

    /// N-074.
    #[test]
    fn another_verifier_does_not_fit() {
        let challenge = CodeVerifier::generate().challenge();
        assert_eq!(
            challenge.verify(&CodeVerifier::generate()),
            Err(PkceError::Mismatch)
        );
    }

    /// N-009.
    #[test]
    fn a_challenge_is_43_characters_of_base64url() {
        let good = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        for bad in [
            "",
            &good[1..],
            &format!("{good}="),
            &format!("{good}A"),
            &good.replace('-', "+"),
            // The last character carries bits that do not belong to the hash.
            &format!("{}N", &good[..42]),
        ] {
            assert_eq!(
                CodeChallenge::parse(bad),
                Err(PkceError::Malformed),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        assert!(CodeVerifier::parse(&"a".repeat(42)).is_err());
        assert!(CodeVerifier::parse(&"~".repeat(128)).is_ok());
        assert!(CodeVerifier::parse(&"a".repeat(129)).is_err());
        assert!(CodeVerifier::parse(&"+".repeat(43)).is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC*") {
            let _ = CodeChallenge::parse(&text);
            let _ = CodeVerifier::parse(&text);
        }
    }
}
