//! One audit event: who did what to whom, when, and how it ended.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};
use symbolon_protocol::ids::{ClientId, OrganizationId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::time::Timestamp;

/// Who acts.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Actor {
    /// A person who signed in.
    User(UserId),
    /// A client that authenticated at one of our authorization servers.
    Client(IssuerRole, ClientId),
    /// A person at the command line, by the name the operating system gives.
    Operator(String),
    /// Somebody who did not authenticate.
    Stranger,
    /// The deployment itself: schedules, sealing, expiry.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(formatter, "user/{id}"),
            Self::Client(issuer, id) => write!(formatter, "client/{issuer}/{id}"),
            Self::Operator(name) => write!(formatter, "operator/{name}"),
            Self::Stranger => formatter.write_str("stranger"),
            Self::System => formatter.write_str("system"),
        }
    }
}

/// Who acts and in which request: what every act that is audited is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct By {
    /// Who acts.
    pub actor: Actor,
    /// The request it happened in; the same id is in the log and in answers.
    pub request_id: String,
}

impl By {
    /// The deployment itself, outside any request.
    pub fn system() -> Self {
        Self {
            actor: Actor::System,
            request_id: String::new(),
        }
    }
}

/// What was done; a name of the form `noun.verb` that never changes its meaning.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Action(Cow<'static, str>);

impl Action {
    /// A definition was written.
    pub const DEFINITION_PUT: Self = Self::named("definition.put");
    /// A definition was removed.
    pub const DEFINITION_REMOVED: Self = Self::named("definition.removed");
    /// A signing key was created.
    pub const KEY_CREATED: Self = Self::named("key.created");
    /// A signing key was retired.
    pub const KEY_RETIRED: Self = Self::named("key.retired");
    /// Sealed values were sealed again under another key-encryption key.
    pub const KEY_RESEALED: Self = Self::named("key.resealed");
    /// A grant, user, client, session or organization was revoked.
    pub const REVOKED: Self = Self::named("access.revoked");
    /// Callers who did not authenticate failed; one event stands for many.
    pub const STRANGERS_FAILED: Self = Self::named("strangers.failed");

    /// An action of another crate.
    pub const fn named(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How it ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Policy was asked and allowed it.
    Allowed,
    /// It was refused; the reason is for the administrator.
    Denied {
        /// Why, in words an administrator understands.
        reason: String,
    },
    /// It was done; nothing had to be decided.
    Done,
}

impl Outcome {
    /// The name in the database and in exports.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied { .. } => "denied",
            Self::Done => "done",
        }
    }

    /// Why it was refused.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Denied { reason } => Some(reason),
            Self::Allowed | Self::Done => None,
        }
    }
}

/// An event before it is written. Never holds a secret, a token or a code.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// When.
    pub at: Timestamp,
    /// Whose chain it belongs to; `None` is the deployment's own.
    pub organization: Option<OrganizationId>,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// The request it happened in.
    pub request_id: String,
    /// Everything else, under stable names: `client`, `user`, `server`, `resource`, `scopes`, `tool`,
    /// `jti`, `grant`, `session`, `connection`, `policies`, `source_address`.
    pub details: Map<String, Value>,
}

impl AuditEvent {
    /// Something done by somebody; [`Outcome::Done`] unless said otherwise.
    pub fn new(action: Action, by: &By, at: Timestamp) -> Self {
        Self {
            at,
            organization: None,
            actor: by.actor.clone(),
            action,
            outcome: Outcome::Done,
            request_id: by.request_id.clone(),
            details: Map::new(),
        }
    }

    /// Puts it into the chain of an organization.
    #[must_use]
    pub fn of(mut self, organization: &OrganizationId) -> Self {
        self.organization = Some(organization.clone());
        self
    }

    /// Sets how it ended.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// Adds a detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a detail that prints as text, such as an id or a scope set.
    #[must_use]
    pub fn with_text(self, name: &str, value: impl fmt::Display) -> Self {
        self.with(name, value.to_string())
    }
}
