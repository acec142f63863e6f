//! How a client presents itself at a form endpoint ([RFC 6749] §2.3, [RFC 7521] §4.2).
//!
//! Exactly one method per request (AS-50, N-061). Nothing is checked against a registration here;
//! the caller compares the method with the registered one and then the credentials.
//!
//! [RFC 6749]: https://www.rfc-editor.org/rfc/rfc6749
//! [RFC 7521]: https://www.rfc-editor.org/rfc/rfc7521

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::form;
use crate::ids::ClientId;
use crate::oauth_error::{OAuthError, OAuthErrorCode};
use crate::secret::Secret;
use crate::token_request::ClientParameters;

/// The only `client_assertion_type` we know (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client presents to authenticate itself.
#[derive(Clone, Debug)]
pub enum PresentedCredentials {
    /// `none`: only a name, for public clients.
    None {
        /// The name.
        client_id: ClientId,
    },
    /// `client_secret_basic`: in the `Authorization` header.
    Basic {
        /// The name.
        client_id: ClientId,
        /// The secret.
        secret: Secret,
    },
    /// `client_secret_post`: in the body.
    Post {
        /// The name.
        client_id: ClientId,
        /// The secret.
        secret: Secret,
    },
    /// `private_key_jwt`: a signed assertion.
    Assertion {
        /// The name in the body; must then equal the assertion's subject (AS-55).
        client_id: Option<ClientId>,
        /// The assertion, unread.
        assertion: Secret,
    },
}

const TWO_METHODS: OAuthError =
    OAuthError::invalid_request("authenticate the client in one place only");
const REFUSED: OAuthError = OAuthError::new(
    OAuthErrorCode::InvalidClient,
    "client authentication failed",
);

impl PresentedCredentials {
    /// Reads the `Authorization` header and the client's parameters of the body.
    ///
    /// A `client_id` beside the header must be the same as in the header.
    ///
    /// # Errors
    /// `invalid_request` for two methods or half of one, `invalid_client` for none, for another
    /// scheme than Basic, and for what cannot be decoded.
    pub fn read(
        authorization: Option<&str>,
        parameters: ClientParameters,
    ) -> Result<Self, OAuthError> {
        let ClientParameters {
            client_id,
            client_secret,
            client_assertion,
            client_assertion_type,
        } = parameters;
        let client_id = client_id.map(|id| ClientId::parse(&id)).transpose();
        let client_id = client_id.map_err(|_| REFUSED)?;
        let asserts = client_assertion.is_some() || client_assertion_type.is_some();
        match (authorization, client_secret) {
            (None, None) if asserts => assertion(
                client_id,
                client_assertion,
                client_assertion_type.as_deref(),
            ),
            (Some(header), None) if !asserts => basic(header, client_id),
            (None, Some(secret)) if !asserts => {
                let missing = OAuthError::invalid_request("client_id is missing");
                Ok(Self::Post {
                    client_id: client_id.ok_or(missing)?,
                    secret,
                })
            }
            (None, None) => Ok(Self::None {
                client_id: client_id.ok_or(REFUSED)?,
            }),
            _ => Err(TWO_METHODS),
        }
    }
}

/// RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
fn basic(header: &str, named: Option<ClientId>) -> Result<PresentedCredentials, OAuthError> {
    let (client_id, secret) = decode_basic(header).ok_or(REFUSED)?;
    if named.is_some_and(|named| named != client_id) {
        return Err(REFUSED);
    }
    Ok(PresentedCredentials::Basic { client_id, secret })
}

fn decode_basic(header: &str) -> Option<(ClientId, Secret)> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = zeroize::Zeroizing::new(STANDARD.decode(credentials.trim()).ok()?);
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let client_id = ClientId::parse(&form::decode(&decoded[..colon])?).ok()?;
    let secret = form::decode(&decoded[colon + 1..])?;
    (!secret.is_empty()).then(|| (client_id, Secret::new(secret)))
}

