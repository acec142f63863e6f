//! Signing in with a browser, at `/as` or at an organization's `/idp`.

use symbolon::demo::walk::Browser;
use symbolon_protocol::pkce::CodeVerifier;
use symbolon_protocol::random;
use url::Url;

use super::{As, CALLBACK, FILES, Form, Product, Reply, form_of};

/// A sign-in that is about to happen; every method changes one thing.
#[derive(Clone)]
pub struct SignIn {
    role: &'static str,
    client: String,
    person: &'static str,
    email: &'static str,
    parameters: Form,
}

/// An authorization request.
struct Request {
    url: String,
    state: String,
    verifier: String,
}

/// What came back to the client.
pub struct Code {
    pub code: String,
    pub verifier: String,
    pub location: Url,
}

impl SignIn {
    /// Ada reads files through `desk`.
    pub fn to_files() -> Self {
        Self::new("as")
            .with("resource", FILES)
            .with("scope", "files:read")
    }

    /// Ada signs in to `desk` at Acme's identity provider role.
    pub fn to_acme() -> Self {
        Self::new("idp/acme").with("scope", "openid email")
    }

    /// Gus signs in to `desk` at Globex's identity provider role.
    pub fn to_globex() -> Self {
        Self {
            role: "idp/globex",
            ..Self::to_acme()
        }
        .gus()
    }

    fn new(role: &'static str) -> Self {
        Self {
            role,
            client: "desk".to_owned(),
            person: "ada",
            email: "ada@acme.example",
            parameters: Form::new(),
        }
    }

    pub fn client(mut self, client: &str) -> Self {
        self.client = client.to_owned();
        self
    }

    pub fn bob(self) -> Self {
        Self {
            person: "bob",
            email: "bob@acme.example",
            ..self
        }
    }

    pub fn gus(self) -> Self {
        Self {
            person: "gus",
            email: "gus@globex.example",
            ..self
        }
    }

    /// Sets a parameter of the authorization request.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.parameters = super::set(self.parameters, name, value);
        self
    }

    /// The address that the client opens, and how the answer is recognised.
    fn request(&self, product: &Product) -> Request {
        let verifier = CodeVerifier::generate();
        let challenge = verifier.challenge().to_text();
        let state = random::id();
        let mut query = form_of(&[
            ("response_type", "code"),
            ("client_id", &self.client),
            ("redirect_uri", CALLBACK),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        query.extend(self.parameters.clone());
        let query = serde_urlencoded::to_string(&query).expect("a query");
        let url = format!("{}/{}/authorize?{query}", product.public_url(), self.role);
        Request {
            url,
            state,
            verifier: verifier.expose().to_owned(),
        }
    }

    /// The address that the client opens.
    pub fn start(&self, product: &Product) -> String {
        self.request(product).url
    }

    /// Walks until the browser is back at the client.
    pub async fn walk(&self, product: &Product, browser: &mut Browser) -> (Url, String) {
        let Request {
            url,
            state,
            verifier,
        } = self.request(product);
        let fields = [("login", self.person), ("email", self.email)];
        let end = browser
            .walk(&url, CALLBACK, &fields)
            .await
            .expect("the sign-in comes back");
        let answer = |name: &str| parameter(&end, name);
        assert_eq!(
            answer("state"),
            Some(state),
            "the state comes back unchanged"
        );
        let issuer = format!("{}/{}", product.public_url(), self.role);
        assert_eq!(answer("iss"), Some(issuer), "the answer names its issuer");
        (end, verifier)
    }

    /// The authorization request with nothing in it but what was set.
    pub fn query_without_defaults(&self) -> String {
        let always = form_of(&[
            ("response_type", "code"),
            ("client_id", &self.client),
            ("redirect_uri", CALLBACK),
        ]);
        serde_urlencoded::to_string([always, self.parameters.clone()].concat()).expect("a query")
    }

    /// Signs in with a fresh browser; the client gets a code.
    pub async fn code(&self, product: &Product) -> Code {
        let mut browser = Browser::new(product.http.clone());
        let (location, verifier) = self.walk(product, &mut browser).await;
        let code = parameter(&location, "code");
        let code = code.unwrap_or_else(|| panic!("no code came back: {location}"));
        Code {
            code,
            verifier,
            location,
        }
    }

    /// Signs in and redeems the code.
    pub async fn tokens(&self, product: &Product) -> Reply {
        let code = self.code(product).await;
        let secret = self.secret();
        let reply = match secret {
            Some(secret) => {
                product
                    .token(self.role, As::Client(&secret), &code.form())
                    .await
            }
            None => {
                let form = super::set(code.form(), "client_id", &self.client);
                product.token(self.role, As::Nobody, &form).await
            }
        };
        reply.assert_issued();
        reply
    }

    /// The name of the client's secret at this issuer; a public client has none.
    fn secret(&self) -> Option<String> {
        let client = &self.client;
        match self.role {
            _ if client == "pocket" => None,
            "idp/acme" => Some(format!("idp-{client}")),
            "idp/globex" => Some(format!("globex-idp-{client}")),
            _ => Some(client.clone()),
        }
    }
}

impl Code {
    /// The token request that redeems it.
    pub fn form(&self) -> Form {
        form_of(&[
            ("grant_type", "authorization_code"),
            ("code", &self.code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &self.verifier),
        ])
    }
}

/// A parameter of a URL.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.into_owned())
}
