//! The redirect that ends an authorization request ([RFC 6749] §4.1.2, [RFC 9207]).
//!
//! Success and error both carry `iss` (AS-28) and the client's `state` unchanged; no parameter is
//! there twice, because a registered query cannot contain one of them (AS-29).
//!
//! [RFC 6749]: https://www.rfc-editor.org/rfc/rfc6749
//! [RFC 9207]: https://www.rfc-editor.org/rfc/rfc9207

use url::form_urlencoded::byte_serialize;

use crate::issuer::Issuer;
use crate::oauth_error::OAuthError;
use crate::redirect_uri::VerifiedRedirectUri;
use crate::secret::Secret;

/// Where an answer goes and what every answer carries.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationResponse<'a> {
    /// The client's own address.
    pub redirect_uri: &'a VerifiedRedirectUri,
    /// The `state` of the request.
    pub state: Option<&'a str>,
    /// Our own issuer.
    pub issuer: &'a Issuer,
}

impl AuthorizationResponse<'_> {
    /// The `Location` that delivers a code.
    #[must_use]
    pub fn code(&self, code: &Secret) -> String {
        self.location(&[("code", code.expose())])
    }

    /// The `Location` that tells the client why there is no code.
    #[must_use]
    pub fn error(&self, error: &OAuthError) -> String {
        let description = error.description;
        self.location(&[
            ("error", error.code.as_str()),
            ("error_description", description),
        ])
    }

    fn location(&self, own: &[(&str, &str)]) -> String {
        let mut location = self.redirect_uri.as_str().to_owned();
        let state = self.state.map(|state| ("state", state));
        let common = state.into_iter().chain([("iss", self.issuer.as_str())]);
        for (name, value) in own
            .iter()
            .copied()
            .chain(common)
            .filter(|(_, v)| !v.is_empty())
        {
            let needs_none = location.ends_with(['?', '&']);
            let separator = if location.contains('?') { "&" } else { "?" };
            location.push_str(if needs_none { "" } else { separator });
            location.push_str(name);
            location.push('=');
            location.extend(byte_serialize(value.as_bytes()));
        }
        location
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;
    use crate::oauth_error::OAuthErrorCode;
    use crate::redirect_uri::{RegisteredRedirectUri, select};

    fn respond(registered: &str, state: Option<&str>, result: Result<&str, OAuthError>) -> String {
        let registered = [RegisteredRedirectUri::parse(registered).unwrap()];
        let redirect_uri = select(None, &registered).unwrap();
        let issuer = Issuer::parse("https://idp.globex.example").unwrap();
        let response = AuthorizationResponse {
            redirect_uri: &redirect_uri,
            state,
            issuer: &issuer,
        };
        match result {
            Ok(code) => response.code(&Secret::new(code)),
            Err(error) => response.error(&error),
        }
    }

    /// The redirect of requirements §6.5, byte for byte.
    #[test]
    fn the_worked_example_is_reproduced() {
        let location = respond(
            "https://agent.initech.example/cb",
            Some("s-71c"),
            Ok("c0d3-5521"),
        );
        let expected = "https://agent.initech.example/cb?code=c0d3-5521&state=s-71c\
                        &iss=https%3A%2F%2Fidp.globex.example";
        assert_eq!(location, expected);
    }

    /// N-017, AS-28: errors carry `iss` as well.
    #[test]
    fn an_error_carries_state_and_issuer_and_no_code() {
        let error = OAuthError::new(OAuthErrorCode::AccessDenied, "not allowed");
        assert_eq!(
            respond("https://a.example/cb", None, Err(error)),
            "https://a.example/cb?error=access_denied&error_description=not+allowed\
             &iss=https%3A%2F%2Fidp.globex.example"
        );
    }

    #[test]
    fn the_registered_query_is_kept() {
        for registered in [
            "https://a.example/cb?x=%20y",
            "https://a.example/cb?x=%20y&",
        ] {
            let location = respond(registered, None, Ok("c"));
            assert!(
                location.starts_with("https://a.example/cb?x=%20y&code=c&iss="),
                "{location}"
            );
        }
        let location = respond("com.example.app:/cb", None, Ok("c"));
        assert!(location.starts_with("com.example.app:/cb?code=c&iss="));
    }

    proptest! {
        /// AS-29.
        #[test]
        fn state_comes_back_unchanged_and_once(state in "\\PC{1,40}") {
            let location = respond("https://a.example/cb?x=1", Some(&state), Ok("c"));
            let url = Url::parse(&location).unwrap();
            let states: Vec<_> = url.query_pairs().filter(|(name, _)| name == "state").collect();
            prop_assert_eq!(states.len(), 1);
            prop_assert_eq!(states[0].1.as_ref(), state.as_str());
            prop_assert_eq!(url.fragment(), None);
            prop_assert_eq!(url.query_pairs().count(), 4);
        }
    }
}
