//! A normal refusal: audited, answered with a fixed text, explained only in the log and the audit.

use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::oauth_error::OAuthErrorCode;

/// Why a request was refused.
#[derive(Debug)]
pub(crate) struct Denied {
    /// What the caller is told.
    pub(crate) code: OAuthErrorCode,
    /// What the administrator reads; never sent to the caller.
    pub(crate) reason: String,
    /// Which sign-in would make the same request succeed.
    pub(crate) step_up: Option<StepUp>,
    /// Policies that decided.
    pub(crate) policies: Vec<String>,
    /// Whose audit chain it belongs to, once that is known.
    pub(crate) organization: Option<OrganizationId>,
}

/// What a fresher or stronger sign-in must satisfy (RFC 9470 §3).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct StepUp {
    /// Space-separated authentication context classes, any of which is enough.
    pub(crate) acr_values: Option<String>,
    /// Most seconds since the person signed in.
    pub(crate) max_age: Option<u64>,
}

impl Denied {
    /// A refusal with its public code and its private reason.
    pub(crate) fn new(code: OAuthErrorCode, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            step_up: None,
            policies: Vec::new(),
            organization: None,
        }
    }

    /// The assertion, code or token is not acceptable.
    pub(crate) fn invalid_grant(reason: impl Into<String>) -> Self {
        Self::new(OAuthErrorCode::InvalidGrant, reason)
    }

    /// The requested resource or audience is not one we serve for this request.
    pub(crate) fn invalid_target(reason: impl Into<String>) -> Self {
        Self::new(OAuthErrorCode::InvalidTarget, reason)
    }

    /// No requested scope can be granted.
    pub(crate) fn invalid_scope(reason: impl Into<String>) -> Self {
        Self::new(OAuthErrorCode::InvalidScope, reason)
    }

    /// The request lacks or repeats something.
    pub(crate) fn invalid_request(reason: impl Into<String>) -> Self {
        Self::new(OAuthErrorCode::InvalidRequest, reason)
    }

    /// Names the organization whose people and rules were involved.
    pub(crate) fn of(mut self, organization: &OrganizationId) -> Self {
        self.organization = Some(organization.clone());
        self
    }

    /// Names the policies that decided.
    pub(crate) fn by(mut self, policies: Vec<String>) -> Self {
        self.policies = policies;
        self
    }
}
