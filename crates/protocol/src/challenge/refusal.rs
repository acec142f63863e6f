//! Why a protected resource refuses a request, and the challenge that says so
//! ([RFC 6750] §3, [RFC 9728] §5.1, [RFC 9470] §3; requirements RS-40 to RS-48).
//!
//! [RFC 6750]: https://www.rfc-editor.org/rfc/rfc6750
//! [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728
//! [RFC 9470]: https://www.rfc-editor.org/rfc/rfc9470

use crate::oauth_error::OAuthErrorCode;
use crate::scope::ScopeSet;

use super::Challenge;

/// A reason to refuse a request to a protected resource.
///
/// `scope` is always everything the operation needs, so that a client asks once (RS-43).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal<'a> {
    /// No token came with the request (N-190).
    NoToken {
        /// What a token needs for this operation.
        scope: &'a ScopeSet,
    },
    /// The token is expired, revoked, for somebody else, or no access token (N-193 to N-198).
    InvalidToken {
        /// What a token needs for this operation.
        scope: &'a ScopeSet,
    },
    /// The credentials are not where or how they must be (N-191, N-192).
    InvalidRequest,
    /// The token is good but lacks scopes (N-200).
    InsufficientScope {
        /// What a token needs for this operation.
        scope: &'a ScopeSet,
    },
    /// The person must sign in again, more strongly or more recently (N-203).
    InsufficientUserAuthentication {
        /// Acceptable classes, space-separated.
        acr_values: Option<&'a str>,
        /// Seconds a sign-in may be old.
        max_age: Option<u64>,
    },
    /// Policy says no; another token would not help, so nothing invites the client to fetch one
    /// (RS-47, N-202).
    Policy,
}

impl Refusal<'_> {
    /// The HTTP status (RS-40).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::NoToken { .. }
            | Self::InvalidToken { .. }
            | Self::InsufficientUserAuthentication { .. } => 401,
            Self::InvalidRequest => 400,
            Self::InsufficientScope { .. } | Self::Policy => 403,
        }
    }

    /// The `error` of challenge and body; none when no credentials were sent (RS-41).
    #[must_use]
    pub fn error(&self) -> Option<OAuthErrorCode> {
        match self {
            Self::NoToken { .. } => None,
            Self::InvalidToken { .. } => Some(OAuthErrorCode::InvalidToken),
            Self::InvalidRequest => Some(OAuthErrorCode::InvalidRequest),
            Self::InsufficientScope { .. } => Some(OAuthErrorCode::InsufficientScope),
            Self::InsufficientUserAuthentication { .. } => {
                Some(OAuthErrorCode::InsufficientUserAuthentication)
            }
            Self::Policy => Some(OAuthErrorCode::AccessDenied),
        }
    }

    /// The `Bearer` challenge, which always says where the metadata is; none for [`Refusal::Policy`].
    #[must_use]
    pub fn challenge(&self, resource_metadata: &str) -> Option<Challenge> {
        let start = match self {
            Self::Policy => return None,
            Self::NoToken { .. } => Challenge::bearer(),
            _ => Challenge::bearer().with("error", self.error()?.as_str()),
        };
        let metadata =
            |challenge: Challenge| challenge.with("resource_metadata", resource_metadata);
        Some(match self {
            Self::NoToken { scope } => with_scope(metadata(start), scope),
            Self::InvalidToken { scope } | Self::InsufficientScope { scope } => {
                metadata(with_scope(start, scope))
            }
            Self::InsufficientUserAuthentication {
                acr_values,
                max_age,
            } => metadata(with_authentication(start, *acr_values, *max_age)),
            Self::InvalidRequest | Self::Policy => metadata(start),
        })
    }
}

/// `offline_access` is between client and authorization server and never asked for here (RS-45).
fn with_scope(challenge: Challenge, scope: &ScopeSet) -> Challenge {
    let scope = scope.filter(|scope| scope != "offline_access");
    if scope.is_empty() {
        challenge
    } else {
        challenge.with("scope", &scope.to_string())
    }
}

