//! The form of introspection and revocation: a token, an optional hint, and the client's own
//! parameters (RFC 7009 §2.1, RFC 7662 §2.1).

use symbolon_protocol::form::Form;
use symbolon_protocol::oauth_error::OAuthError;
use symbolon_protocol::secret::Secret;
use symbolon_protocol::token_request::ClientParameters;

/// A read form. The hint is not needed: our tokens tell by their form what they are.
pub(crate) struct TokenForm {
    pub(crate) token: Secret,
    pub(crate) client: ClientParameters,
}

impl TokenForm {
    /// Reads the body.
    ///
    /// # Errors
    /// `invalid_request` for a repeated parameter or without `token`.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, OAuthError> {
        let form = Form::parse(body)?;
        form.refuse_repeated(&[])?;
        let missing = OAuthError::invalid_request("token is missing");
        let token = Secret::new(form.one("token")?.ok_or(missing)?);
        Ok(Self {
            token,
            client: ClientParameters::read(&form)?,
        })
    }
}
