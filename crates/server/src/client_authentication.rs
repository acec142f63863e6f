//! Client authentication at every form endpoint (RFC 6749 §2.3, RFC 7523; requirements AS-50 to
//! AS-56).
//!
//! A client is looked up at the issuer it talks to and nowhere else: the same id at another issuer
//! is another client (design §4 rule 15). An unknown client costs what a wrong secret costs.

use axum::http::{HeaderMap, header};
use symbolon_protocol::client_assertion::{self, ClientAssertion};
use symbolon_protocol::client_authentication::PresentedCredentials;
use symbolon_protocol::digest;
use symbolon_protocol::ids::{ClientId, OrganizationId};
use symbolon_protocol::jose::UnverifiedJwt;
use symbolon_protocol::jose::validity::LEEWAY;
use symbolon_protocol::oauth_error::{OAuthError, OAuthErrorCode};
use symbolon_protocol::secret::Secret;
use symbolon_protocol::token_request::{ClientParameters, GrantType};
use symbolon_storage::directory::{Client, ClientAuthentication, ClientGrant};
use symbolon_storage::single_use::{self, SingleUse};
use symbolon_storage::{StorageError, Transaction};

use crate::oauth_response::Refusal;
use crate::rows;
use crate::state::{AppState, IssuerContext};

/// A client that proved who it is, or a public one that claimed an id.
#[derive(Clone)]
pub(crate) struct AuthenticatedClient {
    client: Client,
    /// Not yet used up: that belongs into the transaction of the request.
    assertion: Option<ClientAssertion>,
}

/// Why authentication failed: told to the log, not to the caller.
enum Failure {
    Refused(String),
    Unavailable,
}

/// Authenticates the caller.
///
/// # Errors
/// `invalid_request` for two methods in one request, `invalid_client` for everything else, and
/// `temporarily_unavailable` when a client's keys cannot be fetched.
pub(crate) async fn authenticate(
    state: &AppState,
    issuer: &IssuerContext,
    headers: &HeaderMap,
    parameters: ClientParameters,
) -> Result<AuthenticatedClient, Refusal> {
    let authorization = authorization(headers)?;
    let used_header = authorization.is_some();
    let presented = match PresentedCredentials::read(authorization, parameters) {
        Ok(presented) => presented,
        Err(error) if error.code == OAuthErrorCode::InvalidClient => {
            return Err(Refusal::invalid_client(used_header));
        }
        Err(error) => return Err(error.into()),
    };
    check(state, issuer, presented).await.map_err(|failure| match failure {
        Failure::Unavailable => Refusal::temporarily_unavailable(),
        Failure::Refused(reason) => {
            tracing::info!(issuer = %issuer.issuer, reason, "client authentication failed: {reason}");
            Refusal::invalid_client(used_header)
        }
    })
}

async fn check(
    state: &AppState,
    issuer: &IssuerContext,
    presented: PresentedCredentials,
) -> Result<AuthenticatedClient, Failure> {
    let registered = |id: &ClientId, method: ClientAuthentication| {
        let directory = state.directory.load();
        directory
            .client(&issuer.role, id)
            .filter(|client| client.authentication == method)
            .cloned()
    };
    match presented {
        PresentedCredentials::Basic { client_id, secret } => with_secret(
            registered(&client_id, ClientAuthentication::ClientSecretBasic),
            &secret,
        ),
        PresentedCredentials::Post { client_id, secret } => with_secret(
            registered(&client_id, ClientAuthentication::ClientSecretPost),
            &secret,
        ),
        PresentedCredentials::Assertion {
            client_id,
            assertion,
        } => {
            let jwt = UnverifiedJwt::parse(assertion.expose())
                .map_err(|error| Failure::Refused(format!("client assertion: {error}")))?;
            let named =
                client_id.or_else(|| ClientId::parse(jwt.unverified_claim_str("iss")?).ok());
            let client = named
                .and_then(|id| registered(&id, ClientAuthentication::PrivateKeyJwt))
                .ok_or_else(|| refused("the client is unknown or does not sign assertions"))?;
            with_assertion(state, issuer, client, &jwt).await
        }
        PresentedCredentials::None { client_id } => {
            registered(&client_id, ClientAuthentication::None)
                .map(|client| AuthenticatedClient {
                    client,
                    assertion: None,
                })
                .ok_or_else(|| refused("the client did not authenticate"))
        }
    }
}

