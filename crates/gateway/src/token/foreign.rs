//! Access tokens of issuers that an administrator named for a server (design §9
//! `access_token_issuer`, §4 rules 3, 11 and 12).
//!
//! The row that fits issuer, server and tenant fixes organization, keys and audiences; nothing in
//! the token picks them. Many identity providers write `typ: JWT`, or none, into access tokens, so
//! the type alone does not tell an ID token: one is known by its audience and its claims.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use symbolon_net::{IssuerKeys, IssuerRow, KeySource as RowKeys, UrlClass};
use symbolon_protocol::confirmation;
use symbolon_protocol::ids::{ClientId, UserId};
use symbolon_protocol::jose::claims::{ClaimError, Claims};
use symbolon_protocol::jose::validity::{self, LEEWAY, Validity, ValidityError};
use symbolon_protocol::jose::{UnverifiedJwt, VerifiedJwt};
use symbolon_protocol::scope::ScopeSet;
use symbolon_storage::directory::{
    AccessTokenIssuer, Directory, KeySource, SubjectSource, TenantRule,
};
use symbolon_storage::linked_identity::ExternalSubject;

use super::{Expected, SignIn, Subject, TokenError, VerifiedToken};

/// A foreign token counts for as long as one of ours could: older ones may have been revoked at a time
/// that nobody remembers.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);
/// Claims that only ID tokens have.
const ID_TOKEN_CLAIMS: [&str; 3] = ["nonce", "at_hash", "c_hash"];
/// Where issuers write the client.
const CLIENT_CLAIMS: [&str; 4] = ["client_id", "azp", "cid", "appid"];

/// Why a token of an accepted issuer is no access token for this server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForeignError {
    /// The header says another type than an access token's, or it looks like an ID token.
    #[error("not an access token")]
    NotAnAccessToken,
    /// No audience of the row is in `aud`.
    #[error("no audience of the token is named for this server")]
    WrongAudience,
    /// The tenant claim says another tenant.
    #[error("the token is of another tenant")]
    WrongTenant,
    /// The scope claim is absent or malformed.
    #[error("the scope claim is missing or malformed")]
    Scopes,
    /// The subject claim is absent or malformed, or its connection is gone.
    #[error("the subject claim is missing or malformed")]
    Subject,
    /// A claim is missing or of a wrong type.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// It is not valid now.
    #[error(transparent)]
    Validity(#[from] ValidityError),
}

/// Verifies a token of `issuer` with that issuer's keys, which are fetched if they are not known.
pub(super) async fn verify(
    jwt: &UnverifiedJwt<'_>,
    issuer: &str,
    issuer_keys: &IssuerKeys,
    expected: Expected<'_>,
) -> Result<VerifiedToken, TokenError> {
    let Expected {
        server, directory, ..
    } = expected;
    let rows = directory.access_token_issuers_for(issuer, &server.id);
    let row = rows
        .into_iter()
        .find(|row| row.tenant.as_ref().is_none_or(|t| names(jwt, t)));
    let row = row.ok_or(TokenError::UnknownIssuer)?;
    let header = jwt.header();
    let keys = issuer_keys
        .keys_for(&keys_of(row), header.kid(), header.algorithm())
        .await?;
    let verified = jwt.verify(&keys)?;
    if verified
        .claims()
        .members()
        .contains_key(confirmation::CLAIM)
    {
        return Err(TokenError::Bound);
    }
    Ok(read(&verified, row, expected)?)
}

/// Only finds the row; the claim is compared again once the signature is verified.
fn names(jwt: &UnverifiedJwt<'_>, tenant: &TenantRule) -> bool {
    jwt.unverified_claim_str(&tenant.claim) == Some(&tenant.value)
}

fn keys_of(row: &AccessTokenIssuer) -> IssuerRow {
    IssuerRow {
        id: format!("access_token_issuer/{}/{}", row.organization, row.id),
        class: UrlClass::DeploymentAdmin,
        source: match &row.keys {
            KeySource::Discovery => RowKeys::Discovery(row.issuer.clone()),
            KeySource::JwksUri(url) => RowKeys::JwksUri(url.clone()),
            KeySource::Inline(set) => RowKeys::Inline(Arc::from(set.as_str())),
        },
        ca_pem: row.ca_pem.as_deref().map(Arc::from),
    }
}

