//! One question to the engine, in borrowed values: nothing is copied before it is needed.

use std::net::IpAddr;

use serde_json::{Map, Value};
use symbolon_protocol::ids::{ClientId, GroupKey, OrganizationId, ServerId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;

/// May this principal do this, here, now?
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The principal's organization, whose policies decide.
    pub organization: &'a OrganizationId,
    /// Who asks.
    pub principal: Principal<'a>,
    /// What for.
    pub action: Action,
    /// On what.
    pub resource: Resource<'a>,
    /// Under which circumstances.
    pub context: Context<'a>,
    /// When.
    pub now: Timestamp,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Principal<'a> {
    /// A person.
    User {
        /// Which.
        id: &'a UserId,
        /// The email address, as an issuer of the organization said it (design §4 rule 6).
        email: Option<&'a str>,
        /// Group memberships.
        groups: Groups<'a>,
    },
    /// A client of the `as` that acts for itself.
    Client {
        /// Which.
        id: &'a ClientId,
    },
}

/// What is known about group memberships (design §4 rule 13).
#[derive(Clone, Copy, Debug)]
pub enum Groups<'a> {
    /// Exactly these.
    Known(&'a [GroupKey]),
    /// No source spoke, or what it said is too old.
    Unknown,
}

/// What a principal wants to do. The set is closed: nothing else can be asked.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// Get an ID-JAG with a scope.
    IssueIdJag,
    /// Get an access token with a scope.
    GrantAccess,
    /// Call a tool.
    CallTool,
    /// See a tool in a list.
    ListTool,
    /// Read a resource of an MCP server.
    ReadResource,
    /// Get a prompt of an MCP server.
    GetPrompt,
    /// Change definitions. No organization's policy can grant it, so it is always denied here.
    Administer,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 7] = [
        Self::IssueIdJag,
        Self::GrantAccess,
        Self::CallTool,
        Self::ListTool,
        Self::ReadResource,
        Self::GetPrompt,
        Self::Administer,
    ];

    /// Its name in Cedar, the audit log and the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IssueIdJag => "issue_id_jag",
            Self::GrantAccess => "grant_access",
            Self::CallTool => "call_tool",
            Self::ListTool => "list_tool",
            Self::ReadResource => "read_resource",
            Self::GetPrompt => "get_prompt",
            Self::Administer => "administer",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// What an action is about.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// A scope, for [`Action::IssueIdJag`] and [`Action::GrantAccess`].
    Scope {
        /// Whose scope.
        target: Target<'a>,
        /// One scope; several are asked one by one.
        scope: &'a str,
    },
    /// A tool, for [`Action::CallTool`] and [`Action::ListTool`].
    Tool {
        /// Where.
        server: &'a ServerId,
        /// Its name, from the checked body.
        name: &'a str,
    },
    /// A server, for [`Action::ReadResource`] and [`Action::GetPrompt`].
    Server {
        /// Which.
        server: &'a ServerId,
        /// The URI of the resource or the name of the prompt.
        name: &'a str,
    },
}

/// Whose scope it is.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// One of our MCP servers.
    Server(&'a ServerId),
    /// A resource behind a foreign authorization server.
    Foreign {
        /// That server's issuer.
        issuer: &'a str,
        /// The resource identifier.
        resource: &'a str,
    },
}

/// The circumstances of a request.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The client, and at which of our issuers it is registered; `None` where a foreign access
    /// token names none of ours.
    pub client: Option<(&'a IssuerRole, &'a ClientId)>,
    /// How the client authenticated, as in client metadata (`private_key_jwt`, `none`, …).
    pub client_authentication: Option<&'a str>,
    /// Scopes that are requested, or that the token carries.
    pub scopes: &'a ScopeSet,
    /// Authentication context class of the sign-in.
    pub acr: Option<&'a str>,
    /// Authentication methods of the sign-in.
    pub amr: &'a [String],
    /// When the person signed in.
    pub auth_time: Option<Timestamp>,
    /// Where the request came from.
    pub source_address: Option<IpAddr>,
    /// How the token is bound to its sender (`dpop`, `mtls`).
    pub sender_constraint: Option<&'a str>,
    /// Arguments of a tool call. `None` means unknown, and denies where a policy names one: pass
    /// an empty map for a call without arguments.
    pub arguments: Option<&'a Map<String, Value>>,
}