fn assertion(
    client_id: Option<ClientId>,
    assertion: Option<Secret>,
    assertion_type: Option<&str>,
) -> Result<PresentedCredentials, OAuthError> {
    match (assertion, assertion_type) {
        (Some(assertion), Some(JWT_BEARER)) => Ok(PresentedCredentials::Assertion {
            client_id,
            assertion,
        }),
        (Some(_), Some(_)) => Err(REFUSED),
        _ => Err(OAuthError::invalid_request(
            "client_assertion and client_assertion_type come together or not at all",
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::form::Form;

    fn read(header: Option<&str>, body: &str) -> Result<PresentedCredentials, OAuthError> {
        let form = Form::parse(body.as_bytes()).unwrap();
        PresentedCredentials::read(header, ClientParameters::read(&form).unwrap())
    }

    fn header(credentials: &str) -> String {
        format!("Basic {}", STANDARD.encode(credentials))
    }

    fn code(result: Result<PresentedCredentials, OAuthError>) -> OAuthErrorCode {
        result.map(|_| ()).unwrap_err().code
    }

    /// AS-51, CFM-02: id and secret are form-encoded before base64.
    #[test]
    fn basic_credentials_are_form_decoded() {
        let header = header("https%3A%2F%2Fagent.example%2Fclient:s%3A+%2B%C3%A4");
        let credentials = read(
            Some(&header),
            "client_id=https%3A%2F%2Fagent.example%2Fclient",
        );
        let Ok(PresentedCredentials::Basic { client_id, secret }) = credentials else {
            panic!("{credentials:?}")
        };
        assert_eq!(client_id.as_str(), "https://agent.example/client");
        assert_eq!(secret.expose(), "s: +ä");
    }

    #[test]
    fn the_other_methods_are_recognized() {
        use PresentedCredentials::{Assertion, None as Public, Post};
        assert!(matches!(
            read(None, "client_id=a&client_secret=s"),
            Ok(Post { .. })
        ));
        assert!(matches!(
            read(None, "client_id=a&client_secret="),
            Ok(Public { .. })
        ));
        let assertion = format!("client_assertion=x&client_assertion_type={JWT_BEARER}");
        assert!(matches!(
            read(None, &assertion),
            Ok(Assertion {
                client_id: None,
                ..
            })
        ));
        let named = format!("{assertion}&client_id=a");
        assert!(matches!(
            read(None, &named),
            Ok(Assertion {
                client_id: Some(_),
                ..
            })
        ));
    }

    /// N-061.
    #[test]
    fn two_methods_in_one_request_are_refused() {
        let header = header("a:s");
        let assertion = format!("client_assertion=x&client_assertion_type={JWT_BEARER}");
        for (header, body) in [
            (
                Some(header.as_str()),
                "client_id=a&client_secret=s".to_owned(),
            ),
            (Some(header.as_str()), assertion.clone()),
            (None, format!("client_id=a&client_secret=s&{assertion}")),
        ] {
            assert_eq!(
                code(read(header, &body)),
                OAuthErrorCode::InvalidRequest,
                "{body}"
            );
        }
    }

    /// AS-56, N-062.
    #[test]
    fn what_cannot_authenticate_is_an_invalid_client() {
        let other_scheme = Some("Bearer abc");
        let no_colon = header("a");
        let empty = header("a:");
        let broken = header("a:%zz");
        for header in [
            None,
            other_scheme,
            Some("Basic ?"),
            Some("Basic"),
            Some(""),
            Some(&no_colon),
        ]
        .into_iter()
        .chain([Some(empty.as_str()), Some(&broken)])
        {
            assert_eq!(
                code(read(header, "")),
                OAuthErrorCode::InvalidClient,
                "{header:?}"
            );
        }
        let (other_name, named) = (header("a:s"), "client_id=b");
        assert_eq!(
            code(read(Some(&other_name), named)),
            OAuthErrorCode::InvalidClient
        );
        assert_eq!(
            code(read(None, "client_id=a%20b")),
            OAuthErrorCode::InvalidClient
        );
        let other_type = "client_assertion=x&client_assertion_type=urn:saml2";
        assert_eq!(code(read(None, other_type)), OAuthErrorCode::InvalidClient);
    }

    #[test]
    fn half_a_method_is_an_invalid_request() {
        let assertion_type = format!("client_assertion_type={JWT_BEARER}");
        for body in [
            "client_secret=s",
            "client_assertion=x",
            assertion_type.as_str(),
        ] {
            assert_eq!(
                code(read(None, body)),
                OAuthErrorCode::InvalidRequest,
                "{body}"
            );
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(header in "(Basic )?\\PC{0,40}", credentials in "\\PC{0,40}") {
            let _ = read(Some(&header), "");
            let _ = read(Some(&self::header(&credentials)), "client_id=a");
        }
    }
}
