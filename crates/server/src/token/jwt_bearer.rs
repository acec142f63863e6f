//! Redeeming an ID-JAG ([RFC 7523] §2.1 with the profile of
//! draft-ietf-oauth-identity-assertion-authz-grant-04 §4.4; requirements 1.7 and 1.8).
//!
//! Nothing in the assertion picks an issuer, a key or an organization: the unverified `iss` only
//! selects a `trusted_issuer` row, and that row fixes the rest.
//!
//! [RFC 7523]: https://www.rfc-editor.org/rfc/rfc7523

use std::sync::Arc;

use symbolon_policy::{Action, Target};
use symbolon_protocol::id_jag::{self, IdJag};
use symbolon_protocol::jose::validity::LEEWAY;
use symbolon_protocol::jose::{JwkSet, UnverifiedJwt, VerifiedJwt};
use symbolon_protocol::oauth_error::OAuthErrorCode;
use symbolon_protocol::random;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::token_request::JwtBearerRequest;
use symbolon_storage::directory::{McpServer, TrustedIssuer};
use symbolon_storage::grant::{self, NewGrant, Origin};
use symbolon_storage::single_use::{self, SingleUse};
use symbolon_storage::{AuthenticationFacts, StorageError, Transaction};

use super::mint::{AccessToken, Authorized};
use super::{Denied, Exchange};
use crate::grant_decision::{self, Asker};
use crate::{rows, subject};

/// A verified signature and the row that vouches for its issuer.
pub(super) struct Gathered {
    trusted: TrustedIssuer,
    jwt: VerifiedJwt,
    request: JwtBearerRequest,
}

/// An ID-JAG that holds in every respect a database is not needed for.
pub(super) struct Verified {
    trusted: TrustedIssuer,
    id_jag: IdJag,
    server: McpServer,
    scopes: ScopeSet,
}

/// Finds the trusted issuer and its keys, and checks the signature.
///
/// # Errors
/// `invalid_request` for an assertion beyond the size limit, `temporarily_unavailable` when the
/// issuer's keys cannot be had, otherwise `invalid_grant`.
pub(super) async fn gather(
    exchange: &Exchange,
    request: JwtBearerRequest,
) -> Result<Gathered, Denied> {
    let jwt = UnverifiedJwt::parse(request.assertion.expose()).map_err(|error| {
        let code = match error.is_oversized() {
            true => OAuthErrorCode::InvalidRequest,
            false => OAuthErrorCode::InvalidGrant,
        };
        Denied::new(code, format!("assertion: {error}"))
    })?;
    // Before any key is fetched: an ID token or access token must not cause outbound traffic.
    if !jwt.header().has_type(id_jag::TYP) {
        let typ = jwt.header().typ();
        return Err(Denied::invalid_grant(format!(
            "typ is {typ:?}, not an ID-JAG's"
        )));
    }
    let trusted = trusted_issuer(exchange, &jwt)?;
    let of = |denied: Denied| denied.of(&trusted.organization);
    let keys = keys(exchange, &trusted, &jwt).await.map_err(of)?;
    let jwt = jwt
        .verify(&keys)
        .map_err(|error| of(Denied::invalid_grant(error.to_string())))?;
    Ok(Gathered {
        trusted,
        jwt,
        request,
    })
}

/// The issuer's own keys, or those we publish where the issuer is one of our own.
async fn keys(
    exchange: &Exchange,
    trusted: &TrustedIssuer,
    jwt: &UnverifiedJwt<'_>,
) -> Result<Arc<JwkSet>, Denied> {
    let header = jwt.header();
    let row = rows::trusted_issuer(trusted);
    exchange
        .state
        .issuer_keys
        .keys_for(&row, header.kid(), header.algorithm())
        .await
        .map_err(|error| {
            tracing::warn!(issuer = %trusted.issuer, "no keys: {error}");
            Denied::new(OAuthErrorCode::TemporarilyUnavailable, error.to_string())
        })
}

