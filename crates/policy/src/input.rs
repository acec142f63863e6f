//! What an engine is built from: plain values, without storage behind them.
//!
//! Ids and texts are those of the manifest (design §9). Everything named here was accepted when it
//! was written; what does not fit together is a [`PolicyProblem`](crate::PolicyProblem), not a panic.

use std::collections::BTreeMap;

use symbolon_protocol::ids::{ClientId, ConnectionId, OrganizationId, PolicyId, ServerId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::time::Timestamp;

/// Every definition that policy looks at, at one version.
#[derive(Clone, Debug, Default)]
pub struct PolicyInput {
    /// Organizations; a request for any other is denied.
    pub organizations: Vec<OrganizationInput>,
    /// MCP servers.
    pub servers: Vec<ServerInput>,
    /// Client registrations, one per issuer and id.
    pub clients: Vec<ClientInput>,
    /// Resources behind foreign authorization servers.
    pub foreign_resources: Vec<ForeignResourceInput>,
    /// Assignments, in the order in which they are shown.
    pub assignments: Vec<AssignmentInput>,
    /// Free Cedar beside the assignments.
    pub policies: Vec<PolicyText>,
    /// Version of all this together.
    pub version: u64,
}

/// An organization and who speaks for its groups.
#[derive(Clone, Debug)]
pub struct OrganizationInput {
    /// Its id.
    pub id: OrganizationId,
    /// Its connections: the possible sources of a group (design §4 rule 12).
    pub connections: Vec<ConnectionId>,
}

/// To whom the deployment offers what it owns.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OfferInput {
    /// To every organization.
    All,
    /// To these.
    Only(Vec<OrganizationId>),
}

/// An MCP server.
#[derive(Clone, Debug)]
pub struct ServerInput {
    /// Its id.
    pub id: ServerId,
    /// The organization it belongs to; `None`: the deployment.
    pub owner: Option<OrganizationId>,
    /// Whom it is offered to; looked at only where the deployment owns it.
    pub offered_to: OfferInput,
    /// Its resource identifier.
    pub resource: String,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Scope → scopes it includes.
    pub implies: BTreeMap<String, Vec<String>>,
    /// Tool → scopes it needs. A tool that is not listed needs every scope of the server.
    pub tools: BTreeMap<String, Vec<String>>,
}

/// A client's registration at one of our issuers.
#[derive(Clone, Debug)]
pub struct ClientInput {
    /// Where it is registered.
    pub issuer: IssuerRole,
    /// Its id there.
    pub id: ClientId,
    /// The organization it belongs to; `None`: the deployment.
    pub owner: Option<OrganizationId>,
    /// Whom it is offered to; looked at only where the deployment owns it.
    pub offered_to: OfferInput,
}

/// A resource for which an organization's `idp` issues ID-JAGs.
#[derive(Clone, Debug)]
pub struct ForeignResourceInput {
    /// The organization whose `idp` it is.
    pub organization: OrganizationId,
    /// Issuer of the resource authorization server.
    pub issuer: String,
    /// Resource identifier.
    pub resource: String,
    /// Its scopes.
    pub scopes: Vec<String>,
}

/// An administrator's rule: who gets which scopes and tools of what.
#[derive(Clone, Debug)]
pub struct AssignmentInput {
    /// Its id, unique in the organization.
    pub id: String,
    /// The organization that made it.
    pub organization: OrganizationId,
    /// Who gets it.
    pub who: Who,
    /// What it opens.
    pub target: AssignmentTarget,
    /// Scopes; what they imply is included.
    pub scopes: Vec<String>,
    /// Tools; `None`: every tool that needs no more than `scopes`.
    pub tools: Option<Vec<String>>,
    /// Clients by id; `None`: any client offered to the organization.
    pub clients: Option<Vec<ClientId>>,
    /// When it ends, exclusive; `None`: never.
    pub until: Option<Timestamp>,
}

/// Who an assignment is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Who {
    /// Members of any of these groups: a name if the organization has one connection, otherwise
    /// `connection/name`.
    Groups(Vec<String>),
    /// People, by email address (ASCII letter case does not matter) or user id.
    Users(Vec<String>),
    /// Everybody who belongs to the organization.
    Everyone,
    /// Clients of the `as` that act for themselves.
    Services(Vec<ClientId>),
}

/// What an assignment opens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AssignmentTarget {
    /// One of our MCP servers.
    Server(ServerId),
    /// A resource of a resource authorization server.
    Resource(String),
}

/// Cedar that an administrator wrote.
#[derive(Clone, Debug)]
pub struct PolicyText {
    /// The organization it is for.
    pub organization: OrganizationId,
    /// Its id.
    pub id: PolicyId,
    /// One or more Cedar policies; templates are refused.
    pub cedar: String,
    /// Version of the text.
    pub version: u64,
}