fn with_authentication(
    challenge: Challenge,
    acr_values: Option<&str>,
    max_age: Option<u64>,
) -> Challenge {
    let challenge = match acr_values {
        Some(acr_values) => challenge.with("acr_values", acr_values),
        None => challenge,
    };
    match max_age {
        Some(max_age) => challenge.with("max_age", &max_age.to_string()),
        None => challenge,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = "https://mcp.tracker.example/.well-known/oauth-protected-resource/mcp";

    fn header(refusal: Refusal<'_>) -> String {
        refusal
            .challenge(METADATA)
            .expect("a challenge")
            .to_string()
    }

    fn scopes(text: &str) -> ScopeSet {
        ScopeSet::parse(text).unwrap()
    }

    /// N-190 and the challenge of requirements §6.1, byte for byte.
    #[test]
    fn without_a_token_the_challenge_has_no_error() {
        let scope = scopes("issues:read issues:comment offline_access");
        let refusal = Refusal::NoToken { scope: &scope };
        assert_eq!(refusal.status(), 401);
        assert_eq!(
            header(refusal),
            format!(
                "Bearer resource_metadata=\"{METADATA}\", scope=\"issues:read issues:comment\""
            )
        );
    }

    /// N-193.
    #[test]
    fn a_failed_token_is_an_invalid_token() {
        let refusal = Refusal::InvalidToken {
            scope: &ScopeSet::default(),
        };
        assert_eq!(refusal.status(), 401);
        let expected = format!("Bearer error=\"invalid_token\", resource_metadata=\"{METADATA}\"");
        assert_eq!(header(refusal), expected);
    }

    /// N-200 and the challenge of requirements §6.11, with the scheme of an unbound token.
    #[test]
    fn missing_scopes_are_named_all_at_once() {
        let scope = scopes("issues:write");
        let refusal = Refusal::InsufficientScope { scope: &scope };
        assert_eq!(refusal.status(), 403);
        assert_eq!(
            header(refusal),
            format!(
                "Bearer error=\"insufficient_scope\", scope=\"issues:write\", \
                 resource_metadata=\"{METADATA}\""
            )
        );
    }

    /// N-203.
    #[test]
    fn a_weak_sign_in_is_told_what_is_needed() {
        let refusal = Refusal::InsufficientUserAuthentication {
            acr_values: Some("urn:globex:loa:3"),
            max_age: Some(300),
        };
        assert_eq!(refusal.status(), 401);
        assert_eq!(
            header(refusal),
            format!(
                "Bearer error=\"insufficient_user_authentication\", \
                 acr_values=\"urn:globex:loa:3\", max_age=\"300\", resource_metadata=\"{METADATA}\""
            )
        );
    }

    /// N-191, N-192.
    #[test]
    fn misplaced_credentials_are_an_invalid_request() {
        assert_eq!(Refusal::InvalidRequest.status(), 400);
        let expected =
            format!("Bearer error=\"invalid_request\", resource_metadata=\"{METADATA}\"");
        assert_eq!(header(Refusal::InvalidRequest), expected);
    }

    /// RS-47, N-202: nothing must send the client into a loop.
    #[test]
    fn a_policy_denial_has_no_challenge() {
        assert_eq!(Refusal::Policy.status(), 403);
        assert_eq!(Refusal::Policy.challenge(METADATA), None);
        assert_eq!(Refusal::Policy.error(), Some(OAuthErrorCode::AccessDenied));
    }

    /// RS-48, RS-45.
    #[test]
    fn only_registered_parameters_are_used() {
        let scope = scopes("a offline_access");
        for refusal in [
            Refusal::NoToken { scope: &scope },
            Refusal::InvalidToken { scope: &scope },
            Refusal::InsufficientScope { scope: &scope },
        ] {
            let challenge = refusal.challenge(METADATA).unwrap();
            assert_eq!(challenge.parameter("scope"), Some("a"));
            for vendor in ["authorization_uri", "discovery_uri", "token_type"] {
                assert_eq!(challenge.parameter(vendor), None);
            }
        }
    }
}
