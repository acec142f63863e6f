//! Error codes of OAuth 2.1, OpenID Connect and the extensions we speak, in one registry.
//!
//! The code and the fixed description are all a caller learns; what exactly failed goes to the log.
//! Codes and their statuses are those of requirements §2.4 and §5.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// The value of an `error` parameter.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OAuthErrorCode {
    /// A parameter is missing, repeated or malformed (RFC 6749 §5.2).
    InvalidRequest,
    /// Client authentication failed (RFC 6749 §5.2).
    InvalidClient,
    /// The code, assertion or refresh token is not accepted (RFC 6749 §5.2).
    InvalidGrant,
    /// The client may not use this grant (RFC 6749 §5.2).
    UnauthorizedClient,
    /// We do not know the grant (RFC 6749 §5.2).
    UnsupportedGrantType,
    /// None of the scopes can be granted (RFC 6749 §5.2).
    InvalidScope,
    /// The resource or audience is not acceptable (RFC 8707 §2).
    InvalidTarget,
    /// The details are not acceptable (RFC 9396 §5).
    InvalidAuthorizationDetails,
    /// The person or the policy said no (RFC 6749 §4.1.2.1).
    AccessDenied,
    /// Something other than `response_type=code` (RFC 6749 §4.1.2.1).
    UnsupportedResponseType,
    /// We failed (RFC 6749 §4.1.2.1).
    ServerError,
    /// Something we need does not answer; trying again may help (RFC 6749 §4.1.2.1).
    TemporarilyUnavailable,
    /// `prompt=none`, and nobody is signed in (OpenID Connect Core §3.1.2.6).
    LoginRequired,
    /// `prompt=none`, and the person was not asked yet (OpenID Connect Core §3.1.2.6).
    ConsentRequired,
    /// `prompt=none`, and a page is needed (OpenID Connect Core §3.1.2.6).
    InteractionRequired,
    /// The `request` parameter is not supported (OpenID Connect Core §6.1).
    RequestNotSupported,
    /// The `request_uri` parameter is not supported (OpenID Connect Core §6.2).
    RequestUriNotSupported,
    /// A stronger or fresher sign-in would help (RFC 9470 §3).
    InsufficientUserAuthentication,
    /// The access token is not accepted (RFC 6750 §3.1).
    InvalidToken,
    /// A token with more scopes would help (RFC 6750 §3.1).
    InsufficientScope,
    /// This kind of token cannot be revoked here (RFC 7009 §2.2.1).
    UnsupportedTokenType,
}

impl OAuthErrorCode {
    /// The registered name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::UnsupportedTokenType => "unsupported_token_type",
        }
    }

    /// The HTTP status of a form endpoint's JSON answer (AS-56, AS-63).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidClient | Self::InvalidToken => 401,
            Self::InsufficientScope => 403,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }
}

impl fmt::Display for OAuthErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal as the caller sees it.
///
/// Serializes as the JSON body of RFC 6749 §5.2.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct OAuthError {
    /// The `error`.
    pub code: OAuthErrorCode,
    /// The `error_description`: a constant of ours, ASCII without quote and backslash.
    pub description: &'static str,
}

impl OAuthError {
    /// Pairs a code with its public text.
    #[must_use]
    pub const fn new(code: OAuthErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    /// An `invalid_request`, by far the most frequent one.
    #[must_use]
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::new(OAuthErrorCode::InvalidRequest, description)
    }
}

impl Serialize for OAuthError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("OAuthError", 2)?;
        body.serialize_field("error", self.code.as_str())?;
        body.serialize_field("error_description", self.description)?;
        body.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample of requirements §6.12, byte for byte.
    #[test]
    fn the_json_body_has_error_and_description() {
        let error = OAuthError::new(OAuthErrorCode::InvalidGrant, "assertion not accepted");
        let json = serde_json::to_string(&error).unwrap();
        let expected = r#"{"error":"invalid_grant","error_description":"assertion not accepted"}"#;
        assert_eq!(json, expected);
    }

    /// AS-56, AS-63.
    #[test]
    fn only_few_codes_are_not_status_400() {
        assert_eq!(OAuthErrorCode::InvalidClient.status(), 401);
        assert_eq!(OAuthErrorCode::TemporarilyUnavailable.status(), 503);
        assert_eq!(OAuthErrorCode::InvalidGrant.status(), 400);
        assert_eq!(OAuthErrorCode::AccessDenied.status(), 400);
    }
}
