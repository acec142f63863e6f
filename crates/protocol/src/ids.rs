//! Names of things, each with its own type so that no two can be swapped.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::random;

/// Longest id that an administrator chooses.
const MAX_CHOSEN: usize = 63;
/// Longest client id: long enough for a URL (Client ID Metadata Documents).
const MAX_CLIENT_ID: usize = 2048;

/// Text that is not an id of the wanted kind.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{found:?} is not {kind}: use {rule}")]
pub struct InvalidId {
    kind: &'static str,
    rule: &'static str,
    found: String,
}

/// A group of one organization: who said it, and what it is called there (design §4 rule 12).
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct GroupKey {
    /// The connection whose identity provider speaks for the group.
    pub source: String,
    /// The group's identifier at that source.
    pub external_id: String,
}

fn is_chosen(text: &str) -> bool {
    (1..=MAX_CHOSEN).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_client_id(text: &str) -> bool {
    (1..=MAX_CLIENT_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_generated(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Reads an id.
            ///
            /// # Errors
            /// [`InvalidId`], which says what an id of this kind may be.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                if $check(text) {
                    Ok(Self(text.into()))
                } else {
                    let found = text.chars().take(80).collect();
                    Err(InvalidId { kind: $kind, rule: $rule, found })
                }
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(de::Error::custom)
            }
        }
    };
}

macro_rules! generated {
    ($name:ident) => {
        impl $name {
            /// A new id that no other thing has.
            #[must_use]
            pub fn generate() -> Self {
                Self(random::id().into())
            }
        }
    };
}

id!(
    /// An organization.
    OrganizationId, "an organization id", "1 to 63 of a-z, 0-9 and -", is_chosen
);
id!(
    /// A connection.
    ConnectionId, "a connection id", "1 to 63 of a-z, 0-9 and -", is_chosen
);
id!(
    /// An MCP server.
    ServerId, "an MCP server id", "1 to 63 of a-z, 0-9 and -", is_chosen
);
id!(
    /// A policy.
    PolicyId, "a policy id", "1 to 63 of a-z, 0-9 and -", is_chosen
);
id!(
    /// A client, unique at one issuer only.
    ClientId, "a client id", "1 to 2048 visible ASCII characters", is_client_id
);
id!(
    /// A user, unique over all organizations.
    UserId, "a user id", "1 to 64 of A-Z, a-z, 0-9, - and _", is_generated
);
id!(
    /// A grant.
    GrantId, "a grant id", "1 to 64 of A-Z, a-z, 0-9, - and _", is_generated
);
id!(
    /// A browser session.
    SessionId, "a session id", "1 to 64 of A-Z, a-z, 0-9, - and _", is_generated
);
id!(
    /// A signing key (`kid`).
    KeyId, "a key id", "1 to 64 of A-Z, a-z, 0-9, - and _", is_generated
);

generated!(UserId);
generated!(GrantId);
generated!(SessionId);
generated!(KeyId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_id_is_short_and_plain() {
        assert!(OrganizationId::parse("acme-2").is_ok());
        for wrong in ["", "Acme", "acme/other", "acme\n", &"a".repeat(64)] {
            assert!(OrganizationId::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_client_id_may_be_a_url() {
        assert!(ClientId::parse("https://agent.example/oauth/client.json").is_ok());
        assert!(ClientId::parse("has a space").is_err());
    }
}
