//! Requests to the token endpoint ([RFC 6749] §3.2), one type per grant.
//!
//! What comes out of [`TokenRequest::parse`] is complete for its grant; whether anything in it is
//! true is for the grant to find out. One access token has one audience, so a request names at most
//! one resource.
//!
//! [RFC 6749]: https://www.rfc-editor.org/rfc/rfc6749

use std::fmt;

use serde::{Serialize, Serializer};

use crate::form::Form;
use crate::oauth_error::{OAuthError, OAuthErrorCode};
use crate::pkce::CodeVerifier;
use crate::resource::ResourceIndicator;
use crate::scope::ScopeSet;
use crate::secret::Secret;

mod token_exchange;

pub use token_exchange::{ActorToken, TokenExchangeRequest, TokenType};

/// A grant of the token endpoint.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum GrantType {
    /// A code from the authorization endpoint (RFC 6749 §4.1).
    AuthorizationCode,
    /// A refresh token (RFC 6749 §6).
    RefreshToken,
    /// An assertion, for us an ID-JAG (RFC 7523 §2.1).
    JwtBearer,
    /// One token for another (RFC 8693).
    TokenExchange,
}

/// A token request that has every parameter its grant needs.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// `grant_type=authorization_code`.
    AuthorizationCode(AuthorizationCodeRequest),
    /// `grant_type=refresh_token`.
    RefreshToken(RefreshTokenRequest),
    /// `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`.
    JwtBearer(JwtBearerRequest),
    /// `grant_type=urn:ietf:params:oauth:grant-type:token-exchange`.
    TokenExchange(TokenExchangeRequest),
}

/// Redeems a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
#[derive(Clone, Debug)]
pub struct AuthorizationCodeRequest {
    /// The code.
    pub code: Secret,
    /// Where the code was sent to; compared as text with what the code was issued for.
    pub redirect_uri: Option<String>,
    /// The proof that the same client asked for the code.
    pub code_verifier: CodeVerifier,
    /// The resource the token is for, if the client repeats it.
    pub resource: Option<ResourceIndicator>,
}

/// Renews an access token (RFC 6749 §6).
#[derive(Clone, Debug)]
pub struct RefreshTokenRequest {
    /// The refresh token.
    pub refresh_token: Secret,
    /// Fewer scopes than were granted.
    pub scope: Option<ScopeSet>,
    /// The resource, if the client repeats it.
    pub resource: Option<ResourceIndicator>,
}

/// Redeems an assertion (RFC 7523 §2.1).
#[derive(Clone, Debug)]
pub struct JwtBearerRequest {
    /// The assertion, unread.
    pub assertion: Secret,
    /// Scopes asked for; absent means those of the assertion.
    pub scope: Option<ScopeSet>,
    /// The resource, if the client repeats it.
    pub resource: Option<ResourceIndicator>,
}

/// What the body says about the client; who it really is, client authentication decides.
#[derive(Clone, Debug, Default)]
pub struct ClientParameters {
    /// `client_id`.
    pub client_id: Option<String>,
    /// `client_secret` (RFC 6749 §2.3.1).
    pub client_secret: Option<Secret>,
    /// `client_assertion` (RFC 7521 §4.2).
    pub client_assertion: Option<Secret>,
    /// `client_assertion_type`.
    pub client_assertion_type: Option<String>,
}

impl GrantType {
    /// Every grant we know.
    pub const ALL: [Self; 4] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::JwtBearer,
        Self::TokenExchange,
    ];

    /// The `grant_type` value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }

    /// Reads a `grant_type` value; `None` for a grant we do not know.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }
}

