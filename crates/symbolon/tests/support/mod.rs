//! The product of the tests: the whole of Symbolon on loopback, with two organizations.
//!
//! It is what `symbolon serve` starts, on a clock that stands still until a test moves it. Foreign
//! parties are real too: development identity providers for both companies, a key server, and
//! signers whose public keys the manifest trusts. `manifest.toml` beside this file is the world.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test binary uses its part of the harness"
)]

mod deployment;
mod reply;
mod sign_in;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method, header};
use serde_json::Value;
use symbolon::demo::identity_provider::Person;
use symbolon::demo::walk::Http;
use symbolon::serve;
use symbolon_net::{Clock, TestClock};
use symbolon_protocol::digest::from_base64url;
use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::user::{self, User};
use symbolon_testkit::{KeyServer, Signer, Token};
use tempfile::TempDir;

pub use self::deployment::free_address;
pub use self::reply::Reply;
pub use self::sign_in::{Code, SignIn, parameter};

pub const FILES: &str = "https://mcp.acme.example/files";
pub const TRACKER: &str = "https://mcp.acme.example/tracker";
pub const VAULT: &str = "https://mcp.globex.example/vault";
pub const WIKI: &str = "https://mcp.shared.example/wiki";
pub const CALLBACK: &str = "https://desk.example/callback";
pub const VENDOR: &str = "https://idp.vendor.example";

pub const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub const ID_JAG_TYPE: &str = "urn:ietf:params:oauth:token-type:id-jag";
pub const ID_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:id_token";
pub const REFRESH_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:refresh_token";
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Form parameters.
pub type Form = Vec<(String, String)>;

/// A running deployment and everybody around it.
pub struct Product {
    pub clock: Arc<TestClock>,
    pub signers: Signers,
    pub key_server: KeyServer,
    pub http: Http,
    pub running: serve::Running,
    pub directory: TempDir,
    secrets: HashMap<String, String>,
    _people: [symbolon::demo::Running; 2],
}

/// The foreign parties that sign.
pub struct Signers {
    pub vendor: Signer,
    pub other: Signer,
    pub shared: Signer,
    pub globex: Signer,
    pub remote: Signer,
    pub notary: Signer,
    /// Nobody trusts it.
    pub attacker: Signer,
}

/// How a request authenticates its client.
#[derive(Clone, Copy)]
pub enum As<'a> {
    Nobody,
    /// A client of the manifest, by the secret file of that name.
    Client(&'a str),
    Basic(&'a str, &'a str),
}

impl Product {
    /// Starts the product on SQLite.
    pub async fn start() -> Self {
        deployment::start(None, "").await
    }

    /// Starts the product on SQLite with more manifest entries.
    pub async fn with(manifest: &str) -> Self {
        deployment::start(None, manifest).await
    }

    /// Starts the product on a database that is there already.
    pub async fn on(storage_url: &str) -> Self {
        deployment::start(Some(storage_url), "").await
    }

    /// A second node over the same database; it answers at the address that it gives.
    pub async fn another_node(&self) -> serve::Running {
        deployment::another_node(self).await
    }

    pub fn public_url(&self) -> &str {
        self.running.public_url()
    }

    /// The issuer of `/as`.
    pub fn authorization_server(&self) -> String {
        format!("{}/as", self.public_url())
    }

    /// The issuer of an organization's `/idp`.
    pub fn identity_provider(&self, organization: &str) -> String {
        format!("{}/idp/{organization}", self.public_url())
    }

    /// The secret in the file of that name.
    pub fn secret(&self, name: &str) -> &str {
        &self.secrets[name]
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// An ID-JAG of the vendor's identity provider for `desk` to read files, right in every respect.
    pub fn id_jag(&self) -> Token {
        self.id_jag_of(&self.signers.vendor, VENDOR)
    }

    /// The same from another issuer.
    pub fn id_jag_of(&self, signer: &Signer, issuer: &str) -> Token {
        Token::id_jag(signer, issuer, "vendor-ada", self.now())
            .with("aud", self.authorization_server())
            .with("client_id", "desk")
            .with("resource", FILES)
            .with("scope", "files:read")
    }

    /// An ID-JAG of Globex's identity provider for `globex-desk` to open the vault.
    pub fn globex_id_jag(&self) -> Token {
        self.id_jag_of(&self.signers.globex, "https://idp.globex.example")
            .with("client_id", "globex-desk")
            .with("resource", VAULT)
            .with("scope", "vault:open")
    }

    /// A client assertion of `notary` for `/as`.
    pub fn client_assertion(&self) -> Token {
        let audience = self.authorization_server();
        Token::client_assertion(&self.signers.notary, "notary", &audience, self.now())
    }

    /// Redeems an assertion as `desk`.
    pub async fn redeem(&self, assertion: &str) -> Reply {
        self.redeem_with(assertion, &[]).await
    }

    /// Redeems an assertion as `desk` with more parameters.
    pub async fn redeem_with(&self, assertion: &str, more: &[(&str, &str)]) -> Reply {
        let form = [
            form([("grant_type", JWT_BEARER), ("assertion", assertion)]),
            form_of(more),
        ];
        self.token("as", As::Client("desk"), &form.concat()).await
    }

    /// Posts to the token endpoint below `as` or `idp/{organization}`.
    pub async fn token(&self, role: &str, client: As<'_>, form: &Form) -> Reply {
        self.post(&format!("{role}/token"), client, form).await
    }

    /// Posts a form to a path below the public URL.
    pub async fn post(&self, path: &str, client: As<'_>, form: &Form) -> Reply {
        let url = format!("{}/{path}", self.public_url());
        self.post_to(&url, client, form).await
    }

    /// Posts a form to a URL.
    pub async fn post_to(&self, url: &str, client: As<'_>, form: &Form) -> Reply {
        let pairs: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let credentials = match client {
            As::Nobody => None,
            As::Client(name) => Some((client_id(name), self.secret(name))),
            As::Basic(id, secret) => Some((id, secret)),
        };
        let answer = self.http.post_form(url, credentials, &pairs).await;
        Reply::new(answer.expect("the product answers"))
    }

    /// Sends anything.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: &str,
    ) -> Reply {
        let url = format!("{}/{path}", self.public_url());
        let headers: Vec<_> = headers
            .iter()
            .map(|(n, v)| (n.clone(), (*v).to_owned()))
            .collect();
        let answer = self
            .http
            .send(method, &url, &headers, body.to_owned())
            .await;
        Reply::new(answer.expect("the product answers"))
    }

