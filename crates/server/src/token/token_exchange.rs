//! Exchanging a sign-in for an ID-JAG ([RFC 8693] §2 with the profile of
//! draft-ietf-oauth-identity-assertion-authz-grant-04 §4.3; requirements 2.2 to 2.5).
//!
//! The subject token is an ID token or a refresh token of this very identity provider. Nothing is
//! issued for an audience, resource, scope or client that the organization's registry lacks.
//!
//! [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693

use symbolon_policy::{Action, Target};
use symbolon_protocol::id_jag::IdJagClaims;
use symbolon_protocol::id_token::{self, Expectations};
use symbolon_protocol::ids::{OrganizationId, SessionId, UserId};
use symbolon_protocol::jose::UnverifiedJwt;
use symbolon_protocol::oauth_error::OAuthErrorCode;
use symbolon_protocol::random;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::secret::Secret;
use symbolon_protocol::time::Timestamp;
use symbolon_protocol::token_request::{TokenExchangeRequest, TokenType};
use symbolon_storage::directory::{ResourceAuthorizationServer, SubjectForm};
use symbolon_storage::grant::{self, GrantFilter, Origin};
use symbolon_storage::refresh_token::{self as records, PresentedToken};
use symbolon_storage::revocation::TokenFacts;
use symbolon_storage::{AuthenticationFacts, Page, StorageError, Transaction};
use symbolon_storage::{linked_identity, session};

use super::mint::{self, Authorized, IdJag};
use super::registered_target::RegisteredTarget;
use super::{Denied, Exchange, refresh_token};
use crate::grant_decision::{self, Asker, ScopeDecision};
use crate::subject::{self, Person};

/// How every refresh token of ours begins.
const REFRESH_TOKEN: &str = "sr_";

/// More grants than one person has through one client.
const GRANTS_OF_ONE_CLIENT: u16 = 100;

/// A request whose subject token, audience and resource hold.
pub(super) struct Verified {
    subject: SubjectToken,
    target: RegisteredTarget,
    /// `None` asks for everything that is allowed.
    requested: Option<ScopeSet>,
}

/// Whose sign-in is exchanged.
enum SubjectToken {
    IdToken(SignedIn),
    RefreshToken(PresentedToken),
}

/// What a subject token says about a sign-in.
struct SignedIn {
    user: UserId,
    facts: AuthenticationFacts,
    session: Option<SessionId>,
    /// When it was said.
    issued_at: Timestamp,
}

/// Checks the request, the registry and the subject token.
///
/// # Errors
/// `invalid_request`, `invalid_target` or `invalid_grant`, as requirements 5.6 fix them.
pub(super) fn verify(
    exchange: &Exchange,
    request: TokenExchangeRequest,
) -> Result<Verified, Denied> {
    // A subject token counts for the client that it was issued to: that takes proof (ID-20).
    if !exchange.client.is_confidential() {
        let reason = "a public client may not exchange sign-ins";
        return Err(Denied::new(OAuthErrorCode::InvalidClient, reason));
    }
    if request.requested_token_type != Some(TokenType::IdJag) {
        return Err(Denied::invalid_request(
            "requested_token_type must be id-jag",
        ));
    }
    if request.actor_token.is_some() {
        return Err(Denied::invalid_request(
            "actor_token has no profile yet (ID-32)",
        ));
    }
    if request.authorization_details.is_some() {
        let reason = "no type of authorization_details is registered";
        return Err(Denied::new(
            OAuthErrorCode::InvalidAuthorizationDetails,
            reason,
        ));
    }
    let Some(organization) = exchange.issuer.organization() else {
        return Err(Denied::invalid_request(
            "only an identity provider role exchanges sign-ins",
        ));
    };
    let target = RegisteredTarget::find(exchange, organization, &request)?;
    let subject = match request.subject_token_type {
        TokenType::IdToken => SubjectToken::IdToken(verify_id_token(exchange, &request)?),
        TokenType::RefreshToken => {
            SubjectToken::RefreshToken(read_refresh_token(exchange, &request.subject_token)?)
        }
        other => {
            let reason = format!("subject_token_type {other} is not accepted");
            return Err(Denied::invalid_request(reason));
        }
    };
    Ok(Verified {
        subject,
        target,
        requested: request.scope,
    })
}

