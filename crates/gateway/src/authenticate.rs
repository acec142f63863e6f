//! From a request to its caller: token, person, revocation (requirements RS-20 to RS-26, §3.6).

use http::StatusCode;
use http::request::Parts;
use symbolon_protocol::challenge::Refusal;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::directory::{Directory, McpServer};

use crate::bearer::{BearerError, bearer};
use crate::caller::{Caller, CallerError};
use crate::fault::Fault;
use crate::protected_resource::{basic_scopes, metadata_url};
use crate::state::DataPlane;
use crate::token::{Expected, TokenError};

const NOT_ACCEPTED: &str = "the access token is missing, expired, revoked or not for this server";

/// Authenticates a request to a server.
///
/// # Errors
/// 400, 401 or 403 for the caller, 503 when something the answer depends on is not available.
pub(crate) async fn authenticate(
    gateway: &DataPlane,
    directory: &Directory,
    server: &McpServer,
    parts: &Parts,
    now: Timestamp,
) -> Result<Caller, Fault> {
    let caller = identify(gateway, directory, server, parts, now).await;
    caller.map_err(|failure| {
        let fault = failure.into_fault(gateway, server);
        if fault.status() != StatusCode::SERVICE_UNAVAILABLE {
            gateway.strangers.count(fault.kind(), &gateway.journal, now);
        }
        fault
    })
}

async fn identify(
    gateway: &DataPlane,
    directory: &Directory,
    server: &McpServer,
    parts: &Parts,
    now: Timestamp,
) -> Result<Caller, Failure> {
    let token = bearer(parts)?;
    // What cannot be known to be unrevoked is not looked at (design §4 rule 16).
    if !gateway.revocations.is_fresh(now) {
        return Err(Failure::StaleRevocations);
    }
    let keys = gateway.keys.load();
    let expected = Expected {
        server,
        directory,
        keys: &keys,
        now,
    };
    let token = gateway.verifier.verify(token, expected).await?;
    Ok(Caller::find(token, &gateway.facts, &gateway.revocations, now).await?)
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Bearer(#[from] BearerError),
    #[error("the revocation index is older than a second")]
    StaleRevocations,
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Caller(#[from] CallerError),
}

impl Failure {
    fn into_fault(self, gateway: &DataPlane, server: &McpServer) -> Fault {
        let scope = basic_scopes(server);
        let refusal = match &self {
            Self::StaleRevocations
            | Self::Token(TokenError::Keys(_))
            | Self::Caller(CallerError::Storage(_)) => {
                let fault = Fault::unavailable("the access token cannot be checked now: try again");
                return fault.because(self);
            }
            Self::Bearer(BearerError::Absent | BearerError::OtherScheme) => {
                Refusal::NoToken { scope: &scope }
            }
            Self::Bearer(BearerError::Repeated | BearerError::Misplaced) => Refusal::InvalidRequest,
            Self::Caller(CallerError::Unlinked) => Refusal::Policy,
            Self::Bearer(BearerError::Malformed)
            | Self::Token(_)
            | Self::Caller(CallerError::Revoked | CallerError::Inactive) => {
                Refusal::InvalidToken { scope: &scope }
            }
        };
        let description = match &self {
            // These say nothing that the caller does not know; the others look all the same.
            Self::Bearer(error) => error.to_string(),
            Self::Caller(error @ CallerError::Unlinked) => error.to_string(),
            _ => NOT_ACCEPTED.to_owned(),
        };
        let url = metadata_url(&gateway.public_url, &server.id);
        Fault::refused(&refusal, &url, &description).because(self)
    }
}
