//! Signing what a grant authorized, and the audit event that says so.
//!
//! Tokens are signed after the transaction: a token that leaves is always on record, and a signing
//! failure issues nothing.

use std::time::Duration;

use symbolon_protocol::access_token::{self, AccessTokenClaims};
use symbolon_protocol::id_jag::{self, IdJagClaims};
use symbolon_protocol::id_token::{self, IdTokenClaims};
use symbolon_protocol::ids::{GrantId, OrganizationId, SessionId, UserId};
use symbolon_protocol::jose::Algorithm;
use symbolon_protocol::oauth_error::OAuthErrorCode;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::secret::Secret;
use symbolon_protocol::token_request::TokenType;
use symbolon_storage::AuthenticationFacts;
use symbolon_storage::audit::{Action, Actor, AuditEvent, By, Outcome};
use symbolon_storage::signing_key::KeyPurpose;

use super::response::TokenResponse;
use super::{Denied, Exchange};
use crate::oauth_response::Refusal;

/// How long an ID token is good for: as long as a client may take until it exchanges it.
const ID_TOKEN_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// What a grant authorized; still unsigned.
pub(super) enum Authorized {
    /// An access token for one MCP server.
    AccessToken(AccessToken),
    /// A sign-in at an identity provider role.
    SignIn(SignIn),
    /// An ID-JAG for one resource authorization server.
    IdJag(IdJag),
}

/// An access token to be.
pub(super) struct AccessToken {
    pub(super) organization: OrganizationId,
    pub(super) user: UserId,
    pub(super) grant: GrantId,
    pub(super) session: Option<SessionId>,
    pub(super) resource: String,
    pub(super) scopes: ScopeSet,
    pub(super) facts: AuthenticationFacts,
    pub(super) lifetime: Duration,
    pub(super) algorithm: Algorithm,
    pub(super) policies: Vec<String>,
    pub(super) jti: String,
    /// The `jti` of the ID-JAG it came from: the chain of custody (design §10).
    pub(super) assertion: Option<String>,
    pub(super) refresh_token: Option<Secret>,
}

/// An ID token to be.
pub(super) struct SignIn {
    pub(super) organization: OrganizationId,
    pub(super) user: UserId,
    pub(super) grant: GrantId,
    pub(super) session: Option<SessionId>,
    pub(super) scopes: ScopeSet,
    pub(super) facts: AuthenticationFacts,
    pub(super) nonce: Option<String>,
    pub(super) email: Option<String>,
    pub(super) name: Option<String>,
    pub(super) jti: String,
    pub(super) refresh_token: Option<Secret>,
}

/// An ID-JAG to be.
pub(super) struct IdJag {
    pub(super) organization: OrganizationId,
    pub(super) user: UserId,
    pub(super) claims: IdJagClaims,
    pub(super) policies: Vec<String>,
}

/// An ID-JAG is good for this long, unless the registry says less (ID-57).
const ID_JAG_LIFETIME: Duration = Duration::from_secs(300);

/// Signs what was authorized.
///
/// # Errors
/// `server_error` when the key is missing; the log says which.
pub(super) fn mint(exchange: &Exchange, authorized: Authorized) -> Result<TokenResponse, Refusal> {
    match authorized {
        Authorized::AccessToken(token) => access_token(exchange, token),
        Authorized::SignIn(sign_in) => id_token(exchange, sign_in),
        Authorized::IdJag(id_jag) => sign_id_jag(exchange, id_jag),
    }
}

fn access_token(exchange: &Exchange, token: AccessToken) -> Result<TokenResponse, Refusal> {
    let now = exchange.state.now();
    let claims = AccessTokenClaims {
        iss: exchange.issuer.issuer.clone(),
        sub: token.user.to_string(),
        aud: token.resource.clone(),
        client_id: exchange.client.id().clone(),
        jti: token.jti,
        iat: now,
        exp: now.plus(token.lifetime),
        scope: token.scopes.clone(),
        auth_time: token.facts.auth_time,
        acr: token.facts.acr,
        amr: token.facts.amr,
        cnf: None,
        act: None,
        sid: token.session,
        grant_id: token.grant,
        org: token.organization,
    };
    let signed = sign(
        exchange,
        KeyPurpose::Token,
        token.algorithm,
        access_token::TYP,
        &claims,
    )?;
    Ok(TokenResponse {
        access_token: signed,
        token_type: "Bearer",
        expires_in: token.lifetime.as_secs(),
        scope: token.scopes,
        issued_token_type: None,
        id_token: None,
        refresh_token: token.refresh_token.map(|secret| secret.expose().to_owned()),
        resource: Some(token.resource),
    })
}

