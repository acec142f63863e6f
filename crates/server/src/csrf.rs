//! Proof that a form was sent by the person it was shown to (AS-41, N-018).
//!
//! The token is a MAC over the form, a value that only this browser has (its session, or its visitor
//! cookie before sign-in) and what the form showed. A consent therefore counts for the request and
//! the scopes that were on the page and for nothing else.

use symbolon_protocol::digest::{base64url, constant_time_eq, from_base64url, hmac_sha256, sha256};
use symbolon_protocol::secret::SecretBytes;

/// Which form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// The choice of an organization or connection.
    SignIn,
    /// The answer to the consent page.
    Consent,
    /// Signing out.
    SignOut,
}

impl Form {
    fn label(self) -> &'static [u8] {
        match self {
            Self::SignIn => b"symbolon form sign-in v1",
            Self::Consent => b"symbolon form consent v1",
            Self::SignOut => b"symbolon form sign-out v1",
        }
    }
}

/// The token of a form shown to the browser that holds `browser`, about `subject`.
pub(crate) fn token(secret: &SecretBytes, form: Form, browser: &str, subject: &[u8]) -> String {
    base64url(&mac(secret, form, browser, subject))
}

/// Whether the presented token is that of the same form, browser and subject.
pub(crate) fn is_valid(
    secret: &SecretBytes,
    form: Form,
    browser: &str,
    subject: &[u8],
    presented: &str,
) -> bool {
    let presented = from_base64url(presented).unwrap_or_default();
    constant_time_eq(&mac(secret, form, browser, subject), &presented)
}

fn mac(secret: &SecretBytes, form: Form, browser: &str, subject: &[u8]) -> [u8; 32] {
    // Hashed first: parts of fixed length cannot run into each other.
    let browser = sha256(browser.as_bytes());
    let subject = sha256(subject);
    hmac_sha256(
        secret.expose(),
        &[form.label(), &browser, &subject].concat(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SecretBytes {
        SecretBytes::new(*b"a cookie secret of a test, 32 by")
    }

    /// N-018.
    #[test]
    fn a_token_counts_for_one_form_browser_and_subject() {
        let token = token(&secret(), Form::Consent, "ada", b"issues:read");
        let is_valid =
            |form, browser, subject, token| is_valid(&secret(), form, browser, subject, token);
        assert!(is_valid(Form::Consent, "ada", b"issues:read", &token));
        assert!(!is_valid(Form::SignOut, "ada", b"issues:read", &token));
        assert!(!is_valid(Form::Consent, "eve", b"issues:read", &token));
        assert!(!is_valid(Form::Consent, "ada", b"issues:write", &token));
        assert!(!is_valid(Form::Consent, "ada", b"issues:read", ""));
        assert!(!is_valid(Form::Consent, "ada", b"issues:read", &token[1..]));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let token = token(&secret(), Form::Consent, "ab", b"c");
        assert!(!is_valid(&secret(), Form::Consent, "a", b"bc", &token));
    }
}