fn read(
    jwt: &VerifiedJwt,
    row: &AccessTokenIssuer,
    expected: Expected<'_>,
) -> Result<VerifiedToken, ForeignError> {
    let Expected {
        server,
        directory,
        now,
        ..
    } = expected;
    let claims = jwt.claims();
    check_type(jwt)?;
    check_tenant(claims, row.tenant.as_ref())?;
    let audiences = claims.optional_texts("aud")?.unwrap_or_default();
    let audience = audiences
        .into_iter()
        .find(|aud| row.audiences.get(aud) == Some(&server.id));
    let validity = Validity::read(claims)?.check(now, LEEWAY)?;
    let expires_at = validity
        .expires_at()
        .min(validity.issued_at().plus(MAX_AGE));
    if now >= expires_at {
        return Err(ValidityError::Expired {
            expired_at: expires_at,
        }
        .into());
    }
    Ok(VerifiedToken {
        server: server.id.clone(),
        audience: audience.ok_or(ForeignError::WrongAudience)?,
        organization: row.organization.clone(),
        subject: subject(claims, row, directory)?,
        client: client(claims),
        is_own: false,
        scopes: scopes(claims, &row.scope_claim)?,
        jti: claims.optional_text("jti")?.map(str::to_owned),
        grant: None,
        session: None,
        issued_at: validity.issued_at(),
        expires_at,
        sign_in: SignIn {
            acr: claims.optional_text("acr")?.map(str::to_owned),
            amr: claims.optional_texts("amr")?.unwrap_or_default(),
            auth_time: validity::auth_time(claims, now)?,
        },
    })
}

/// N-195: neither another kind of token nor an ID token in disguise.
fn check_type(jwt: &VerifiedJwt) -> Result<(), ForeignError> {
    if jwt.header().has_type("at+jwt") {
        return Ok(());
    }
    let claims = jwt.claims();
    let is_generic = jwt.typ().is_none() || jwt.header().has_type("jwt");
    let has_id_token_claim = ID_TOKEN_CLAIMS
        .iter()
        .any(|claim| claims.value(claim).is_some());
    // Keycloak names the kind in a claim: `Bearer`, `ID`, `Refresh`, `Logout`.
    let is_bearer = claims.value("typ").is_none_or(|typ| typ == "Bearer");
    match is_generic && !has_id_token_claim && is_bearer {
        true => Ok(()),
        false => Err(ForeignError::NotAnAccessToken),
    }
}

fn check_tenant(claims: Claims<'_>, tenant: Option<&TenantRule>) -> Result<(), ForeignError> {
    let said = |tenant: &TenantRule| claims.value(&tenant.claim).and_then(Value::as_str);
    match tenant {
        Some(tenant) if said(tenant) != Some(&tenant.value) => Err(ForeignError::WrongTenant),
        _ => Ok(()),
    }
}

fn subject(
    claims: Claims<'_>,
    row: &AccessTokenIssuer,
    directory: &Directory,
) -> Result<Subject, ForeignError> {
    let text = |claim: &str| {
        let text = claims
            .value(claim)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or(ForeignError::Subject)
    };
    match &row.subject {
        SubjectSource::UserId => {
            let id = UserId::parse(&text("sub")?).map_err(|_| ForeignError::Subject)?;
            Ok(Subject::User(id))
        }
        SubjectSource::Connection(id) => {
            let connection = directory.connection(id).ok_or(ForeignError::Subject)?;
            Ok(Subject::External(ExternalSubject {
                organization: connection.organization.clone(),
                connection: connection.id.clone(),
                tenant: connection
                    .tenant
                    .as_ref()
                    .map(|tenant| tenant.value.clone()),
                subject: text(&connection.subject_claim)?,
            }))
        }
    }
}

/// For the audit trail only: no policy sees a client that is not registered with us.
fn client(claims: Claims<'_>) -> Option<ClientId> {
    let mut named = CLIENT_CLAIMS
        .iter()
        .filter_map(|claim| claims.value(claim)?.as_str());
    named.find_map(|text| ClientId::parse(text).ok())
}

fn scopes(claims: Claims<'_>, claim: &str) -> Result<ScopeSet, ForeignError> {
    let scopes = match claims.value(claim) {
        Some(Value::String(text)) => ScopeSet::parse(text),
        Some(Value::Array(list)) => {
            let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            ScopeSet::from_scopes(texts.ok_or(ForeignError::Scopes)?)
        }
        _ => return Err(ForeignError::Scopes),
    };
    scopes.map_err(|_| ForeignError::Scopes)
}
