//! Access tokens at the gateway (requirements RS-20 to RS-26, N-193 to N-199; design §8).
//!
//! A token is ours, or of an issuer that an administrator named for this very server. Signature,
//! type, issuer, audience and times are checked before anything else of the request is looked at.
//! What was verified once is remembered ([`crate::token_cache`]); whether it still holds is asked on
//! every request, here and by [`crate::caller`].

mod foreign;
mod own;

use std::sync::Arc;
use std::time::Duration;

use symbolon_net::IssuerKeys;
use symbolon_net::issuer_keys::KeysError;
use symbolon_protocol::access_token::AccessTokenError;
use symbolon_protocol::ids::{ClientId, GrantId, OrganizationId, ServerId, SessionId, UserId};
use symbolon_protocol::issuer::{Issuer, IssuerRole};
use symbolon_protocol::jose::{JwtError, UnverifiedJwt};
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::RevocationIndex;
use symbolon_storage::directory::{Directory, McpServer};
use symbolon_storage::linked_identity::ExternalSubject;
use symbolon_storage::revocation::TokenFacts;

use crate::keys::GatewayKeys;
use crate::token_cache::{Epoch, Epochs, TokenCache, TokenDigest};

pub(crate) use foreign::ForeignError;

/// A verified foreign token is verified again after this long: its issuer's keys may have changed.
const FOREIGN_TTL: Duration = Duration::from_secs(60);

/// What a verified access token says. Nothing of it was taken from an unverified part.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedToken {
    /// The server it was verified for.
    pub(crate) server: ServerId,
    /// The audience by which it is for that server.
    pub(crate) audience: String,
    /// The organization whose policies decide.
    pub(crate) organization: OrganizationId,
    /// Whom it speaks for.
    pub(crate) subject: Subject,
    /// The client it was issued to; a foreign issuer may not say.
    pub(crate) client: Option<ClientId>,
    /// Whether our own authorization server issued it, so that `client` is one of its clients.
    pub(crate) is_own: bool,
    /// What was granted.
    pub(crate) scopes: ScopeSet,
    /// Its name; a foreign issuer may give none.
    pub(crate) jti: Option<String>,
    /// The grant it belongs to.
    pub(crate) grant: Option<GrantId>,
    /// The browser session it came from.
    pub(crate) session: Option<SessionId>,
    /// When it was issued.
    pub(crate) issued_at: Timestamp,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
    /// How the person signed in.
    pub(crate) sign_in: SignIn,
}

/// Whom a token speaks for.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// One of our users.
    User(UserId),
    /// Somebody whom a connection's identity provider knows.
    External(ExternalSubject),
    /// The client itself.
    Client(ClientId),
}

/// How the person signed in, as the token says.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignIn {
    /// Authentication context class.
    pub(crate) acr: Option<String>,
    /// Authentication methods.
    pub(crate) amr: Vec<String>,
    /// When.
    pub(crate) auth_time: Option<Timestamp>,
}

/// Why a token was not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// Not a JWT, or its signature is wrong.
    #[error(transparent)]
    Jwt(#[from] JwtError),
    /// Ours, but not for this resource or not now.
    #[error(transparent)]
    Own(#[from] AccessTokenError),
    /// Of an issuer that this server does not accept tokens from.
    #[error("no access token issuer of this server is named in iss")]
    UnknownIssuer,
    /// It is bound to a key of its holder, and a bearer does not prove to hold it (RS-26).
    #[error("the token is bound to a key, which a bearer token does not prove")]
    Bound,
    /// Of an accepted issuer, but no access token for this server.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// The issuer's keys are not available: 503, and nothing is accepted (N-199).
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// Verifies tokens and remembers those that were right.
pub(crate) struct Verifier {
    issuer: Issuer,
    issuer_keys: Arc<IssuerKeys>,
    cache: TokenCache<VerifiedToken>,
}

/// What a token is verified against.
#[derive(Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// The server it is presented to.
    pub(crate) server: &'a McpServer,
    /// The definitions of now.
    pub(crate) directory: &'a Directory,
    /// Our keys of now.
    pub(crate) keys: &'a GatewayKeys,
    /// The time.
    pub(crate) now: Timestamp,
}

impl Verifier {
    /// A verifier for tokens of `issuer`, our authorization server, and of named foreign issuers.
    pub(crate) fn new(issuer: Issuer, issuer_keys: Arc<IssuerKeys>, capacity: u64) -> Self {
        Self {
            issuer,
            issuer_keys,
            cache: TokenCache::new(capacity),
        }
    }

    /// Verifies a token that was presented to a server.
    ///
    /// # Errors
    /// [`TokenError`]: 503 for [`TokenError::Keys`], `invalid_token` for everything else.
    pub(crate) async fn verify(
        &self,
        token: &str,
        expected: Expected<'_>,
    ) -> Result<Arc<VerifiedToken>, TokenError> {
        let Expected {
            server,
            directory,
            keys,
            now,
        } = expected;
        let digest = TokenDigest::of(token);
        let epochs = Epochs {
            own_keys: keys.version(),
            definitions: directory.version,
        };
        if let Some(token) = self
            .cache
            .find(digest, epochs, now)
            .filter(|t| t.is_for(server))
        {
            return Ok(token);
        }
        let jwt = UnverifiedJwt::parse(token)?;
        let issuer = jwt
            .unverified_claim_str("iss")
            .ok_or(TokenError::UnknownIssuer)?;
        let (token, epoch) = if issuer == self.issuer.as_str() {
            (
                own::verify(&jwt, &self.issuer, expected)?,
                Epoch::OwnKeys(epochs.own_keys),
            )
        } else {
            let token = foreign::verify(&jwt, issuer, &self.issuer_keys, expected).await?;
            (token, Epoch::Definitions(epochs.definitions))
        };
        let until = match epoch {
            Epoch::OwnKeys(_) => token.expires_at,
            Epoch::Definitions(_) => token.expires_at.min(now.plus(FOREIGN_TTL)),
        };
        let token = Arc::new(token);
        self.cache
            .remember(digest, Arc::clone(&token), epoch, until);
        Ok(token)
    }
}

impl VerifiedToken {
    /// Whether it was verified for this server as it is now.
    fn is_for(&self, server: &McpServer) -> bool {
        // Audiences of foreign tokens are in the definitions, whose version the cache compares.
        self.server == server.id && (!self.is_own || self.audience == server.resource)
    }

    /// The client, if it is one of our authorization server.
    pub(crate) fn own_client(&self) -> Option<&ClientId> {
        self.client.as_ref().filter(|_| self.is_own)
    }

    /// Whether it, or what it hangs on, was revoked; `user` is the person it speaks for.
    pub(crate) fn is_revoked(&self, user: Option<&UserId>, revocations: &RevocationIndex) -> bool {
        revocations.is_revoked(&TokenFacts {
            grant: self.grant.as_ref(),
            user,
            client: self.own_client().map(|client| (&IssuerRole::As, client)),
            session: self.session.as_ref(),
            organization: Some(&self.organization),
            issued_at: self.issued_at,
        })
    }
}
