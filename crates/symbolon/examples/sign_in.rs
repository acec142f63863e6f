//! Signs people in at a running deployment, through the development identity provider and with a
//! browser, and prints one ID token a person: `cargo xtask bench` begins with it.
//!
//! `sign_in ISSUER CLIENT_ID CLIENT_SECRET REDIRECT_URI PROVIDER_ADDRESS CONNECTION_SECRET PEOPLE`
//!
//! The provider listens on `PROVIDER_ADDRESS` while people sign in. Each of the first `PEOPLE` has a
//! subject and an email address of their own; all of them are in engineering.

#![allow(clippy::print_stdout, reason = "the tokens are what it is for")]

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use symbolon::demo::Running;
use symbolon::demo::identity_provider::{self, Client, Person, Settings};
use symbolon::demo::walk::{Browser, Http};
use symbolon_net::SystemClock;
use symbolon_protocol::ids::ClientId;
use symbolon_protocol::pkce::CodeVerifier;
use symbolon_protocol::redirect_uri::RegisteredRedirectUri;
use symbolon_protocol::secret::Secret;
use url::Url;

/// The client at the identity provider role that people sign in to.
struct Application {
    issuer: String,
    id: String,
    secret: String,
    redirect_uri: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Ok(
        [
            issuer,
            id,
            secret,
            redirect_uri,
            address,
            connection_secret,
            people,
        ],
    ) = <[String; 7]>::try_from(arguments)
    else {
        anyhow::bail!("seven arguments are wanted: see the first lines of this example");
    };
    let people: Vec<Person> = (0..people.parse()?).map(person).collect();
    let provider = provider(&issuer, address.parse()?, connection_secret, people.clone());
    let provider = provider.await?;
    let application = Application {
        issuer,
        id,
        secret,
        redirect_uri,
    };
    let http = Http::loopback()?;
    for person in &people {
        println!("{}", application.sign_in(&http, person).await?);
    }
    provider.shutdown().await;
    Ok(())
}

fn person(number: u32) -> Person {
    Person {
        id: format!("person-{number}"),
        subject: format!("development-{number}"),
        name: format!("Person {number}"),
        email: format!("person-{number}@acme.example"),
        groups: vec!["engineering".to_owned(), "everyone".to_owned()],
    }
}

async fn provider(
    issuer: &str,
    address: SocketAddr,
    secret: String,
    people: Vec<Person>,
) -> Result<Running> {
    let callback = Url::parse(issuer)?.join("/sso/oidc/callback")?;
    let client = Client {
        id: ClientId::parse("symbolon")?,
        secret: Secret::new(secret),
        redirect_uris: vec![RegisteredRedirectUri::parse(callback.as_str())?],
        post_logout_redirect_uris: Vec::new(),
    };
    let clock = Arc::new(SystemClock);
    Ok(identity_provider::start(Settings {
        address,
        clients: vec![client],
        people,
        clock,
    })
    .await?)
}

impl Application {
    /// The ID token of a person who signs in with a browser of her own.
    async fn sign_in(&self, http: &Http, person: &Person) -> Result<String> {
        let verifier = CodeVerifier::generate();
        let challenge = verifier.challenge().to_text();
        let query = serde_urlencoded::to_string([
            ("response_type", "code"),
            ("client_id", self.id.as_str()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("scope", "openid email"),
            ("state", "bench"),
            ("nonce", "bench"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ])?;
        let fields = [
            ("login", person.id.as_str()),
            ("email", person.email.as_str()),
        ];
        let start = format!("{}/authorize?{query}", self.issuer);
        let mut browser = Browser::new(http.clone());
        let end = browser.walk(&start, &self.redirect_uri, &fields).await?;
        let code = end.query_pairs().find(|(name, _)| name == "code");
        let (_, code) = code.with_context(|| format!("no code came back: {end}"))?;
        self.redeem(http, &code, &verifier).await
    }

    async fn redeem(&self, http: &Http, code: &str, verifier: &CodeVerifier) -> Result<String> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", verifier.expose()),
        ];
        let url = format!("{}/token", self.issuer);
        let answer = http
            .post_form(&url, Some((&self.id, &self.secret)), &form)
            .await?;
        ensure!(
            answer.status == 200,
            "the code was refused: {}",
            answer.body
        );
        let id_token = answer.json()["id_token"].as_str().map(str::to_owned);
        id_token.context("the token answer has no id_token")
    }
}
