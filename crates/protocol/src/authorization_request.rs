//! Requests to the authorization endpoint ([RFC 6749] §4.1.1, OpenID Connect Core §3.1.2.1).
//!
//! Reading has two stages because there are two ways to say no. Until client and redirect URI are
//! known to belong together, an error is a page (AS-23); [`AddressedRequest`] is what we know then.
//! From there on an error is told to the client, and [`AddressedRequest::parameters`] reads the rest.
//!
//! `response_type=code` with PKCE `S256` is the only flow (AS-20, AS-21). `dpop_jkt` and parameters
//! we do not know are ignored.
//!
//! [RFC 6749]: https://www.rfc-editor.org/rfc/rfc6749

use std::time::Duration;

use crate::form::Form;
use crate::ids::ClientId;
use crate::oauth_error::{OAuthError, OAuthErrorCode};
use crate::pkce::{self, CodeChallenge};
use crate::redirect_uri::RequestedRedirectUri;
use crate::resource::ResourceIndicator;
use crate::scope::ScopeSet;
use crate::token_request;

/// The longest `state` and `nonce` that are taken, in bytes.
pub const MAX_STATE_BYTES: usize = 2048;

/// The longest hint that is taken, in bytes.
const MAX_HINT_BYTES: usize = 512;

/// A request that says which client asks and where the answer shall go.
#[derive(Clone, Debug)]
pub struct AddressedRequest<'a> {
    client_id: ClientId,
    redirect_uri: Option<RequestedRedirectUri>,
    form: Form<'a>,
}

/// Everything else in an authorization request.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// The hash whose preimage the client will show.
    pub code_challenge: CodeChallenge,
    /// Scopes asked for.
    pub scope: Option<ScopeSet>,
    /// Returned as it is.
    pub state: Option<String>,
    /// The resource the access token is for.
    pub resource: Option<ResourceIndicator>,
    /// Returned in the ID token.
    pub nonce: Option<String>,
    /// What the client wants the person to see; `[Prompt::None]` never has company.
    pub prompt: Vec<Prompt>,
    /// The oldest acceptable sign-in.
    pub max_age: Option<Duration>,
    /// Acceptable authentication context classes, the preferred one first.
    pub acr_values: Vec<String>,
    /// Who probably signs in.
    pub login_hint: Option<String>,
    /// Which organization the person probably belongs to.
    pub domain_hint: Option<String>,
}

/// A value of `prompt` (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Prompt {
    /// Show no page at all.
    None,
    /// Sign in again.
    Login,
    /// Ask for consent again.
    Consent,
    /// Let the person choose an account.
    SelectAccount,
}

impl<'a> AddressedRequest<'a> {
    /// Reads the query of the authorization endpoint.
    ///
    /// # Errors
    /// Shown as a page, never redirected: `invalid_request` for a query that is not well-formed or
    /// has no or two `client_id` or two `redirect_uri` (N-010), `invalid_client` for a `client_id`
    /// that nobody can have (N-001).
    pub fn parse(query: &'a str) -> Result<Self, OAuthError> {
        let form = Form::parse(query.as_bytes())?;
        let missing = OAuthError::invalid_request("client_id is missing");
        let client_id = ClientId::parse(form.one("client_id")?.ok_or(missing)?).map_err(|_| {
            OAuthError::new(OAuthErrorCode::InvalidClient, "client_id is not known")
        })?;
        let redirect_uri = form.one("redirect_uri")?.map(RequestedRedirectUri::new);
        Ok(Self {
            client_id,
            redirect_uri,
            form,
        })
    }

    /// Which client asks, it says.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Where the answer shall go; to be compared with the client's registration.
    #[must_use]
    pub fn redirect_uri(&self) -> Option<&RequestedRedirectUri> {
        self.redirect_uri.as_ref()
    }