/// The one row for this issuer and tenant that lets this client redeem.
fn trusted_issuer(exchange: &Exchange, jwt: &UnverifiedJwt<'_>) -> Result<TrustedIssuer, Denied> {
    let issuer = jwt.unverified_claim_str("iss").unwrap_or_default();
    if issuer == exchange.issuer.issuer.as_str() {
        return Err(Denied::invalid_grant(
            "the assertion names this server as its issuer",
        ));
    }
    let directory = exchange.state.directory.load();
    let is_of_tenant = |row: &&TrustedIssuer| {
        row.tenant.as_ref().is_none_or(|tenant| {
            jwt.unverified_claim_str(&tenant.claim) == Some(tenant.value.as_str())
        })
    };
    let row = directory
        .trusted_issuers_for(issuer)
        .iter()
        .find(is_of_tenant);
    let row = row.ok_or_else(|| {
        let shown: String = issuer.chars().take(200).collect();
        Denied::invalid_grant(format!("issuer {shown:?} is not trusted"))
    })?;
    let denied = |code, reason: &str| Denied::new(code, reason).of(&row.organization);
    if !row.public_clients && !exchange.client.is_confidential() {
        let reason = "a public client may not redeem assertions of this issuer";
        return Err(denied(OAuthErrorCode::InvalidClient, reason));
    }
    let named = row
        .clients
        .as_ref()
        .is_none_or(|ids| ids.contains(exchange.client.id()));
    if named && exchange.client.is_offered_to(&row.organization) {
        Ok(row.clone())
    } else {
        let reason = "the client is not accepted with this issuer";
        Err(denied(OAuthErrorCode::InvalidGrant, reason))
    }
}

/// Checks every claim, the resource and the scopes.
///
/// # Errors
/// `invalid_grant`, `invalid_target` or `invalid_scope`, as requirements 5.5 fix them.
pub(super) fn verify(exchange: &Exchange, gathered: Gathered) -> Result<Verified, Denied> {
    let organization = gathered.trusted.organization.clone();
    check(exchange, gathered).map_err(|denied| denied.of(&organization))
}

fn check(exchange: &Exchange, gathered: Gathered) -> Result<Verified, Denied> {
    let Gathered {
        trusted,
        jwt,
        request,
    } = gathered;
    let expected = id_jag::Expectations {
        issuer: &trusted.issuer,
        tenant: trusted.tenant.as_ref().map(subject::tenant_claim),
        audience: &[exchange.issuer.issuer.as_str()],
        client_id: exchange.client.id(),
        max_lifetime: trusted.max_lifetime,
    };
    let mut id_jag = id_jag::verify(&jwt, &expected, exchange.state.now())
        .map_err(|error| Denied::invalid_grant(error.to_string()))?;
    // As at sign-in: an address that the issuer itself does not vouch for says nothing, or whoever
    // may choose an address there would get what is assigned to it here (N-142).
    if id_jag.email_verified == Some(false) {
        id_jag.email = None;
    }
    if id_jag.confirmation.is_some() {
        return Err(Denied::invalid_grant(
            "the assertion is bound to a key; no proof came with it",
        ));
    }
    if id_jag
        .authorization_details
        .as_ref()
        .is_some_and(|details| !details.is_empty())
    {
        let reason = "no type of authorization_details is registered";
        return Err(Denied::new(
            OAuthErrorCode::InvalidAuthorizationDetails,
            reason,
        ));
    }
    let server = resource(exchange, &trusted, &id_jag, &request)?;
    let scopes = scopes(&trusted, &id_jag, &server, &request)?;
    Ok(Verified {
        trusted,
        id_jag,
        server,
        scopes,
    })
}

/// The MCP server the assertion is for: named by it, or the only one there is (AS-101, AS-102).
fn resource(
    exchange: &Exchange,
    trusted: &TrustedIssuer,
    id_jag: &IdJag,
    request: &JwtBearerRequest,
) -> Result<McpServer, Denied> {
    let directory = exchange.state.directory.load();
    let governed: Vec<&McpServer> = match &id_jag.resource {
        None => directory
            .servers()
            .filter(|server| server.is_available_to(&trusted.organization))
            .collect(),
        Some(resources) => resources
            .iter()
            .map(|resource| directory.server_by_resource(resource))
            .map(|server| server.filter(|server| server.is_available_to(&trusted.organization)))
            .collect::<Option<_>>()
            .ok_or_else(|| Denied::invalid_grant("a resource is not governed by this server"))?,
    };
    if let Some(requested) = &request.resource {
        let server = governed
            .iter()
            .find(|server| server.resource == requested.as_str());
        return server
            .map(|server| (*server).clone())
            .ok_or_else(|| Denied::invalid_target("resource differs from the assertion's"));
    }
    match governed.as_slice() {
        [server] => Ok((*server).clone()),
        _ => Err(Denied::invalid_grant(
            "the assertion does not say which one resource it is for",
        )),
    }
}