    /// Asks about a token as a client of `/as`.
    pub async fn introspect(&self, client: &str, token: &str) -> Value {
        let reply = self
            .post(
                "as/introspect",
                As::Client(client),
                &form([("token", token)]),
            )
            .await;
        reply.assert_status(200);
        reply.json()
    }

    /// Everybody of an organization with that address.
    pub async fn users(&self, organization: &str, email: &str) -> Vec<User> {
        let organization = OrganizationId::parse(organization).expect("an organization id");
        let email = email.to_owned();
        let find = self.running.store().read(move |c| {
            Box::pin(async move { user::find_by_email(c, &organization, &email).await })
        });
        find.await.expect("the database answers")
    }

    /// Every audit event, the newest first.
    pub async fn audit(&self) -> Vec<symbolon_storage::audit::Recorded> {
        use symbolon_storage::audit::{self, Filter};
        let read = self
            .running
            .store()
            .read(|c| Box::pin(async move { audit::list(c, &Filter::default(), None, 500).await }));
        read.await.expect("the database answers").events
    }

    /// Stops it in order.
    pub async fn stop(self) -> TempDir {
        self.running.stop().await;
        self.directory
    }
}

impl Signers {
    fn generate() -> Self {
        Self {
            vendor: Signer::generate(),
            other: Signer::generate(),
            shared: Signer::generate(),
            globex: Signer::generate(),
            remote: Signer::generate(),
            notary: Signer::generate(),
            attacker: Signer::generate(),
        }
    }
}

/// `idp-desk` and `globex-idp-desk` are the secrets of clients called `desk`.
fn client_id(secret: &str) -> &str {
    secret.rsplit_once("idp-").map_or(secret, |(_, id)| id)
}

/// Parameters that are owned.
pub fn form<const N: usize>(pairs: [(&str, &str); N]) -> Form {
    form_of(&pairs)
}

/// As [`form`], of a slice.
pub fn form_of(pairs: &[(&str, &str)]) -> Form {
    pairs
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect()
}

/// The form with one parameter set to another value, or added.
pub fn set(mut form: Form, name: &str, value: &str) -> Form {
    form.retain(|(own, _)| own != name);
    form.push((name.to_owned(), value.to_owned()));
    form
}

/// The form without a parameter.
pub fn unset(mut form: Form, name: &str) -> Form {
    form.retain(|(own, _)| own != name);
    form
}

/// The claims of a JWT; nothing is checked.
pub fn claims(jwt: &str) -> Value {
    part(jwt, 1)
}

/// The header of a JWT; nothing is checked.
pub fn jose_header(jwt: &str) -> Value {
    part(jwt, 0)
}

fn part(jwt: &str, number: usize) -> Value {
    let part = jwt.split('.').nth(number).expect("a JWT has three parts");
    let bytes = from_base64url(part).expect("a part of a JWT is base64url");
    serde_json::from_slice(&bytes).expect("a part of a JWT is JSON")
}

/// Another text of the same form: its end still decodes as base64url.
pub fn other_end(text: &str) -> String {
    let (rest, last) = text.split_at(text.len() - 1);
    format!("{rest}{}", if last == "Q" { "g" } else { "Q" })
}

/// The type of a form.
pub const FORM: (HeaderName, &str) = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");

/// Gus, who works at Globex.
pub fn gus() -> Person {
    Person {
        id: "gus".to_owned(),
        subject: "development-gus".to_owned(),
        name: "Gus Gray".to_owned(),
        email: "gus@globex.example".to_owned(),
        groups: vec!["engineering".to_owned()],
    }
}