    /// The `state` to return with an error: `None` when it is absent, repeated or too long.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        let state = self.form.one("state").ok().flatten();
        state.filter(|state| state.len() <= MAX_STATE_BYTES)
    }

    /// Reads the rest.
    ///
    /// # Errors
    /// To be redirected: `invalid_request` (N-007, N-008, N-009, N-011),
    /// `unsupported_response_type` (N-006), `invalid_scope`, `invalid_target` (N-012),
    /// `request_not_supported` and `request_uri_not_supported`.
    pub fn parameters(&self) -> Result<AuthorizationRequest, OAuthError> {
        let form = &self.form;
        form.refuse_repeated(&["resource"])?;
        self.refuse_unsupported()?;
        Ok(AuthorizationRequest {
            code_challenge: self.code_challenge()?,
            scope: token_request::scope(form)?,
            state: self.text("state", MAX_STATE_BYTES)?,
            resource: token_request::resource(form)?,
            nonce: self.text("nonce", MAX_STATE_BYTES)?,
            prompt: self.prompt()?,
            max_age: self.max_age()?,
            acr_values: self.acr_values()?,
            login_hint: self.text("login_hint", MAX_HINT_BYTES)?,
            domain_hint: self.text("domain_hint", MAX_HINT_BYTES)?,
        })
    }

    fn refuse_unsupported(&self) -> Result<(), OAuthError> {
        let unsupported = |code, description| Err(OAuthError::new(code, description));
        // A signed request that is ignored would be a check that the client believes in.
        if self.form.one("request")?.is_some() {
            return unsupported(
                OAuthErrorCode::RequestNotSupported,
                "request is not supported",
            );
        }
        if self.form.one("request_uri")?.is_some() {
            let code = OAuthErrorCode::RequestUriNotSupported;
            return unsupported(code, "request_uri is not supported");
        }
        match self.form.one("response_type")? {
            Some("code") => {}
            Some(_) => {
                let code = OAuthErrorCode::UnsupportedResponseType;
                return unsupported(code, "response_type must be code");
            }
            None => return Err(OAuthError::invalid_request("response_type is missing")),
        }
        match self.form.one("response_mode")? {
            None | Some("query") => Ok(()),
            Some(_) => Err(OAuthError::invalid_request("response_mode must be query")),
        }
    }

    fn code_challenge(&self) -> Result<CodeChallenge, OAuthError> {
        let refuse = OAuthError::invalid_request;
        let challenge = self.form.one("code_challenge")?;
        let challenge = challenge.ok_or(refuse("code_challenge is missing"))?;
        // An absent method means `plain` (RFC 7636 §4.3).
        if self.form.one("code_challenge_method")? != Some(pkce::METHOD) {
            return Err(refuse("code_challenge_method must be S256"));
        }
        CodeChallenge::parse(challenge)
            .map_err(|_| refuse("code_challenge must be a base64url SHA-256"))
    }

    fn prompt(&self) -> Result<Vec<Prompt>, OAuthError> {
        let text = self.form.one("prompt")?.unwrap_or_default();
        let words = text.split(' ').filter(|word| !word.is_empty());
        let unknown = OAuthError::invalid_request("prompt has a value that is not supported");
        let prompt = words
            .map(|word| Prompt::parse(word).ok_or(unknown))
            .collect::<Result<Vec<_>, _>>()?;
        if prompt.contains(&Prompt::None) && prompt.len() > 1 {
            return Err(OAuthError::invalid_request("prompt none stands alone"));
        }
        Ok(prompt)
    }

    fn max_age(&self) -> Result<Option<Duration>, OAuthError> {
        let malformed = OAuthError::invalid_request("max_age must be a number of seconds");
        let seconds = self.form.one("max_age")?.map(str::parse::<u32>).transpose();
        Ok(seconds
            .map_err(|_| malformed)?
            .map(|seconds| Duration::from_secs(seconds.into())))
    }

    fn acr_values(&self) -> Result<Vec<String>, OAuthError> {
        let text = self.text("acr_values", MAX_HINT_BYTES)?.unwrap_or_default();
        Ok(text
            .split(' ')
            .filter(|acr| !acr.is_empty())
            .map(str::to_owned)
            .collect())
    }

    fn text(&self, name: &str, limit: usize) -> Result<Option<String>, OAuthError> {
        match self.form.one(name)? {
            Some(text) if text.len() > limit => {
                Err(OAuthError::invalid_request("a parameter is too long"))
            }
            text => Ok(text.map(str::to_owned)),
        }
    }
}