impl fmt::Display for GrantType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for GrantType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl TokenRequest {
    /// Reads the body of a token request, which the caller knows to be a form.
    ///
    /// # Errors
    /// `invalid_request` for a malformed body, a missing or a repeated parameter (AS-25),
    /// `unsupported_grant_type` (N-070), `invalid_scope`, `invalid_target`, and `invalid_grant` for
    /// a code verifier that cannot be one (N-074).
    pub fn parse(body: &[u8]) -> Result<(Self, ClientParameters), OAuthError> {
        let form = Form::parse(body)?;
        form.refuse_repeated(&["resource"])?;
        let grant = required(&form, "grant_type", "grant_type is missing")?;
        let unknown = OAuthError::new(
            OAuthErrorCode::UnsupportedGrantType,
            "this grant_type is not supported",
        );
        let request = match GrantType::parse(grant).ok_or(unknown)? {
            GrantType::AuthorizationCode => {
                AuthorizationCodeRequest::read(&form).map(Self::AuthorizationCode)
            }
            GrantType::RefreshToken => RefreshTokenRequest::read(&form).map(Self::RefreshToken),
            GrantType::JwtBearer => JwtBearerRequest::read(&form).map(Self::JwtBearer),
            GrantType::TokenExchange => TokenExchangeRequest::read(&form).map(Self::TokenExchange),
        }?;
        Ok((request, ClientParameters::read(&form)?))
    }

    /// Which grant it is.
    #[must_use]
    pub fn grant(&self) -> GrantType {
        match self {
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::RefreshToken(_) => GrantType::RefreshToken,
            Self::JwtBearer(_) => GrantType::JwtBearer,
            Self::TokenExchange(_) => GrantType::TokenExchange,
        }
    }
}

impl AuthorizationCodeRequest {
    fn read(form: &Form<'_>) -> Result<Self, OAuthError> {
        let verifier = required(form, "code_verifier", "code_verifier is missing")?;
        let refused = OAuthError::new(OAuthErrorCode::InvalidGrant, "the code is not accepted");
        Ok(Self {
            code: Secret::new(required(form, "code", "code is missing")?),
            redirect_uri: form.one("redirect_uri")?.map(str::to_owned),
            code_verifier: CodeVerifier::parse(verifier).map_err(|_| refused)?,
            resource: resource(form)?,
        })
    }
}

impl RefreshTokenRequest {
    fn read(form: &Form<'_>) -> Result<Self, OAuthError> {
        let token = required(form, "refresh_token", "refresh_token is missing")?;
        Ok(Self {
            refresh_token: Secret::new(token),
            scope: scope(form)?,
            resource: resource(form)?,
        })
    }
}

impl JwtBearerRequest {
    fn read(form: &Form<'_>) -> Result<Self, OAuthError> {
        Ok(Self {
            assertion: Secret::new(required(form, "assertion", "assertion is missing")?),
            scope: scope(form)?,
            resource: resource(form)?,
        })
    }
}

impl ClientParameters {
    /// Reads the client's parameters of any form endpoint (token, introspection, revocation).
    ///
    /// # Errors
    /// `invalid_request` when one of them is repeated.
    pub fn read(form: &Form<'_>) -> Result<Self, OAuthError> {
        Ok(Self {
            client_id: form.one("client_id")?.map(str::to_owned),
            client_secret: form.one("client_secret")?.map(Secret::new),
            client_assertion: form.one("client_assertion")?.map(Secret::new),
            client_assertion_type: form.one("client_assertion_type")?.map(str::to_owned),
        })
    }
}

fn required<'f>(
    form: &'f Form<'_>,
    name: &str,
    missing: &'static str,
) -> Result<&'f str, OAuthError> {
    form.one(name)?.ok_or(OAuthError::invalid_request(missing))
}

/// Reads `scope`.
pub(crate) fn scope(form: &Form<'_>) -> Result<Option<ScopeSet>, OAuthError> {
    let malformed = OAuthError::new(
        OAuthErrorCode::InvalidScope,
        "scope is malformed or too long",
    );
    form.one("scope")?
        .map(ScopeSet::parse)
        .transpose()
        .map_err(|_| malformed)
}

/// Reads the `resource` parameters, which must all name the same one (RFC 8707 §2).
pub(crate) fn resource(form: &Form<'_>) -> Result<Option<ResourceIndicator>, OAuthError> {
    let refuse = |description| OAuthError::new(OAuthErrorCode::InvalidTarget, description);
    let mut values = form.all("resource");
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if values.any(|other| other != first) {
        return Err(refuse("ask for one resource at a time"));
    }
    let malformed = refuse("resource must be an absolute https URL without fragment");
    ResourceIndicator::parse(first)
        .map(Some)
        .map_err(|_| malformed)
}

#[cfg(test)]
mod tests;
