//! A running provider, an application registered there, and a browser.

use symbolon_net::{IssuerKeys, IssuerRow, KeySource, TestClock, UrlClass};
use symbolon_protocol::{digest, jose::UnverifiedJwt, pkce::CodeVerifier, time::Timestamp};
use url::Url;

use super::super::*;
use crate::demo::test_http::{Answer, get, net, post_form};

pub(super) const CALLBACK: &str = "https://id.acme.example/sso/oidc/callback";
pub(super) const SECRET: &str = "s3cret s3cret+s3cret";
pub(super) const NOW: i64 = 1_795_201_200;
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub(super) struct World {
    pub(super) server: Running,
    pub(super) clock: Arc<TestClock>,
}

impl World {
    pub(super) async fn new() -> Self {
        let clock = TestClock::at(Timestamp::from_unix_seconds(NOW));
        let client = |id: &str| Client {
            id: ClientId::parse(id).expect("a client id"),
            secret: Secret::new(SECRET),
            redirect_uris: vec![RegisteredRedirectUri::parse(CALLBACK).expect("a redirect uri")],
            post_logout_redirect_uris: vec!["https://id.acme.example/bye".to_owned()],
        };
        let settings = Settings {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            clients: vec![client("symbolon"), client("other")],
            people: vec![Person::ada(), Person::bob()],
            clock: clock.clone(),
        };
        Self {
            server: start(settings).await.expect("started"),
            clock,
        }
    }

    pub(super) fn issuer(&self) -> String {
        self.server.url("")
    }

    /// The query of an authorization request with `extra` parameters.
    pub(super) fn query(&self, extra: &[(&str, &str)]) -> String {
        let challenge = CodeVerifier::parse(VERIFIER)
            .expect("a verifier")
            .challenge()
            .to_text();
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", "symbolon"),
            ("redirect_uri", CALLBACK),
            ("state", "state \"1\""),
            ("nonce", "nonce-1"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        parameters.extend(extra);
        if !extra.iter().any(|(name, _)| *name == "scope") {
            parameters.push(("scope", "openid email profile groups"));
        }
        serde_urlencoded::to_string(parameters).expect("a query")
    }

    pub(super) async fn authorize(
        &self,
        extra: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        get(
            &self.server,
            &format!("/authorize?{}", self.query(extra)),
            headers,
        )
        .await
    }

    /// Presses the button of a person.
    pub(super) async fn sign_in(&self, login: &str, extra: &[(&str, &str)]) -> Answer {
        let query = self.query(extra);
        let form = [("request", query.as_str()), ("login", login)];
        post_form(&self.server, "/authorize", &[], &form).await
    }

    pub(super) async fn code(&self, login: &str, extra: &[(&str, &str)]) -> String {
        parameter(&self.sign_in(login, extra).await, "code").expect("a code")
    }

    /// Redeems a code with some parameters replaced.
    pub(super) async fn redeem(&self, code: &str, replaced: &[(&str, &str)]) -> Answer {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("client_id", "symbolon"),
            ("client_secret", SECRET),
        ];
        for (name, value) in replaced {
            form.retain(|(own, _)| own != name);
            form.push((name, value));
        }
        post_form(&self.server, "/token", &[], &form).await
    }

    /// The claims of the ID token among `tokens`, verified with the keys that discovery leads to.
    pub(super) async fn claims(&self, tokens: &Value) -> Value {
        let id_token = tokens["id_token"].as_str().expect("an id token");
        let keys = IssuerKeys::new(net(), self.clock.clone());
        let row = IssuerRow {
            id: "connection/acme".to_owned(),
            class: UrlClass::DeploymentAdmin,
            source: KeySource::Discovery(Issuer::parse(&self.issuer()).expect("an issuer")),
            ca_pem: None,
        };
        let keys = keys.keys(&row).await.expect("keys");
        let jwt = UnverifiedJwt::parse(id_token).expect("a jwt");
        jwt.verify(&keys).expect("a valid signature");
        let payload = id_token.split('.').nth(1).expect("a payload");
        let payload = digest::from_base64url(payload).expect("base64url");
        serde_json::from_slice(&payload).expect("json")
    }
}

pub(super) fn parameter(answer: &Answer, name: &str) -> Option<String> {
    let location = Url::parse(answer.header("location")).ok()?;
    let mut pairs = location.query_pairs();
    pairs
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.into_owned())
}

pub(super) fn cookie(answer: &Answer) -> String {
    answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned()
}