impl Prompt {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::None),
            "login" => Some(Self::Login),
            "consent" => Some(Self::Consent),
            "select_account" => Some(Self::SelectAccount),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHALLENGE: &str = "5ZsKhopJWYh0ldFmcZw3yg0d91R2ukRXRfGGncNxqA4";

    fn good() -> String {
        format!(
            "response_type=code&client_id=c&code_challenge={CHALLENGE}&code_challenge_method=S256"
        )
    }

    fn parameters(query: &str) -> Result<AuthorizationRequest, OAuthErrorCode> {
        let request = AddressedRequest::parse(query).expect("well addressed");
        request.parameters().map_err(|error| error.code)
    }

    fn page(query: &str) -> OAuthErrorCode {
        AddressedRequest::parse(query).map(|_| ()).unwrap_err().code
    }

    /// The sign-in of requirements §6.5.
    #[test]
    fn the_worked_example_is_read() {
        let query = format!(
            "response_type=code&client_id=https%3A%2F%2Fagent.initech.example%2Foauth%2Fclient.json\
             &redirect_uri=https%3A%2F%2Fagent.initech.example%2Fcb&scope=openid%20email%20offline_access\
             &state=s-71c&nonce=n-88f&code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let request = AddressedRequest::parse(&query).unwrap();
        let client_id = "https://agent.initech.example/oauth/client.json";
        assert_eq!(request.client_id().as_str(), client_id);
        let redirect_uri = request.redirect_uri().map(RequestedRedirectUri::as_str);
        assert_eq!(redirect_uri, Some("https://agent.initech.example/cb"));
        let parameters = request.parameters().unwrap();
        assert_eq!(parameters.code_challenge.to_text(), CHALLENGE);
        assert_eq!(
            parameters.scope.unwrap().to_string(),
            "openid email offline_access"
        );
        assert_eq!(parameters.state.as_deref(), Some("s-71c"));
        assert_eq!(parameters.nonce.as_deref(), Some("n-88f"));
    }

    /// N-001, N-010, AS-23.
    #[test]
    fn a_request_without_one_client_and_address_gets_a_page() {
        assert_eq!(page(""), OAuthErrorCode::InvalidRequest);
        assert_eq!(page("client_id="), OAuthErrorCode::InvalidRequest);
        assert_eq!(
            page("client_id=a&client_id=a"),
            OAuthErrorCode::InvalidRequest
        );
        let two = "client_id=a&redirect_uri=https://a.example&redirect_uri=https://b.example";
        assert_eq!(page(two), OAuthErrorCode::InvalidRequest);
        assert_eq!(page("client_id=a%20b"), OAuthErrorCode::InvalidClient);
        assert_eq!(
            page("client_id=a&state=%ff"),
            OAuthErrorCode::InvalidRequest
        );
    }

    /// N-006.
    #[test]
    fn only_the_code_flow_exists() {
        for other in ["token", "id_token", "code+token", "CODE"] {
            let query = good().replace("response_type=code", &format!("response_type={other}"));
            let error = parameters(&query).unwrap_err();
            assert_eq!(error, OAuthErrorCode::UnsupportedResponseType, "{other}");
        }
        let none = good().replace("response_type=code", "response_type=");
        assert_eq!(
            parameters(&none).unwrap_err(),
            OAuthErrorCode::InvalidRequest
        );
    }

    /// N-007, N-008, N-009.
    #[test]
    fn pkce_with_s256_is_required() {
        for (from, to) in [
            (CHALLENGE, ""),
            (CHALLENGE, "short"),
            (&CHALLENGE[42..], "=="),
            ("S256", "plain"),
            ("S256", "s256"),
            ("&code_challenge_method=S256", ""),
        ] {
            let error = parameters(&good().replace(from, to)).unwrap_err();
            assert_eq!(error, OAuthErrorCode::InvalidRequest, "{from} → {to}");
        }
    }

    /// N-011.
    #[test]
    fn repeated_parameters_are_told_to_the_client() {
        for repeated in [
            "scope=a&scope=a",
            "state=a&state=b",
            "code_challenge=x",
            "max_age=1&max_age=1",
        ] {
            let query = format!("{}&{repeated}", good());
            assert_eq!(
                parameters(&query).unwrap_err(),
                OAuthErrorCode::InvalidRequest
            );
        }
        let query = format!("{}&state=a&state=b", good());
        assert_eq!(AddressedRequest::parse(&query).unwrap().state(), None);
    }

    /// N-012.
    #[test]
    fn a_resource_is_one_absolute_url_without_fragment() {
        for bad in [
            "/mcp",
            "https://h/mcp%23x",
            "https://h/a&resource=https://h/b",
        ] {
            let query = format!("{}&resource={bad}", good());
            assert_eq!(
                parameters(&query).unwrap_err(),
                OAuthErrorCode::InvalidTarget,
                "{bad}"
            );
        }
        let query = format!("{}&resource=https%3A%2F%2Fh%2Fmcp", good());
        assert_eq!(
            parameters(&query).unwrap().resource.unwrap().as_str(),
            "https://h/mcp"
        );
    }

    /// AS-37.
    #[test]
    fn hints_are_read() {
        let query = format!(
            "{}&prompt=login+consent&max_age=0&acr_values=a++b&login_hint=ada%40x&domain_hint=x",
            good()
        );
        let request = parameters(&query).unwrap();
        assert_eq!(request.prompt, [Prompt::Login, Prompt::Consent]);
        assert_eq!(request.max_age, Some(Duration::ZERO));
        assert_eq!(request.acr_values, ["a", "b"]);
        assert_eq!(request.login_hint.as_deref(), Some("ada@x"));
        assert_eq!(request.domain_hint.as_deref(), Some("x"));
    }

    #[test]
    fn unusable_values_are_refused() {
        let long = format!("state={}", "x".repeat(MAX_STATE_BYTES + 1));
        for (parameter, code) in [
            ("prompt=none+login", OAuthErrorCode::InvalidRequest),
            ("prompt=create", OAuthErrorCode::InvalidRequest),
            ("max_age=-1", OAuthErrorCode::InvalidRequest),
            ("response_mode=fragment", OAuthErrorCode::InvalidRequest),
            ("scope=%22", OAuthErrorCode::InvalidScope),
            ("request=x.y.z", OAuthErrorCode::RequestNotSupported),
            ("request_uri=urn:x", OAuthErrorCode::RequestUriNotSupported),
            (&long, OAuthErrorCode::InvalidRequest),
        ] {
            let query = format!("{}&{parameter}", good());
            assert_eq!(parameters(&query).unwrap_err(), code, "{parameter}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(query in "(&?(client_id|scope|state|prompt|max_age|resource)=\\PC{0,20}){0,8}") {
            if let Ok(request) = AddressedRequest::parse(&query) {
                let _ = request.parameters();
            }
        }
    }
}