/// An ID token that this identity provider issued to this client (ID-20, ID-24).
fn verify_id_token(
    exchange: &Exchange,
    request: &TokenExchangeRequest,
) -> Result<SignedIn, Denied> {
    let jwt = UnverifiedJwt::parse(request.subject_token.expose()).map_err(|error| {
        if error.is_oversized() {
            Denied::invalid_request("subject_token is too large")
        } else if is_jwt_shaped(&request.subject_token) {
            Denied::invalid_grant(format!("subject_token: {error}"))
        } else {
            Denied::invalid_request("subject_token is no ID token")
        }
    })?;
    let keys = exchange
        .state
        .keys
        .load()
        .verification(&exchange.issuer.role);
    let jwt = jwt
        .verify(&keys)
        .map_err(|error| Denied::invalid_grant(error.to_string()))?;
    let expected = Expectations {
        issuer: &exchange.issuer.issuer,
        tenant: None,
        client_id: exchange.client.id().as_str(),
        origin: id_token::Origin::SubjectToken,
        max_age: None,
    };
    let token = id_token::verify(&jwt, &expected, exchange.state.now())
        .map_err(|error| Denied::invalid_grant(error.to_string()))?;
    let user = UserId::parse(&token.subject)
        .map_err(|_| Denied::invalid_grant("sub is no user of this deployment"))?;
    let facts = AuthenticationFacts {
        auth_time: token.auth_time,
        acr: token.acr,
        amr: token.amr,
    };
    let session = token.sid.as_deref().map(SessionId::parse).transpose();
    let session = session.map_err(|_| Denied::invalid_grant("sid is no session of ours"))?;
    Ok(SignedIn {
        user,
        facts,
        session,
        issued_at: token.issued_at,
    })
}

/// Three parts, as a refresh token has them too: what it stands for then contradicts its type (N-166).
fn is_jwt_shaped(token: &Secret) -> bool {
    token.expose().split('.').count() == 3 && !token.expose().starts_with(REFRESH_TOKEN)
}

/// A refresh token of this deployment; a JWT under this type is a contradiction (N-166).
fn read_refresh_token(exchange: &Exchange, token: &Secret) -> Result<PresentedToken, Denied> {
    refresh_token::read(&exchange.state, token).ok_or_else(|| {
        if token.expose().starts_with(REFRESH_TOKEN) {
            Denied::invalid_grant("this deployment did not issue the refresh token")
        } else {
            Denied::invalid_request("subject_token is no refresh token")
        }
    })
}

/// Resolves the person as she is now, asks policy and writes the claims.
pub(super) async fn authorize(
    exchange: &Exchange,
    tx: &mut Transaction,
    verified: Verified,
) -> Result<Result<Authorized, Denied>, StorageError> {
    let organization = verified.target.server.organization.clone();
    let outcome = authorize_in(exchange, tx, verified, &organization).await?;
    Ok(outcome.map_err(|denied| denied.of(&organization)))
}

async fn authorize_in(
    exchange: &Exchange,
    tx: &mut Transaction,
    verified: Verified,
    organization: &OrganizationId,
) -> Result<Result<Authorized, Denied>, StorageError> {
    let Verified {
        subject,
        target,
        requested,
    } = verified;
    let signed_in = match subject {
        SubjectToken::IdToken(signed_in) => signed_in,
        SubjectToken::RefreshToken(token) => match sign_in_of(exchange, tx, &token).await? {
            Some(signed_in) => signed_in,
            None => {
                return Ok(Err(Denied::invalid_grant(
                    "the refresh token is not current",
                )));
            }
        },
    };
    if !is_signed_in(exchange, tx, organization, &signed_in).await? {
        return Ok(Err(Denied::invalid_grant("the sign-in was revoked")));
    }
    let now = exchange.state.now();
    let person = match subject::load(tx, organization, &signed_in.user, now).await? {
        Ok(person) => person,
        Err(reason) => return Ok(Err(Denied::invalid_grant(reason))),
    };
    let asker = Asker::new(exchange, organization, &person, &signed_in.facts);
    let decision = match decide(exchange, &asker, &target, requested.as_ref()) {
        Ok(decision) => decision,
        Err(denied) => return Ok(Err(denied)),
    };
    let subject = match subject_there(tx, &target.server, &person).await? {
        Ok(subject) => subject,
        Err(reason) => return Ok(Err(Denied::invalid_target(reason))),
    };
    let claims = claims(
        exchange,
        target,
        subject,
        &person,
        &signed_in.facts,
        decision.scopes,
    );
    Ok(Ok(Authorized::IdJag(IdJag {
        organization: organization.clone(),
        user: person.user.id,
        claims,
        policies: decision.policies,
    })))
}

/// What a refresh token of this client stands for; it is not rotated by this use (ID-21).
async fn sign_in_of(
    exchange: &Exchange,
    tx: &mut Transaction,
    token: &PresentedToken,
) -> Result<Option<SignedIn>, StorageError> {
    let now = exchange.state.now();
    let family = records::find(tx, token, &exchange.issuer.role, now).await?;
    let family = family.filter(|family| &family.bound.client == exchange.client.id());
    Ok(family.map(|family| SignedIn {
        user: family.bound.user,
        facts: family.bound.facts,
        session: family.bound.session,
        issued_at: family.created_at,
    }))
}

