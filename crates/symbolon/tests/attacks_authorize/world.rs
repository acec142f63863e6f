//! The product with one more organization, whose provider says what a test wants.

use symbolon_testkit::Token;

use crate::lying_provider::LyingProvider;
use crate::support::{self, CALLBACK, Form, Product};
use crate::visitor::{Seen, Visitor};

pub const LEDGER: &str = "https://mcp.initech.example/ledger";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Initech and Umbrella share one provider; Initech has two servers and two clients.
const MANIFEST: &str = r#"
[[organization]]
id = "initech"
name = "Initech"
domains = ["initech.example"]

[[organization]]
id = "umbrella"
name = "Umbrella"
domains = ["umbrella.example"]

[[connection]]
id = "initech-oidc"
organization = "initech"
protocol = "oidc"
issuer = "{liar}"
tenant = { claim = "tid", value = "initech" }
client_id = "symbolon"
client_secret = { file = "connection.secret" }
groups_claim = "groups"
link_by_email = true

[[connection]]
id = "umbrella-oidc"
organization = "umbrella"
protocol = "oidc"
issuer = "{liar}"
tenant = { claim = "tid", value = "umbrella" }
client_id = "symbolon"
client_secret = { file = "connection.secret" }

[[mcp_server]]
id = "ledger"
organization = "initech"
resource = "https://mcp.initech.example/ledger"
scopes = ["ledger:read", "ledger:write"]

[[mcp_server]]
id = "archive"
organization = "initech"
resource = "https://mcp.initech.example/archive"
scopes = ["archive:read"]

[[client]]
id = "teller"
organization = "initech"
name = "Teller"
authentication = "none"
grants = ["authorization_code", "refresh_token"]
redirect_uris = ["https://desk.example/callback", "http://127.0.0.1/callback"]

[[client]]
id = "impostor"
organization = "initech"
name = "Teller"
authentication = "none"
grants = ["authorization_code", "refresh_token"]
redirect_uris = ["https://impostor.example/callback"]

[[assignment]]
organization = "initech"
everyone = true
mcp_server = "ledger"
scopes = ["ledger:read", "ledger:write"]

[[policy]]
organization = "initech"
id = "writing-needs-a-second-factor"
file = "{policy}"
"#;

const POLICY: &str = r#"
@step_up_acr("second_factor")
@step_up_max_age("300")
forbid (principal, action == Action::"grant_access", resource)
when { resource.name == "ledger:write" }
unless { context has acr && context.acr == "second_factor"
  && context has seconds_since_authentication && context.seconds_since_authentication <= 300 };
"#;

/// The product, with Initech's provider.
pub struct World {
    pub product: Product,
    pub liar: LyingProvider,
}

/// A visitor at the provider's door.
pub struct Away {
    pub visitor: Visitor,
    pub state: String,
    pub nonce: String,
}

impl World {
    pub async fn start() -> Self {
        let liar = LyingProvider::start().await;
        let folder = tempfile::tempdir().expect("a temporary directory");
        let policy = folder.path().join("second-factor.cedar");
        std::fs::write(&policy, POLICY).expect("the folder can be written");
        let manifest = MANIFEST
            .replace("{liar}", &liar.issuer)
            .replace("{policy}", &policy.display().to_string());
        let product = Product::with(&manifest).await;
        Self { product, liar }
    }

    /// Opens an authorization request as a stranger.
    pub async fn ask(&self, request: &Form) -> Seen {
        Visitor::new(&self.product).get(&path(request)).await
    }

    /// Sends a new visitor to the provider.
    pub async fn leave(&self, request: &Form) -> Away {
        self.leave_as(Visitor::new(&self.product), request).await
    }

    /// Sends a visitor to the provider.
    pub async fn leave_as(&self, mut visitor: Visitor, request: &Form) -> Away {
        let seen = visitor.get(&path(request)).await;
        let location = seen.location().unwrap_or_else(|| panic!("{}", seen.body()));
        assert!(location.starts_with(&self.liar.issuer), "{location}");
        let state = seen.told("state").expect("a state");
        let nonce = seen.told("nonce").expect("a nonce");
        assert_eq!(seen.told("code_challenge_method").as_deref(), Some("S256"));
        Away {
            visitor,
            state,
            nonce,
        }
    }

    /// Brings a visitor back with a code that is worth this ID token.
    pub async fn come_back(&self, away: &mut Away, id_token: String) -> Seen {
        self.liar.answer(id_token);
        let callback = self.callback(&[("code", "a-code"), ("state", &away.state)]);
        away.visitor.follow(&callback).await
    }

    /// Signs Ada in; she stands before the consent page.
    pub async fn sign_in(&self, request: &Form) -> (Visitor, Seen) {
        let mut away = self.leave(request).await;
        let id_token = self.liar.id_token(&self.product, &away.nonce).sign();
        let seen = self.come_back(&mut away, id_token).await;
        assert_eq!(seen.status, 200, "{}", seen.body());
        (away.visitor, seen)
    }

    /// The callback with the provider's `iss`.
    pub fn callback(&self, parameters: &[(&str, &str)]) -> String {
        let mut form = support::form_of(parameters);
        form.push(("iss".to_owned(), self.liar.issuer.clone()));
        callback_path(&form)
    }

    /// What comes back when the provider answers with this token; nobody gets a code.
    pub async fn sign_in_with(&self, change: impl FnOnce(Token) -> String) -> Seen {
        let mut away = self.leave(&request()).await;
        let id_token = change(self.liar.id_token(&self.product, &away.nonce));
        let seen = self.come_back(&mut away, id_token).await;
        assert!(
            away.visitor
                .cookies
                .keys()
                .all(|name| !name.contains("session"))
        );
        seen
    }
}

/// A good request of `teller` for Ada.
pub fn request() -> Form {
    support::form([
        ("response_type", "code"),
        ("client_id", "teller"),
        ("redirect_uri", CALLBACK),
        ("scope", "ledger:read"),
        ("resource", LEDGER),
        ("state", "s-71c"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("login_hint", "ada@initech.example"),
    ])
}

/// The good request with one parameter changed.
pub fn with(name: &str, value: &str) -> Form {
    support::set(request(), name, value)
}

/// The good request with a parameter once more.
pub fn twice(name: &str, value: &str) -> Form {
    let mut form = request();
    form.push((name.to_owned(), value.to_owned()));
    form
}

pub fn path(request: &Form) -> String {
    format!(
        "/as/authorize?{}",
        serde_urlencoded::to_string(request).expect("a query")
    )
}

pub fn callback_path(form: &Form) -> String {
    format!(
        "/sso/oidc/callback?{}",
        serde_urlencoded::to_string(form).expect("a query")
    )
}

/// Answers a consent page.
pub async fn consent(visitor: &mut Visitor, page: &Seen, answer: &str) -> Seen {
    let fields = ["csrf", "request", "shown"].map(|name| (name, page.hidden(name)));
    let mut form: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    form.push(("answer", answer));
    visitor.post("/as/consent", &form).await
}
