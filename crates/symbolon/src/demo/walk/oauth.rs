//! The three OAuth legs of enterprise-managed authorization, as an agent sends them.

use anyhow::{Context, Result, ensure};
use symbolon_protocol::pkce::CodeVerifier;
use symbolon_protocol::random;

use super::super::scenario::{CLIENT, REDIRECT_URI, Scenario};
use super::browser::Browser;
use super::http::{Answer, Http};

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ID_JAG: &str = "urn:ietf:params:oauth:token-type:id-jag";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// What a sign-in yields.
pub type Tokens = serde_json::Value;

/// The endpoints of one scenario.
pub struct Endpoints<'a> {
    pub(in crate::demo) http: &'a Http,
    pub(in crate::demo) scenario: &'a Scenario,
}

impl Endpoints<'_> {
    /// Signs a person in at `/idp/acme` with a browser of her own and returns the ID token.
    ///
    /// # Errors
    /// When a page, the state or the token answer is not what it must be.
    pub async fn sign_in(&self, login: &str) -> Result<String> {
        let verifier = CodeVerifier::generate();
        let challenge = verifier.challenge().to_text();
        let (state, nonce) = (random::id(), random::id());
        let issuer = self.scenario.idp();
        let query = serde_urlencoded::to_string([
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "openid email"),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ])?;
        let email = format!("{login}@acme.example");
        let fields = [("login", login), ("email", email.as_str())];
        let mut browser = Browser::new(self.http.clone());
        let start = format!("{issuer}/authorize?{query}");
        let end = browser.walk(&start, REDIRECT_URI, &fields).await?;
        let answer = |name| {
            end.query_pairs()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.into_owned())
        };
        ensure!(
            answer("state") == Some(state),
            "the state that came back is another"
        );
        ensure!(
            answer("iss").as_deref() == Some(issuer.as_str()),
            "iss is not {issuer}"
        );
        let code = answer("code").with_context(|| format!("no code came back: {end}"))?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", verifier.expose()),
        ];
        let tokens = self.post_idp(&form).await?;
        ensure!(
            tokens.status == 200,
            "the code was refused: {}",
            tokens.body
        );
        let id_token = tokens.json()["id_token"].as_str().map(str::to_owned);
        id_token.context("the token answer has no id_token")
    }

    /// Exchanges an ID token for an ID-JAG.
    ///
    /// # Errors
    /// When the identity provider role does not answer; a refusal is an answer.
    pub async fn exchange(&self, id_token: &str, scope: &str) -> Result<Answer> {
        let (audience, resource) = (
            self.scenario.authorization_server(),
            self.scenario.resource(),
        );
        let form = [
            ("grant_type", TOKEN_EXCHANGE),
            ("requested_token_type", ID_JAG),
            ("subject_token", id_token),
            ("subject_token_type", ID_TOKEN),
            ("audience", &audience),
            ("resource", resource),
            ("scope", scope),
        ];
        self.post_idp(&form).await
    }

    /// Redeems an ID-JAG for an access token.
    ///
    /// # Errors
    /// When the authorization server does not answer; a refusal is an answer.
    pub async fn redeem(&self, id_jag: &str) -> Result<Answer> {
        let url = format!("{}/token", self.scenario.authorization_server());
        let credentials = Some((CLIENT, self.scenario.as_secret()));
        let form = [("grant_type", JWT_BEARER), ("assertion", id_jag)];
        self.http.post_form(&url, credentials, &form).await
    }

    async fn post_idp(&self, form: &[(&str, &str)]) -> Result<Answer> {
        let url = format!("{}/token", self.scenario.idp());
        self.http
            .post_form(&url, Some((CLIENT, self.scenario.idp_secret())), form)
            .await
    }
}