/// ID-JAG scopes ∩ requested scopes; policy is asked inside the transaction (AS-104).
fn scopes(
    trusted: &TrustedIssuer,
    id_jag: &IdJag,
    server: &McpServer,
    request: &JwtBearerRequest,
) -> Result<ScopeSet, Denied> {
    let defaults = || ScopeSet::from_scopes(&trusted.default_scopes);
    let asserted = id_jag.scope.clone().map_or_else(defaults, Ok);
    let asserted = asserted.map_err(|error| Denied::invalid_scope(error.to_string()))?;
    if !asserted.is_subset(&server.scopes) {
        return Err(Denied::invalid_grant(
            "the assertion has a scope unknown at the resource",
        ));
    }
    let scopes = match &request.scope {
        Some(requested) => asserted.intersection(requested),
        None => asserted,
    };
    if scopes.is_empty() {
        return Err(Denied::invalid_scope(
            "no scope is both asserted and requested",
        ));
    }
    Ok(scopes)
}

/// Uses the `jti` up, resolves the person, asks policy and records the grant.
pub(super) async fn authorize(
    exchange: &Exchange,
    tx: &mut Transaction,
    verified: Verified,
) -> Result<Result<Authorized, Denied>, StorageError> {
    let organization = verified.trusted.organization.clone();
    let outcome = authorize_in(exchange, tx, verified).await?;
    Ok(outcome.map_err(|denied| denied.of(&organization)))
}

async fn authorize_in(
    exchange: &Exchange,
    tx: &mut Transaction,
    verified: Verified,
) -> Result<Result<Authorized, Denied>, StorageError> {
    let Verified {
        trusted,
        id_jag,
        server,
        scopes,
    } = verified;
    let now = exchange.state.now();
    let forget_after = id_jag.expires_at.plus(LEEWAY);
    let issuer = trusted.issuer.as_str();
    if trusted.single_use
        && !single_use::claim(tx, SingleUse::IdJag, issuer, &id_jag.jti, forget_after).await?
    {
        return Ok(Err(Denied::invalid_grant(
            "the assertion was redeemed before",
        )));
    }
    let person = match subject::resolve(&exchange.state, tx, &trusted, &id_jag).await? {
        Ok(person) => person,
        Err(reason) => return Ok(Err(Denied::invalid_grant(reason))),
    };
    let facts = AuthenticationFacts {
        auth_time: id_jag.auth_time,
        acr: id_jag.acr.clone(),
        amr: id_jag.amr.clone(),
    };
    let asker = Asker::new(exchange, &trusted.organization, &person, &facts);
    let engine = exchange.state.engine.load();
    let target = Target::Server(&server.id);
    let decision =
        grant_decision::decide_scopes(&engine, &asker, Action::GrantAccess, target, &scopes, now);
    let decision = match decision.into_granted() {
        Ok(decision) => decision,
        // Until the `access_denied` profile is merged upstream, this is the answer.
        Err(denied) => {
            return Ok(Err(Denied {
                code: OAuthErrorCode::InvalidGrant,
                step_up: None,
                ..denied
            }));
        }
    };
    let new = NewGrant {
        role: exchange.issuer.role.clone(),
        organization: trusted.organization.clone(),
        user: Some(person.user.id.clone()),
        client: exchange.client.id().clone(),
        resource: server.resource.clone(),
        scopes: decision.scopes.clone(),
        session: None,
        origin: Origin::IdJag,
    };
    let Some(grant) = grant::upsert(tx, &new, now).await? else {
        return Ok(Err(Denied::invalid_grant("the person is not active")));
    };
    Ok(Ok(Authorized::AccessToken(AccessToken {
        organization: trusted.organization,
        user: person.user.id,
        grant: grant.id,
        session: None,
        algorithm: server.algorithm,
        lifetime: server.token_lifetime,
        resource: server.resource,
        scopes: decision.scopes,
        facts,
        policies: decision.policies,
        jti: random::id(),
        assertion: Some(id_jag.jti),
        refresh_token: None,
    })))
}
