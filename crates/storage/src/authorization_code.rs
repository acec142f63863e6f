//! Authorization codes (RFC 6749 §4.1.2, requirements AS-30 and AS-31).
//!
//! We hold a code's SHA-256 and everything it is bound to. Redeeming is one statement: of any number
//! of callers on any number of nodes, exactly one gets the record, and whoever comes later learns
//! which grant to revoke.

use symbolon_protocol::ids::{ClientId, GrantId, OrganizationId, SessionId, UserId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::pkce::CodeChallenge;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;

use crate::authentication_facts::AuthenticationFacts;
use crate::engine::{Record, Row, args};
use crate::{StorageError, Transaction};

/// The columns of an [`AuthorizationCode`].
macro_rules! columns {
    () => {
        "role, organization, client_id, redirect_uri, challenge, resource, scopes, nonce, user_id,
         session_id, grant_id, auth_time, acr, amr, expires_at"
    };
}

/// What a code stands for and what it is bound to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthorizationCode {
    /// The authorization server that issued it; it is worth nothing at another one.
    pub role: IssuerRole,
    /// The person's organization.
    pub organization: OrganizationId,
    /// The client it was issued to.
    pub client: ClientId,
    /// The `redirect_uri` of the request, exactly.
    pub redirect_uri: String,
    /// The challenge whose verifier must come with it; there is no code without one (AS-32).
    pub challenge: CodeChallenge,
    /// The resource of the request; `None` at an `idp`.
    pub resource: Option<String>,
    /// What was granted.
    pub scopes: ScopeSet,
    /// Returned in the ID token.
    pub nonce: Option<String>,
    /// Who signed in.
    pub user: UserId,
    /// In which browser session.
    pub session: Option<SessionId>,
    /// What its tokens will belong to.
    pub grant: GrantId,
    /// What the identity provider said about the sign-in.
    pub facts: AuthenticationFacts,
    /// From then on it is not redeemed.
    pub expires_at: Timestamp,
}

impl Record for AuthorizationCode {
    fn read(row: &Row) -> Result<Self, StorageError> {
        let challenge: String = row.get("challenge")?;
        Ok(Self {
            role: row.get("role")?,
            organization: row.get("organization")?,
            client: row.get("client_id")?,
            redirect_uri: row.get("redirect_uri")?,
            challenge: CodeChallenge::parse(&challenge)
                .map_err(|error| StorageError::corrupt("challenge", error))?,
            resource: row.get("resource")?,
            scopes: row.get("scopes")?,
            nonce: row.get("nonce")?,
            user: row.get("user_id")?,
            session: row.get("session_id")?,
            grant: row.get("grant_id")?,
            facts: AuthenticationFacts::read(row)?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// What became of a code that was presented.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Redeemed {
    /// It was valid and is used up now. The caller compares what it is bound to, and commits even
    /// if something differs: whoever held the code may have stolen it.
    Once(Box<AuthorizationCode>),
    /// It was redeemed before: the caller revokes what came of it (AS-31, N-073).
    AlreadyUsed {
        /// The grant to revoke.
        grant: GrantId,
    },
    /// Unknown, expired, or void because the session or the person's access ended.
    Unknown,
}

struct Grant(GrantId);

impl Record for Grant {
    fn read(row: &Row) -> Result<Self, StorageError> {
        row.get("grant_id").map(Self)
    }
}

/// Remembers a code under the SHA-256 of its text.
///
/// # Errors
/// [`StorageError`].
pub async fn insert(
    tx: &mut Transaction,
    hash: &[u8; 32],
    code: &AuthorizationCode,
) -> Result<(), StorageError> {
    tx.execute(
        concat!(
            "INSERT INTO authorization_code (hash, ",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        ),
        args![
            hash,
            &code.role,
            &code.organization,
            &code.client,
            &code.redirect_uri,
            code.challenge.to_text(),
            code.resource.as_deref(),
            &code.scopes,
            code.nonce.as_deref(),
            &code.user,
            code.session.as_ref(),
            &code.grant,
            code.facts.auth_time,
            code.facts.acr.as_deref(),
            code.facts.amr_json(),
            code.expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// Uses a code up.
///
/// # Errors
/// [`StorageError`]; the caller must then answer with a failure, never with tokens.
pub async fn redeem(
    tx: &mut Transaction,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Redeemed, StorageError> {
    let redeemed: Option<AuthorizationCode> = tx
        .fetch_optional(
            concat!(
                "UPDATE authorization_code SET redeemed_at = $2
                 WHERE hash = $1 AND redeemed_at IS NULL AND expires_at > $2 RETURNING ",
                columns!()
            ),
            args![hash, now],
        )
        .await?;
    if let Some(code) = redeemed {
        return Ok(Redeemed::Once(Box::new(code)));
    }
    let used: Option<Grant> = tx
        .fetch_optional(
            "SELECT grant_id FROM authorization_code WHERE hash = $1 AND redeemed_at IS NOT NULL",
            args![hash],
        )
        .await?;
    Ok(match used {
        Some(Grant(grant)) => Redeemed::AlreadyUsed { grant },
        None => Redeemed::Unknown,
    })
}