/// Whether the person's sign-in at this client still stands: revoking its grant, its session or the
/// person ends every exchange, although the ID token has not expired (ID-60).
async fn is_signed_in(
    exchange: &Exchange,
    tx: &mut Transaction,
    organization: &OrganizationId,
    signed_in: &SignedIn,
) -> Result<bool, StorageError> {
    if is_revoked(exchange, organization, signed_in) {
        return Ok(false);
    }
    if let Some(session) = &signed_in.session
        && session::has_ended(tx, session).await?
    {
        return Ok(false);
    }
    let filter = GrantFilter {
        organization: Some(organization.clone()),
        user: Some(signed_in.user.clone()),
        client: Some(exchange.client.id().clone()),
        live_only: true,
    };
    let grants = grant::list(tx, &filter, &Page::first(GRANTS_OF_ONE_CLIENT)).await?;
    // A grant made after the token was issued is another sign-in: what was revoked before it must
    // not come back with it. Tokens count in whole seconds.
    let issued_at = signed_in.issued_at.unix_seconds();
    Ok(grants.iter().any(|grant| {
        grant.role == exchange.issuer.role
            && grant.origin == Origin::SignIn
            && grant.created_at.unix_seconds() <= issued_at
    }))
}

/// What no grant shows: a session that has ended leaves the grant to the others of the person.
fn is_revoked(exchange: &Exchange, organization: &OrganizationId, signed_in: &SignedIn) -> bool {
    exchange.state.revocations.is_revoked(&TokenFacts {
        grant: None,
        user: Some(&signed_in.user),
        client: Some((&exchange.issuer.role, exchange.client.id())),
        session: signed_in.session.as_ref(),
        organization: Some(organization),
        issued_at: signed_in.issued_at,
    })
}

/// Registered scopes ∩ requested scopes ∩ policy (ID-25, ID-28), told apart as N-171 to N-175 want.
fn decide(
    exchange: &Exchange,
    asker: &Asker<'_>,
    target: &RegisteredTarget,
    requested: Option<&ScopeSet>,
) -> Result<ScopeDecision, Denied> {
    let directory = exchange.state.directory.load();
    let foreign = Target::Foreign {
        issuer: target.server.issuer.as_str(),
        resource: &target.resource,
    };
    let policy_target = directory
        .server_by_resource(&target.resource)
        .map_or(foreign, |s| Target::Server(&s.id));
    let engine = exchange.state.engine.load();
    let ask = |scopes: &ScopeSet| {
        let now = exchange.state.now();
        grant_decision::decide_scopes(
            &engine,
            asker,
            Action::IssueIdJag,
            policy_target,
            scopes,
            now,
        )
        .into_granted()
    };
    let Some(requested) = requested else {
        return ask(&target.scopes);
    };
    let within = target.scopes.intersection(requested);
    if !within.is_empty() {
        match ask(&within) {
            Err(denied) if denied.step_up.is_none() => {}
            // Allowed, or allowed after another sign-in.
            answer => return answer,
        }
    }
    // Entitled to something here, only not to this: the scope is wrong, not the person.
    match ask(&target.scopes) {
        Ok(_) => Err(Denied::invalid_scope(
            "none of the requested scopes may be granted",
        )),
        Err(denied) => Err(denied),
    }
}

/// Who the person is at the other authorization server (design §9, `subject`).
async fn subject_there(
    tx: &mut Transaction,
    server: &ResourceAuthorizationServer,
    person: &Person,
) -> Result<Result<String, String>, StorageError> {
    Ok(match server.subject {
        SubjectForm::UserId => Ok(person.user.id.to_string()),
        SubjectForm::Email => person
            .user
            .email
            .clone()
            .ok_or_else(|| "the person has no email address".to_owned()),
        SubjectForm::External => linked_identity::list_of(tx, &person.user.id)
            .await?
            .into_iter()
            .find(|identity| {
                let named = server.connection.as_ref();
                named.is_none_or(|connection| &identity.connection == connection)
            })
            .map(|identity| identity.subject)
            .ok_or_else(|| "the person has no linked identity".to_owned()),
    })
}

fn claims(
    exchange: &Exchange,
    target: RegisteredTarget,
    subject: String,
    person: &Person,
    facts: &AuthenticationFacts,
    scope: ScopeSet,
) -> IdJagClaims {
    let now = exchange.state.now();
    let lifetime = mint::id_jag_lifetime(target.server.max_lifetime);
    IdJagClaims {
        iss: exchange.issuer.issuer.clone(),
        sub: subject,
        aud: target.server.issuer,
        client_id: target.client_id,
        jti: random::id(),
        iat: now,
        exp: now.plus(lifetime),
        resource: target.resource,
        scope,
        auth_time: facts.auth_time,
        acr: facts.acr.clone(),
        amr: facts.amr.clone(),
        tenant: None,
        aud_tenant: target.server.aud_tenant,
        aud_sub: None,
        sub_id: None,
        email: person.user.email.clone().filter(|_| target.server.email),
        email_verified: None,
        cnf: None,
    }
}
