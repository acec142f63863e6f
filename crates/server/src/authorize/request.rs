//! An authorization request whose client and redirect URI belong together.
//!
//! From here on the client may be told what is wrong. Nothing in the request was trusted to find out
//! who it is: the client is looked up at this issuer alone, and the redirect URI compared exactly.

use symbolon_protocol::authorization_request::{AddressedRequest, AuthorizationRequest, Prompt};
use symbolon_protocol::authorization_response::AuthorizationResponse;
use symbolon_protocol::oauth_error::{OAuthError, OAuthErrorCode};
use symbolon_protocol::redirect_uri::{self, VerifiedRedirectUri};
use symbolon_protocol::secret::Secret;
use symbolon_storage::directory::{Client, ClientGrant};

use super::resume::{self, Stage};
use super::stop::Stop;
use crate::browser_session::SignedIn;
use crate::pages::error::PageError;
use crate::sign_in::organization;
use crate::visit::Visit;

/// A complete request.
#[derive(Clone, Debug)]
pub(crate) struct Authorization {
    /// The registration of the client that asks.
    pub(crate) client: Client,
    /// Where the answer goes.
    pub(crate) redirect_uri: VerifiedRedirectUri,
    /// What it asks for.
    pub(crate) parameters: AuthorizationRequest,
    /// The query as it was sent, to come back to.
    pub(crate) query: String,
    resume: Option<String>,
}

impl Authorization {
    /// Reads the query of `…/authorize`.
    ///
    /// # Errors
    /// A page while client and redirect URI are in doubt (N-001 to N-004, N-010), then a redirect
    /// (N-006 to N-012).
    pub(crate) fn read(visit: &Visit, query: &str) -> Result<Self, Stop> {
        let (query, resume) = resume::split(query);
        let unusable = |error: OAuthError| Stop::Page(PageError::unusable_link(&error));
        let addressed = AddressedRequest::parse(&query).map_err(unusable)?;
        let client = visit
            .directory
            .client(&visit.issuer.role, addressed.client_id());
        let client = client.ok_or_else(|| unusable(UNKNOWN_CLIENT))?;
        let redirect_uri = redirect_uri::select(addressed.redirect_uri(), &client.redirect_uris)
            .map_err(|_| unusable(UNREGISTERED_REDIRECT_URI))?;
        let response = AuthorizationResponse {
            redirect_uri: &redirect_uri,
            state: addressed.state(),
            issuer: &visit.issuer.issuer,
        };
        if !client.may_use(ClientGrant::AuthorizationCode) {
            return Err(Stop::Client(response.error(&NO_CODE_GRANT)));
        }
        let parameters = addressed
            .parameters()
            .map_err(|error| Stop::Client(response.error(&error)))?;
        let client = client.clone();
        Ok(Self {
            client,
            redirect_uri,
            parameters,
            query,
            resume,
        })
    }

    /// The query with the proof, if there is one, that it has been through sign-in.
    pub(crate) fn resumable(&self) -> String {
        match &self.resume {
            Some(resume) => resume::join(&self.query, resume),
            None => self.query.clone(),
        }
    }

    /// Whether the client asked for this prompt.
    pub(crate) fn prompts(&self, prompt: Prompt) -> bool {
        self.parameters.prompt.contains(&prompt)
    }

    /// What the browser has been through for this very request, into this session.
    pub(crate) fn stage(&self, visit: &Visit, signed_in: &SignedIn) -> Option<Stage> {
        resume::stage(visit, &self.query, signed_in, self.resume.as_deref()?)
    }

    /// Whether a session answers the request, or somebody has to sign in (again).
    pub(crate) fn accepts(&self, visit: &Visit, signed_in: &SignedIn) -> bool {
        let session = &signed_in.session;
        let is_offered = self.client.is_available_to(&session.organization);
        let is_expected =
            organization::hinted(visit, self).is_none_or(|hinted| hinted == session.organization);
        if !is_offered || !is_expected {
            return false;
        }
        let is_recent = self.parameters.max_age.is_none_or(|limit| {
            session
                .facts
                .auth_time
                .is_some_and(|at| visit.now.since(at) <= limit)
        });
        let wants_again = self.prompts(Prompt::Login) || self.prompts(Prompt::SelectAccount);
        let wanted = &self.parameters.acr_values;
        let is_strong = wanted.is_empty()
            || session
                .facts
                .acr
                .as_ref()
                .is_some_and(|acr| wanted.contains(acr));
        (is_recent && is_strong && !wants_again) || self.stage(visit, signed_in).is_some()
    }

    /// Tells the client why there is no code.
    pub(crate) fn refuse(&self, visit: &Visit, error: &OAuthError) -> Stop {
        tracing::info!(
            client.id = %self.client.id, issuer = %visit.issuer.issuer,
            request.id = %visit.request_id, code = %error.code,
            "authorization request refused: {}", error.description
        );
        Stop::Client(self.response(visit).error(error))
    }

    /// The location that delivers a code.
    pub(crate) fn deliver(&self, visit: &Visit, code: &Secret) -> String {
        self.response(visit).code(code)
    }

    fn response<'a>(&'a self, visit: &'a Visit) -> AuthorizationResponse<'a> {
        AuthorizationResponse {
            redirect_uri: &self.redirect_uri,
            state: self.parameters.state.as_deref(),
            issuer: &visit.issuer.issuer,
        }
    }
}

const UNKNOWN_CLIENT: OAuthError = OAuthError::new(
    OAuthErrorCode::InvalidClient,
    "The application that sent you here is not registered with this service.",
);
const UNREGISTERED_REDIRECT_URI: OAuthError = OAuthError::new(
    OAuthErrorCode::InvalidRequest,
    "The application asked to be answered at an address that is not registered for it.",
);
const NO_CODE_GRANT: OAuthError = OAuthError::new(
    OAuthErrorCode::UnauthorizedClient,
    "this client is not registered for authorization_code",
);
