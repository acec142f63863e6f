//! The text of a refresh token: `sr_{family}.{counter}.{mac}`.
//!
//! The MAC is HMAC-SHA-256 over everything before it, under a secret of the deployment. A text that
//! we did not write is recognised without asking the database, and the successor of a token follows
//! from the token itself: whoever presents the same token twice gets the same successor twice.

use symbolon_protocol::digest::{base64url, constant_time_eq, from_base64url, hmac_sha256};
use symbolon_protocol::secret::{Secret, SecretBytes};

const PREFIX: &str = "sr_";

/// Longer texts than any of ours are not looked at.
const MAX_BYTES: usize = 160;

/// The deployment's secret from which refresh tokens are derived.
#[derive(Clone, Debug)]
pub struct RefreshSecret(SecretBytes);

impl RefreshSecret {
    /// Takes the deployment's secret of purpose `refresh`.
    #[must_use]
    pub fn new(secret: SecretBytes) -> Self {
        Self(secret)
    }

    /// Reads a token that a client presented; `None` for a text that we never wrote.
    #[must_use]
    pub fn read(&self, presented: &Secret) -> Option<PresentedToken> {
        let text = presented.expose();
        let (signed, mac) = text.rsplit_once('.').filter(|_| text.len() <= MAX_BYTES)?;
        // Compared before anything of it is read.
        let expected = hmac_sha256(self.0.expose(), signed.as_bytes());
        if !constant_time_eq(&from_base64url(mac).ok()?, &expected) {
            return None;
        }
        let (family, counter) = signed.strip_prefix(PREFIX)?.split_once('.')?;
        let counter: i64 = counter.parse().ok()?;
        let successor = self.write(family, counter.checked_add(1)?);
        Some(PresentedToken {
            family: family.to_owned(),
            counter,
            successor,
        })
    }

    /// The token of a family at a counter.
    pub(super) fn write(&self, family: &str, counter: i64) -> Secret {
        let signed = format!("{PREFIX}{family}.{counter}");
        let mac = base64url(&hmac_sha256(self.0.expose(), signed.as_bytes()));
        Secret::new(format!("{signed}.{mac}"))
    }
}

/// A refresh token that this deployment wrote; whether it is still good, the database knows.
#[derive(Clone, Debug)]
pub struct PresentedToken {
    pub(super) family: String,
    pub(super) counter: i64,
    pub(super) successor: Secret,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> RefreshSecret {
        RefreshSecret::new(SecretBytes::new([byte; 32]))
    }

    #[test]
    fn a_token_that_we_wrote_is_read_and_leads_to_its_successor() {
        let token = secret(1).read(&secret(1).write("family", 7)).unwrap();

        assert_eq!((token.family.as_str(), token.counter), ("family", 7));
        assert_eq!(token.successor, secret(1).write("family", 8));
    }

    #[test]
    fn a_text_that_we_did_not_write_is_refused() {
        let text = secret(1).write("family", 7).expose().to_owned();
        for other in [
            text.replace("family", "famile"),
            text.replace(".7.", ".8."),
            text.replace(".7.", ".07."),
            format!("{text}="),
            text[..text.len() - 1].to_owned(),
            secret(2).write("family", 7).expose().to_owned(),
            String::new(),
            ".".repeat(200),
        ] {
            assert!(
                secret(1).read(&Secret::new(other.as_str())).is_none(),
                "{other}"
            );
        }
    }
}
