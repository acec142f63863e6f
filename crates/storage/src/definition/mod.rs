//! What an administrator defined: organizations, connections, servers, clients, policies.
//!
//! A definition is a document, the object of the manifest (design §9) without its secrets; those
//! are sealed beside it. All definitions share one version that every change raises; each version
//! of each document is kept. [`apply`] changes any number of them in one transaction, with an audit
//! event each and one piece of news, and refuses a result that does not fit together.

mod change;
mod draft;
mod stored;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use symbolon_protocol::ids::OrganizationId;

pub(crate) use change::lock;
pub use change::{Applied, ApplyError, Change, Prune, apply, difference};
pub use draft::{Draft, MalformedDocument, Secrets};
pub use stored::{Definition, Version, history, list_all, version};
pub(crate) use stored::{context, row_name};

use crate::StorageError;
use crate::engine::{Column, Row};

/// What a definition describes. The order is the one in which they may refer to each other.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// A customer or tenant.
    Organization,
    /// How people of an organization sign in.
    Connection,
    /// A protected resource.
    McpServer,
    /// A registration at one of our authorization servers.
    Client,
    /// A foreign authorization server our `idp` issues ID-JAGs for.
    ResourceAuthorizationServer,
    /// An issuer whose ID-JAGs `/as` redeems.
    TrustedIssuer,
    /// An issuer whose access tokens a gatewayed server accepts.
    AccessTokenIssuer,
    /// "This group may use that server".
    Assignment,
    /// Cedar text.
    Policy,
}

impl Kind {
    /// Every kind, in the order in which they may refer to each other.
    pub const ALL: [Self; 9] = [
        Self::Organization,
        Self::Connection,
        Self::McpServer,
        Self::Client,
        Self::ResourceAuthorizationServer,
        Self::TrustedIssuer,
        Self::AccessTokenIssuer,
        Self::Assignment,
        Self::Policy,
    ];

    /// The name in manifests and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Connection => "connection",
            Self::McpServer => "mcp_server",
            Self::Client => "client",
            Self::ResourceAuthorizationServer => "resource_authorization_server",
            Self::TrustedIssuer => "trusted_issuer",
            Self::AccessTokenIssuer => "access_token_issuer",
            Self::Assignment => "assignment",
            Self::Policy => "policy",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// Text that names no kind of definition.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not a kind of definition")]
pub struct UnknownKind(String);

/// Who a definition belongs to (design §4 rule 10).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Owner {
    /// The deployment; it offers the thing to organizations.
    Deployment,
    /// One organization, which alone may use the thing.
    Organization(OrganizationId),
}

impl Owner {
    /// The organization that owns it.
    pub fn organization(&self) -> Option<&OrganizationId> {
        match self {
            Self::Deployment => None,
            Self::Organization(id) => Some(id),
        }
    }

    /// The text in the database: empty for the deployment.
    pub fn as_str(&self) -> &str {
        self.organization().map_or("", OrganizationId::as_str)
    }
}

impl Column for Owner {
    fn read(row: &Row, column: &'static str) -> Result<Self, StorageError> {
        match row.get::<String>(column)?.as_str() {
            "" => Ok(Self::Deployment),
            _ => row.get(column).map(Self::Organization),
        }
    }
}

/// What identifies a definition.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// What it describes.
    pub kind: Kind,
    /// Whom it belongs to.
    pub owner: Owner,
    /// Its name among those of its kind and owner; see [`Draft::new`].
    pub id: String,
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?}", self.kind, self.id)?;
        match &self.owner {
            Owner::Deployment => Ok(()),
            Owner::Organization(organization) => write!(formatter, " of {organization}"),
        }
    }
}