fn refused(reason: &str) -> Failure {
    Failure::Refused(reason.to_owned())
}

/// The one `Authorization` header.
fn authorization(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(OAuthError::invalid_request("send one Authorization header").into());
    }
    value
        .to_str()
        .map(Some)
        .map_err(|_| Refusal::invalid_client(true))
}

fn with_secret(client: Option<Client>, presented: &Secret) -> Result<AuthenticatedClient, Failure> {
    // Compared even without a client: an unknown client must cost the same as a wrong secret.
    let registered = client.as_ref().and_then(|client| client.secret_sha256);
    let presented = digest::sha256(presented.expose().as_bytes());
    let matches = digest::constant_time_eq(&registered.unwrap_or_default(), &presented);
    client
        .filter(|_| matches && registered.is_some())
        .map(|client| AuthenticatedClient {
            client,
            assertion: None,
        })
        .ok_or_else(|| refused("the client is unknown or its secret is wrong"))
}

async fn with_assertion(
    state: &AppState,
    issuer: &IssuerContext,
    client: Client,
    jwt: &UnverifiedJwt<'_>,
) -> Result<AuthenticatedClient, Failure> {
    let keys = client
        .keys
        .as_ref()
        .ok_or_else(|| refused("the client has no keys"))?;
    let row = rows::client(issuer, &client, keys);
    let keys = state.issuer_keys.keys_for(&row, jwt.header().kid(), jwt.header().algorithm()).await.map_err(|error| {
        tracing::warn!(client.id = %client.id, error = %error, "no keys of the client: {error}");
        Failure::Unavailable
    })?;
    let jwt = jwt
        .verify(&keys)
        .map_err(|error| Failure::Refused(error.to_string()))?;
    let assertion = client_assertion::verify(&jwt, &issuer.issuer, &client.id, state.now())
        .map_err(|error| Failure::Refused(error.to_string()))?;
    Ok(AuthenticatedClient {
        client,
        assertion: Some(assertion),
    })
}

impl AuthenticatedClient {
    /// The client's id at this issuer.
    pub(crate) fn id(&self) -> &ClientId {
        &self.client.id
    }

    /// The method's registered name, as policy sees it.
    pub(crate) fn method(&self) -> &'static str {
        self.client.authentication.as_str()
    }

    /// Whether the client proved who it is.
    pub(crate) fn is_confidential(&self) -> bool {
        self.client.authentication != ClientAuthentication::None
    }

    /// Whether the client is registered for a grant.
    pub(crate) fn may_use(&self, grant: GrantType) -> bool {
        self.client.grants.contains(&registered(grant))
    }

    /// Whether an organization may use this client: its owner, or one it is offered to.
    pub(crate) fn is_offered_to(&self, organization: &OrganizationId) -> bool {
        self.client.is_available_to(organization)
    }

    /// Uses the client assertion up; `false` when it was used before (AS-52).
    pub(crate) async fn claim_assertion(&self, tx: &mut Transaction) -> Result<bool, StorageError> {
        let Some(assertion) = &self.assertion else {
            return Ok(true);
        };
        let scope = format!("{} {}", self.client.issuer, self.client.id);
        let until = assertion.expires_at.plus(LEEWAY);
        single_use::claim(
            tx,
            SingleUse::ClientAssertion,
            &scope,
            &assertion.jti,
            until,
        )
        .await
    }
}

/// The name under which a grant is registered for a client.
fn registered(grant: GrantType) -> ClientGrant {
    match grant {
        GrantType::AuthorizationCode => ClientGrant::AuthorizationCode,
        GrantType::RefreshToken => ClientGrant::RefreshToken,
        GrantType::JwtBearer => ClientGrant::JwtBearer,
        GrantType::TokenExchange => ClientGrant::TokenExchange,
    }
}
