//! The parameters of a token exchange ([RFC 8693] §2.1; requirements 2.2).
//!
//! [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693

use std::fmt;

use serde::{Serialize, Serializer};

use crate::form::Form;
use crate::oauth_error::OAuthError;
use crate::resource::ResourceIndicator;
use crate::scope::ScopeSet;
use crate::secret::Secret;

use super::{required, resource, scope};

/// Exchanges one token for another.
#[derive(Clone, Debug)]
pub struct TokenExchangeRequest {
    /// The token that says who it is about.
    pub subject_token: Secret,
    /// What the subject token is.
    pub subject_token_type: TokenType,
    /// What is asked for.
    pub requested_token_type: Option<TokenType>,
    /// Who shall accept the new token: for an ID-JAG the issuer of the resource's authorization
    /// server, compared as text.
    pub audience: Option<String>,
    /// The resource the new token is for.
    pub resource: Option<ResourceIndicator>,
    /// Scopes asked for.
    pub scope: Option<ScopeSet>,
    /// Rich authorization request, unread (RFC 9396).
    pub authorization_details: Option<String>,
    /// Who acts on behalf of the subject.
    pub actor_token: Option<ActorToken>,
}

/// The token of the acting party.
#[derive(Clone, Debug)]
pub struct ActorToken {
    /// The token.
    pub token: Secret,
    /// What it is.
    pub token_type: TokenType,
}

/// A token type of the `urn:ietf:params:oauth:token-type` namespace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenType {
    /// An ID token.
    IdToken,
    /// A SAML 2.0 assertion.
    Saml2,
    /// A refresh token.
    RefreshToken,
    /// An access token.
    AccessToken,
    /// Some JWT.
    Jwt,
    /// An ID-JAG.
    IdJag,
}

impl TokenType {
    const ALL: [Self; 6] = [
        Self::IdToken,
        Self::Saml2,
        Self::RefreshToken,
        Self::AccessToken,
        Self::Jwt,
        Self::IdJag,
    ];

    /// The URN.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IdToken => "urn:ietf:params:oauth:token-type:id_token",
            Self::Saml2 => "urn:ietf:params:oauth:token-type:saml2",
            Self::RefreshToken => "urn:ietf:params:oauth:token-type:refresh_token",
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
            Self::IdJag => "urn:ietf:params:oauth:token-type:id-jag",
        }
    }

    /// Reads a URN; `None` for a type we do not know.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|token_type| token_type.as_str() == text)
    }
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for TokenType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl TokenExchangeRequest {
    pub(super) fn read(form: &Form<'_>) -> Result<Self, OAuthError> {
        let subject_token = required(form, "subject_token", "subject_token is missing")?;
        let missing = OAuthError::invalid_request("subject_token_type is missing");
        Ok(Self {
            subject_token: Secret::new(subject_token),
            subject_token_type: token_type(form, "subject_token_type")?.ok_or(missing)?,
            requested_token_type: token_type(form, "requested_token_type")?,
            audience: form.one("audience")?.map(str::to_owned),
            resource: resource(form)?,
            scope: scope(form)?,
            authorization_details: form.one("authorization_details")?.map(str::to_owned),
            actor_token: actor_token(form)?,
        })
    }
}

fn token_type(form: &Form<'_>, name: &str) -> Result<Option<TokenType>, OAuthError> {
    let unknown = OAuthError::invalid_request("a token type is not known");
    form.one(name)?
        .map(|text| TokenType::parse(text).ok_or(unknown))
        .transpose()
}

/// RFC 8693 §2.1: the type is there exactly when the token is.
fn actor_token(form: &Form<'_>) -> Result<Option<ActorToken>, OAuthError> {
    match (
        form.one("actor_token")?,
        token_type(form, "actor_token_type")?,
    ) {
        (None, None) => Ok(None),
        (Some(token), Some(token_type)) => Ok(Some(ActorToken {
            token: Secret::new(token),
            token_type,
        })),
        _ => Err(OAuthError::invalid_request(
            "actor_token and actor_token_type come together or not at all",
        )),
    }
}