/// The ID token, and beside it the access token that RFC 6749 §5.1 demands: its audience is this
/// identity provider itself, so no MCP server accepts it.
fn id_token(exchange: &Exchange, sign_in: SignIn) -> Result<TokenResponse, Refusal> {
    let now = exchange.state.now();
    let issuer = exchange.issuer.issuer.clone();
    let expires_at = now.plus(ID_TOKEN_LIFETIME);
    let own = AccessTokenClaims {
        iss: issuer.clone(),
        sub: sign_in.user.to_string(),
        aud: issuer.to_string(),
        client_id: exchange.client.id().clone(),
        jti: sign_in.jti,
        iat: now,
        exp: expires_at,
        scope: sign_in.scopes.clone(),
        auth_time: sign_in.facts.auth_time,
        acr: sign_in.facts.acr.clone(),
        amr: sign_in.facts.amr.clone(),
        cnf: None,
        act: None,
        sid: sign_in.session.clone(),
        grant_id: sign_in.grant,
        org: sign_in.organization,
    };
    let access_token = sign(
        exchange,
        KeyPurpose::Token,
        Algorithm::Es256,
        access_token::TYP,
        &own,
    )?;
    let claims = IdTokenClaims {
        iss: issuer,
        sub: own.sub,
        aud: own.client_id,
        nonce: sign_in.nonce,
        iat: now,
        exp: expires_at,
        auth_time: sign_in.facts.auth_time,
        acr: sign_in.facts.acr,
        amr: sign_in.facts.amr,
        sid: sign_in.session,
        at_hash: Some(id_token::token_hash(Algorithm::Es256, &access_token)),
        // Our `idp` repeats an address that the organization's provider vouched for or not.
        email_verified: None,
        email: sign_in.email,
        name: sign_in.name,
    };
    let id_token = sign(
        exchange,
        KeyPurpose::IdToken,
        Algorithm::Es256,
        id_token::TYP,
        &claims,
    )?;
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: ID_TOKEN_LIFETIME.as_secs(),
        scope: sign_in.scopes,
        issued_token_type: None,
        id_token: Some(id_token),
        refresh_token: sign_in
            .refresh_token
            .map(|secret| secret.expose().to_owned()),
        resource: None,
    })
}

fn sign_id_jag(exchange: &Exchange, id_jag: IdJag) -> Result<TokenResponse, Refusal> {
    let IdJag { claims, .. } = id_jag;
    let signed = sign(
        exchange,
        KeyPurpose::IdJag,
        Algorithm::Es256,
        id_jag::TYP,
        &claims,
    )?;
    Ok(TokenResponse {
        access_token: signed,
        token_type: "N_A",
        expires_in: claims.exp.since(claims.iat).as_secs(),
        scope: claims.scope,
        issued_token_type: Some(TokenType::IdJag),
        id_token: None,
        refresh_token: None,
        resource: None,
    })
}

fn sign(
    exchange: &Exchange,
    purpose: KeyPurpose,
    algorithm: Algorithm,
    typ: &str,
    claims: &impl serde::Serialize,
) -> Result<String, Refusal> {
    let keys = exchange.state.keys.load();
    let role = &exchange.issuer.role;
    let key = keys.signing(role, purpose, algorithm, exchange.state.now()).ok_or_else(|| {
        tracing::error!(issuer = %exchange.issuer.issuer, ?purpose, ?algorithm, "no signing key");
        Refusal::new(OAuthErrorCode::ServerError)
    })?;
    key.sign(typ, claims).map_err(|error| {
        tracing::error!(issuer = %exchange.issuer.issuer, %error, "could not sign: {error}");
        Refusal::new(OAuthErrorCode::ServerError)
    })
}

/// How long an ID-JAG for a registered server is good for.
pub(super) fn id_jag_lifetime(registered: Duration) -> Duration {
    registered.min(ID_JAG_LIFETIME)
}

/// What happened, without any token (AS-111, ID-33).
pub(super) fn audit_event(exchange: &Exchange, outcome: &Result<Authorized, Denied>) -> AuditEvent {
    let client = exchange.client.id().clone();
    let by = By {
        actor: Actor::Client(exchange.issuer.role.clone(), client.clone()),
        request_id: exchange.request_id.to_string(),
    };
    let action = match outcome {
        Ok(authorized) => authorized.action(),
        Err(_) => Action::named("token.requested"),
    };
    let event = AuditEvent::new(action, &by, exchange.state.now())
        .with_text("client", client)
        .with_text("issuer", &exchange.issuer.issuer);
    match outcome {
        Ok(authorized) => authorized.describe(event).outcome(Outcome::Allowed),
        Err(denied) => {
            let event = match denied
                .organization
                .as_ref()
                .or(exchange.issuer.organization())
            {
                Some(organization) => event.of(organization),
                None => event,
            };
            event
                .with("error", denied.code.as_str())
                .with("policies", denied.policies.clone())
                .outcome(Outcome::Denied {
                    reason: denied.reason.clone(),
                })
        }
    }
}

impl Authorized {
    fn action(&self) -> Action {
        Action::named(match self {
            Self::AccessToken(_) => "access_token.issued",
            Self::SignIn(_) => "id_token.issued",
            Self::IdJag(_) => "id_jag.issued",
        })
    }

    fn describe(&self, event: AuditEvent) -> AuditEvent {
        match self {
            Self::AccessToken(token) => {
                let event = event
                    .of(&token.organization)
                    .with_text("user", &token.user)
                    .with_text("grant", &token.grant)
                    .with("resource", token.resource.as_str())
                    .with_text("scopes", &token.scopes)
                    .with("jti", token.jti.as_str())
                    .with("policies", token.policies.clone());
                match &token.assertion {
                    Some(jti) => event.with("assertion_jti", jti.as_str()),
                    None => event,
                }
            }
            Self::SignIn(sign_in) => event
                .of(&sign_in.organization)
                .with_text("user", &sign_in.user)
                .with_text("grant", &sign_in.grant)
                .with_text("scopes", &sign_in.scopes)
                .with("jti", sign_in.jti.as_str()),
            Self::IdJag(id_jag) => event
                .of(&id_jag.organization)
                .with_text("user", &id_jag.user)
                .with("audience", id_jag.claims.aud.as_str())
                .with("resource", id_jag.claims.resource.as_str())
                .with_text("scopes", &id_jag.claims.scope)
                .with("jti", id_jag.claims.jti.as_str())
                .with("policies", id_jag.policies.clone()),
        }
    }
}
