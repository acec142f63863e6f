//! The frame of a form endpoint (RFC 6749 §3.2): a form body, and nothing in the URL.

use axum::http::{HeaderMap, Uri, header};
use symbolon_protocol::oauth_error::{OAuthError, OAuthErrorCode};

/// Refuses what is not a form, and parameters in the URL, where they would be logged on the way.
///
/// # Errors
/// `invalid_request`, naming which of the two it was.
pub(crate) fn require_form(headers: &HeaderMap, uri: &Uri) -> Result<(), OAuthError> {
    let refuse = |description| OAuthError {
        code: OAuthErrorCode::InvalidRequest,
        description,
    };
    if uri.query().is_some() {
        return Err(refuse("send every parameter in the body, none in the URL"));
    }
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = content_type
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if media_type.is_some_and(|m| m.eq_ignore_ascii_case("application/x-www-form-urlencoded")) {
        Ok(())
    } else {
        Err(refuse("the body must be application/x-www-form-urlencoded"))
    }
}
