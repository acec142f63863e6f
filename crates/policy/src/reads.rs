//! The attributes of the context, as a set.

use std::ops::BitOr;

/// A set of context attributes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Reads(u16);

impl Reads {
    pub(crate) const CLIENT: Self = Self(1);
    pub(crate) const CLIENT_AUTHENTICATION: Self = Self(1 << 1);
    pub(crate) const SCOPES: Self = Self(1 << 2);
    pub(crate) const SCOPES_SUFFICIENT: Self = Self(1 << 3);
    pub(crate) const ARGUMENTS: Self = Self(1 << 4);
    pub(crate) const NAME: Self = Self(1 << 5);
    pub(crate) const ACR: Self = Self(1 << 6);
    pub(crate) const AMR: Self = Self(1 << 7);
    pub(crate) const AGE: Self = Self(1 << 8);
    pub(crate) const SOURCE_ADDRESS: Self = Self(1 << 9);
    pub(crate) const SENDER_CONSTRAINT: Self = Self(1 << 10);
    pub(crate) const NOW: Self = Self(1 << 11);

    /// What another sign-in can change.
    pub(crate) const SIGN_IN: Self = Self(Self::ACR.0 | Self::AGE.0);

    /// What differs from call to call, so that remembering a decision would be useless or wrong.
    pub(crate) const VOLATILE: Self =
        Self(Self::ARGUMENTS.0 | Self::NAME.0 | Self::AGE.0 | Self::SOURCE_ADDRESS.0 | Self::NOW.0);

    pub(crate) const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The attribute of that name, if the schema has it for any action.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "client" => Self::CLIENT,
            "client_authentication" => Self::CLIENT_AUTHENTICATION,
            "scopes" => Self::SCOPES,
            "scopes_sufficient" => Self::SCOPES_SUFFICIENT,
            "arguments" => Self::ARGUMENTS,
            "name" => Self::NAME,
            "acr" => Self::ACR,
            "amr" => Self::AMR,
            "seconds_since_authentication" => Self::AGE,
            "source_address" => Self::SOURCE_ADDRESS,
            "sender_constraint" => Self::SENDER_CONSTRAINT,
            "now" => Self::NOW,
            _ => return None,
        })
    }
}

impl BitOr for Reads {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
