//! Entity types and ids, in one place: what a policy writes is what a request is built from.
//!
//! Ids are unambiguous because the first part of a composed id (a connection, server or issuer
//! role) has no character that its separator could be mistaken for.

use std::sync::LazyLock;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use symbolon_protocol::ids::{ClientId, GroupKey, OrganizationId, ServerId, UserId};
use symbolon_protocol::issuer::IssuerRole;

use crate::request::Action;

/// The entity types of the schema.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Kind {
    Organization,
    Group,
    EmailAddress,
    User,
    Client,
    McpServer,
    ResourceAuthorizationServer,
    Tool,
    Scope,
    Action,
}

impl Kind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Organization,
        Self::Group,
        Self::EmailAddress,
        Self::User,
        Self::Client,
        Self::McpServer,
        Self::ResourceAuthorizationServer,
        Self::Tool,
        Self::Scope,
        Self::Action,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Organization => "Organization",
            Self::Group => "Group",
            Self::EmailAddress => "EmailAddress",
            Self::User => "User",
            Self::Client => "Client",
            Self::McpServer => "McpServer",
            Self::ResourceAuthorizationServer => "ResourceAuthorizationServer",
            Self::Tool => "Tool",
            Self::Scope => "Scope",
            Self::Action => "Action",
        }
    }

    /// The kind of that name; `None` for a type the schema does not have.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of an entity.
    pub(crate) fn of(uid: &EntityUid) -> Option<Self> {
        Self::named(uid.type_name().basename())
    }

    /// The entity of this kind with that id.
    pub(crate) fn entity(self, id: &str) -> EntityUid {
        static NAMES: LazyLock<[EntityTypeName; 10]> = LazyLock::new(|| {
            Kind::ALL.map(|kind| kind.name().parse().expect("every name is an identifier"))
        });
        EntityUid::from_type_name_and_id(NAMES[self as usize].clone(), EntityId::new(id))
    }
}

pub(crate) fn organization(id: &OrganizationId) -> EntityUid {
    Kind::Organization.entity(id.as_str())
}

pub(crate) fn group(key: &GroupKey) -> EntityUid {
    Kind::Group.entity(&format!("{}/{}", key.source, key.external_id))
}

/// Addresses are compared in lower-case ASCII.
pub(crate) fn email_address(email: &str) -> EntityUid {
    Kind::EmailAddress.entity(&email.to_ascii_lowercase())
}

pub(crate) fn user(id: &UserId) -> EntityUid {
    Kind::User.entity(id.as_str())
}

pub(crate) fn client(issuer: &IssuerRole, id: &ClientId) -> EntityUid {
    Kind::Client.entity(&format!("{issuer}/{id}"))
}

pub(crate) fn server(id: &ServerId) -> EntityUid {
    Kind::McpServer.entity(id.as_str())
}

pub(crate) fn tool(server: &ServerId, name: &str) -> EntityUid {
    Kind::Tool.entity(&format!("{server}/{name}"))
}

pub(crate) fn scope(server: &ServerId, name: &str) -> EntityUid {
    Kind::Scope.entity(&format!("{server}/{name}"))
}

/// A resource identifier has no space.
pub(crate) fn foreign_scope(resource: &str, name: &str) -> EntityUid {
    Kind::Scope.entity(&format!("{resource} {name}"))
}

pub(crate) fn resource_authorization_server(issuer: &str) -> EntityUid {
    Kind::ResourceAuthorizationServer.entity(issuer)
}

pub(crate) fn action(action: Action) -> EntityUid {
    Kind::Action.entity(action.as_str())
}
