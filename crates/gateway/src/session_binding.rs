//! Session ids of legacy MCP servers, bound to the caller (requirements RS-80, RS-81).
//!
//! The client never sees the upstream's `Mcp-Session-Id`. It gets the id sealed with AES-256-GCM
//! under a key of the deployment; server, user and client are the associated data. A sealed id that
//! is guessed, or presented by another user, through another client or at another server, does not
//! open. Nothing is stored, so every node opens what any node sealed.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use symbolon_protocol::digest::{base64url, from_base64url, hmac_sha256};
use symbolon_protocol::ids::ServerId;
use symbolon_protocol::random;
use symbolon_protocol::secret::SecretBytes;

/// Longest upstream session id that is sealed, in bytes.
const MAX_UPSTREAM: usize = 1024;
/// Longest sealed id that is opened, in characters.
const MAX_SEALED: usize = 1536;
/// What the deployment's secret becomes the key for.
const PURPOSE: &[u8] = b"symbolon mcp session binding, aes-256-gcm, 1";

/// To whom a session belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionOwner<'a> {
    /// The MCP server.
    pub(crate) server: &'a ServerId,
    /// `sub` of the access token.
    pub(crate) subject: &'a str,
    /// `client_id` of the access token.
    pub(crate) client: &'a str,
}

/// An upstream assigned a session id that is no session id (not visible ASCII, or too long).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the session id is not 1 to {MAX_UPSTREAM} visible ASCII characters")]
pub(crate) struct MalformedSessionId;

/// Seals and opens session ids.
pub(crate) struct SessionBinding(LessSafeKey);

impl SessionBinding {
    /// Derives the key from the deployment's `session_binding` secret.
    pub(crate) fn new(secret: &SecretBytes) -> Self {
        let key = hmac_sha256(secret.expose(), PURPOSE);
        let key = UnboundKey::new(&AES_256_GCM, &key).expect("the key has 256 bits");
        Self(LessSafeKey::new(key))
    }

    /// The session id to show to the client: visible ASCII, different each time.
    ///
    /// # Errors
    /// [`MalformedSessionId`]: the upstream broke the protocol.
    pub(crate) fn seal(
        &self,
        upstream: &str,
        owner: SessionOwner<'_>,
    ) -> Result<String, MalformedSessionId> {
        if !(1..=MAX_UPSTREAM).contains(&upstream.len()) || !is_visible(upstream.as_bytes()) {
            return Err(MalformedSessionId);
        }
        let nonce: [u8; NONCE_LEN] = random::bytes();
        let mut text = upstream.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(nonce_of(nonce), associated(owner), &mut text)
            .expect("the text is far below the limit of AES-GCM");
        Ok(base64url(&[nonce.as_slice(), &text].concat()))
    }

    /// The upstream's session id, if `presented` was sealed for this owner.
    pub(crate) fn open(&self, presented: &str, owner: SessionOwner<'_>) -> Option<String> {
        if presented.len() > MAX_SEALED {
            return None;
        }
        let mut bytes = from_base64url(presented).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk_mut::<NONCE_LEN>()?;
        let opened = self
            .0
            .open_in_place(nonce_of(*nonce), associated(owner), sealed)
            .ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}

fn nonce_of(bytes: [u8; NONCE_LEN]) -> Nonce {
    Nonce::assume_unique_for_key(bytes)
}

/// NUL cannot occur in any of the three, so no two owners share associated data.
fn associated(owner: SessionOwner<'_>) -> Aad<Vec<u8>> {
    let SessionOwner {
        server,
        subject,
        client,
    } = owner;
    Aad::from(format!("{server}\0{subject}\0{client}").into_bytes())
}

fn is_visible(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(key: u8) -> SessionBinding {
        SessionBinding::new(&SecretBytes::new([key; 32]))
    }

    fn server(id: &str) -> ServerId {
        ServerId::parse(id).unwrap()
    }

    /// RS-80, RS-81, N-219.
    #[test]
    fn a_session_id_opens_for_its_owner_only() {
        let tracker = server("tracker");
        let wiki = server("wiki");
        let ada = SessionOwner {
            server: &tracker,
            subject: "ada",
            client: "desk",
        };
        let sealed = binding(1).seal("upstream-1", ada).unwrap();

        assert_eq!(binding(1).open(&sealed, ada).as_deref(), Some("upstream-1"));
        let others = [
            SessionOwner {
                subject: "bob",
                ..ada
            },
            SessionOwner {
                client: "other",
                ..ada
            },
            SessionOwner {
                server: &wiki,
                ..ada
            },
        ];
        for other in others {
            assert_eq!(binding(1).open(&sealed, other), None, "{other:?}");
        }
        assert_eq!(binding(2).open(&sealed, ada), None);
    }

    /// N-219.
    #[test]
    fn a_guessed_or_changed_session_id_does_not_open() {
        let tracker = server("tracker");
        let ada = SessionOwner {
            server: &tracker,
            subject: "ada",
            client: "desk",
        };
        let sealed = binding(1).seal("upstream-1", ada).unwrap();
        let mut changed = from_base64url(&sealed).unwrap();
        changed[20] ^= 1;
        for guess in [
            "",
            "upstream-1",
            "AAAA",
            &base64url(&changed),
            &"A".repeat(4096),
        ] {
            assert_eq!(binding(1).open(guess, ada), None, "{guess}");
        }
    }

    #[test]
    fn a_sealed_id_is_visible_ascii_and_hides_the_upstreams() {
        let tracker = server("tracker");
        let ada = SessionOwner {
            server: &tracker,
            subject: "ada",
            client: "desk",
        };
        let sealed = binding(1).seal("upstream-1", ada).unwrap();
        assert!(is_visible(sealed.as_bytes()) && !sealed.contains("upstream"));
        assert_ne!(sealed, binding(1).seal("upstream-1", ada).unwrap());
        for bad in ["", "a b", "a\r\nb", "ä", &"a".repeat(2000)] {
            assert_eq!(
                binding(1).seal(bad, ada),
                Err(MalformedSessionId),
                "{bad:?}"
            );
        }
    }
}
