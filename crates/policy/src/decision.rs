//! The answer, and why.

use std::fmt;

use serde::Serialize;
use symbolon_protocol::ids::OrganizationId;

/// The answer to a [`Request`](crate::Request).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Decision {
    /// Allowed.
    Allow {
        /// The policies that allow it.
        policies: Vec<String>,
    },
    /// Denied, but the same request would be allowed after another sign-in (ID-40).
    StepUp {
        /// The policies that ask for it.
        policies: Vec<String>,
        /// Space-separated authentication context classes, any of which would do; `None`: the
        /// present one does.
        acr_values: Option<String>,
        /// Greatest age of the sign-in in seconds; `None`: its age does not matter.
        max_age: Option<u64>,
    },
    /// Denied.
    Deny {
        /// Why.
        #[serde(serialize_with = "as_text")]
        reason: DenyReason,
        /// The policies that deny it; empty where none was needed.
        policies: Vec<String>,
    },
}

impl Decision {
    /// Whether it is [`Decision::Allow`]: the only answer that lets anybody do anything.
    #[must_use]
    pub const fn is_allow(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }

    pub(crate) const fn deny(reason: DenyReason) -> Self {
        Self::Deny {
            reason,
            policies: Vec::new(),
        }
    }
}

/// In words: what is decided, why, and by which policies.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policies = match self {
            Self::Allow { policies } => {
                f.write_str("allowed")?;
                policies
            }
            Self::StepUp {
                policies,
                acr_values,
                max_age,
            } => {
                f.write_str("denied until another sign-in")?;
                acr_values
                    .iter()
                    .try_for_each(|acr| write!(f, ", with acr {acr}"))?;
                max_age
                    .iter()
                    .try_for_each(|age| write!(f, ", not older than {age} s"))?;
                policies
            }
            Self::Deny { reason, policies } => {
                write!(f, "denied: {reason}")?;
                policies
            }
        };
        match policies.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", policies.join(", ")),
        }
    }
}

fn as_text<S: serde::Serializer>(reason: &DenyReason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(reason)
}

/// Why a request is denied, in words for the audit log and for `policy explain`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DenyReason {
    /// No permit applies.
    #[error("no assignment or policy allows it")]
    NothingAllows,
    /// A forbid applies.
    #[error("a policy forbids it")]
    Forbidden,
    /// A policy could not be evaluated.
    #[error("policy {policy} could not be evaluated: {message}")]
    Evaluation {
        /// Which.
        policy: String,
        /// What went wrong.
        message: String,
    },
    /// A policy needs a fact that nobody knows.
    #[error("a policy needs the {0}, which are unknown")]
    UnknownFacts(UnknownFact),
    /// An argument has another type than the policy compares it as.
    #[error("a policy reads argument {name:?} as {expected}, but the call sends {found}")]
    ArgumentType {
        /// Which argument.
        name: String,
        /// The type the policy reads.
        expected: &'static str,
        /// What was sent.
        found: &'static str,
    },
    /// The MCP server does not exist or is not for this organization.
    #[error("mcp server {server:?} is not offered to organization {organization}")]
    ServerNotOffered {
        /// Which server.
        server: String,
        /// For whom.
        organization: OrganizationId,
    },
    /// The client does not exist or is not for this organization.
    #[error("client {client:?} at {issuer:?} is not offered to organization {organization}")]
    ClientNotOffered {
        /// Which client.
        client: String,
        /// Where it is registered.
        issuer: String,
        /// For whom.
        organization: OrganizationId,
    },
    /// The organization has no such resource at that resource authorization server.
    #[error("resource {resource:?} is not registered for {issuer:?} in {organization}")]
    UnknownResource {
        /// Which resource.
        resource: String,
        /// At which issuer.
        issuer: String,
        /// In which organization.
        organization: OrganizationId,
    },
    /// The target has no such scope.
    #[error("scope {scope:?} does not exist there")]
    UnknownScope {
        /// Which scope.
        scope: String,
    },
    /// There is no such organization.
    #[error("organization {0} does not exist")]
    UnknownOrganization(OrganizationId),
    /// The organization's policies cannot be read, so nobody of it may do anything.
    #[error("the policies of organization {0} cannot be read: correct them with `symbolon apply`")]
    Unreadable(OrganizationId),
    /// No organization's policy can grant `administer` (design §4 rule 10).
    #[error("an organization's policies cannot grant administer")]
    Administer,
    /// The action is about another kind of resource.
    #[error("{action} is not about that kind of resource")]
    WrongResource {
        /// Which action.
        action: &'static str,
    },
}

/// A fact that nobody knows (design §4 rule 13).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UnknownFact {
    /// The groups of the person.
    Groups,
    /// The arguments of the call.
    Arguments,
}

impl fmt::Display for UnknownFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Groups => "person's groups",
            Self::Arguments => "arguments of the call",
        })
    }
}
