//! Code for ID token at the identity provider (OpenID Connect Core §3.1.3), and its verification.
//!
//! Gather: token endpoint and keys. Verify: signature by the connection's own keys, then every claim
//! in [`id_token::verify`]. The access token beside it is used for `at_hash` and dropped (AS-35).

use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use symbolon_net::FetchError;
use symbolon_protocol::id_token::{self, Expectations, IdToken, IdTokenError, Origin};
use symbolon_protocol::jose::UnverifiedJwt;
use symbolon_protocol::metadata::ProviderMetadata;
use symbolon_protocol::secret::Secret;
use symbolon_storage::directory::Connection;
use url::form_urlencoded::byte_serialize;

use super::attempt::Attempt;
use super::identity::Identity;
use super::start;
use crate::rows;
use crate::subject;
use crate::visit::Visit;

/// Why there is no identity. Texts are for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    /// The identity provider does not know the code (any more).
    #[error("the identity provider does not accept the code")]
    UsedCode,
    /// The identity provider or its keys cannot be reached.
    #[error("{0}")]
    Unavailable(String),
    /// The person belongs to another tenant of the shared issuer (N-029).
    #[error("the person belongs to another tenant")]
    OtherTenant,
    /// The person signed in longer ago than was asked for.
    #[error("the sign-in is older than was asked for, or its time is not said")]
    TooOld,
    /// The answer is not acceptable.
    #[error("{0}")]
    Failed(String),
}

/// What we read of a token answer.
struct TokenAnswer {
    id_token: Secret,
    access_token: Option<Secret>,
}

/// The same as it is sent.
#[derive(Deserialize)]
struct TokenDocument {
    id_token: Option<String>,
    access_token: Option<String>,
}

/// What we read of an error answer.
#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
}

/// Redeems the code and says who signed in.
///
/// # Errors
/// [`ExchangeError`].
pub(super) async fn run(
    visit: &Visit,
    connection: &Connection,
    metadata: &ProviderMetadata,
    attempt: &Attempt,
    code: &str,
) -> Result<Identity, ExchangeError> {
    let answer = redeem(visit, connection, metadata, attempt, code).await?;
    let jwt = UnverifiedJwt::parse(answer.id_token.expose()).map_err(failed)?;
    let row = rows::connection(connection);
    let keys = visit
        .state
        .issuer_keys
        .keys_for(&row, jwt.kid(), jwt.algorithm())
        .await;
    let keys = keys.map_err(|error| ExchangeError::Unavailable(error.to_string()))?;
    let jwt = jwt.verify(&keys).map_err(failed)?;
    let expected = Expectations {
        issuer: &connection.issuer,
        tenant: connection.tenant.as_ref().map(subject::tenant_claim),
        client_id: &connection.client_id,
        origin: Origin::SignIn {
            nonce: &attempt.nonce,
            access_token: answer.access_token.as_ref().map(Secret::expose),
        },
        max_age: attempt.max_age.map(Duration::from_secs),
    };
    let token: IdToken =
        id_token::verify(&jwt, &expected, visit.state.now()).map_err(|error| match error {
            IdTokenError::WrongTenant => ExchangeError::OtherTenant,
            IdTokenError::TooOld { .. } => ExchangeError::TooOld,
            other => failed(other),
        })?;
    Identity::read(connection, &token).map_err(failed)
}

async fn redeem(
    visit: &Visit,
    connection: &Connection,
    metadata: &ProviderMetadata,
    attempt: &Attempt,
    code: &str,
) -> Result<TokenAnswer, ExchangeError> {
    let endpoint = metadata.token_endpoint().map_err(failed)?;
    let callback_uri = start::callback_uri(&visit.state);
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &callback_uri),
        ("code_verifier", &attempt.verifier),
    ];
    let headers = authenticate(connection, metadata, &mut form)?;
    let client = visit
        .state
        .http
        .trusting(connection.ca_pem.as_deref())
        .map_err(failed)?;
    let class = rows::connection(connection).class;
    let answer = client.post_form(class, endpoint, headers, &form).await;
    let answer = answer.map_err(|error| ExchangeError::Unavailable(describe(&error)))?;
    if answer.status == StatusCode::OK {
        let document: TokenDocument = answer.json().map_err(failed)?;
        let id_token = document
            .id_token
            .ok_or_else(|| failed("the answer has no id_token"))?;
        let access_token = document.access_token.map(Secret::new);
        return Ok(TokenAnswer {
            id_token: Secret::new(id_token),
            access_token,
        });
    }
    let status = answer.status;
    match answer.json::<ErrorAnswer>() {
        Ok(body) if body.error == "invalid_grant" => Err(ExchangeError::UsedCode),
        Ok(body) => Err(failed(format!(
            "the token endpoint answered {status}: {:?}",
            body.error
        ))),
        Err(_) if status.is_server_error() => Err(ExchangeError::Unavailable(format!(
            "the token endpoint answered {status}"
        ))),
        Err(_) => Err(failed(format!("the token endpoint answered {status}"))),
    }
}

/// Authenticates us as the provider wants it: in the header unless only the form will do.
fn authenticate<'a>(
    connection: &'a Connection,
    metadata: &ProviderMetadata,
    form: &mut Vec<(&'a str, &'a str)>,
) -> Result<HeaderMap, ExchangeError> {
    let mut headers = HeaderMap::new();
    let Some(secret) = &connection.client_secret else {
        form.push(("client_id", &connection.client_id));
        return Ok(headers);
    };
    let methods = metadata
        .token_endpoint_auth_methods_supported
        .as_deref()
        .unwrap_or_default();
    let offers = |method: &str| methods.iter().any(|offered| offered == method);
    if offers("client_secret_post") && !offers("client_secret_basic") {
        form.push(("client_id", &connection.client_id));
        form.push(("client_secret", secret.expose()));
        return Ok(headers);
    }
    headers.insert(
        AUTHORIZATION,
        basic(&connection.client_id, secret).map_err(failed)?,
    );
    Ok(headers)
}

/// Both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
fn basic(
    client_id: &str,
    secret: &Secret,
) -> Result<HeaderValue, axum::http::header::InvalidHeaderValue> {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(client_id), encoded(secret.expose()));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))?;
    value.set_sensitive(true);
    Ok(value)
}

fn failed(error: impl std::fmt::Display) -> ExchangeError {
    ExchangeError::Failed(error.to_string())
}

fn describe(error: &FetchError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_form_encoded_before_they_are_joined() {
        let value = basic("a:b", &Secret::new("p%w +")).unwrap();
        assert!(value.is_sensitive());
        let text = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(STANDARD.decode(text).unwrap(), b"a%3Ab:p%25w+%2B");
    }
}
