//! Nothing secret is ever written: not to a log at `trace`, not to the audit trail, not to the
//! database in a form that anybody could use (design §4 rule 5, requirements AS-63, AS-111).
//!
//! Every secret, code, token, assertion and cookie of whole flows is collected, right ones and
//! refused ones, and then looked for in everything that was written meanwhile.

mod support;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderName, Method, header};
use support::{
    ASSERTION_TYPE, As, CALLBACK, FILES, ID_JAG_TYPE, ID_TOKEN_TYPE, JWT_BEARER, Product, SignIn,
    TOKEN_EXCHANGE, form, parameter, set,
};
use symbolon_protocol::random;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use url::Url;

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Captures everything that this process logs from now on.
    fn capture() -> Self {
        let log = Self::default();
        // Also what libraries say through `log`.
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(log.clone());
        subscriber.try_init().expect("this process has one test");
        log
    }

    fn text(&self) -> String {
        let bytes = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// What must never be seen, by what it is.
#[derive(Default)]
struct Canaries(Vec<(String, String)>);

impl Canaries {
    fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 16, "{what} is too short to be looked for");
        self.0.push((what.to_owned(), secret.to_owned()));
    }

    /// A token: as a whole, and the part that makes it worth something.
    fn add_token(&mut self, what: &str, token: &str) {
        self.add(what, token);
        let (_, proof) = token.rsplit_once('.').expect("a token has parts");
        self.add(&format!("the proof of {what}"), proof);
    }

    #[track_caller]
    fn assert_absent(&self, place: &str, text: &str) {
        for (what, secret) in &self.0 {
            if let Some(at) = text.find(secret.as_str()) {
                let begin = text[..at].rfind('\n').map_or(0, |line| line + 1);
                panic!("{what} is in {place}: {}", &text[begin..at]);
            }
        }
    }
}

/// A browser that shows its cookies: it signs somebody in, one plain form after the other.
struct OpenBrowser<'a> {
    product: &'a Product,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl OpenBrowser<'_> {
    async fn sign_in(&mut self, start: &str) -> Url {
        let mut url = Url::parse(start).expect("a URL");
        let mut form = None;
        loop {
            let (method, body) = match form.take() {
                Some(body) => (Method::POST, body),
                None => (Method::GET, String::new()),
            };
            let answer = self.ask(method, &url, body).await;
            if let Some(location) = answer.header("location") {
                url = url.join(location).expect("a location");
                if url.as_str().starts_with(CALLBACK) {
                    return url;
                }
                continue;
            }
            let (action, body) = filled(&answer.body);
            url = url.join(&action).expect("an action");
            form = Some(body);
        }
    }

    async fn ask(
        &mut self,
        method: Method,
        url: &Url,
        body: String,
    ) -> symbolon::demo::walk::Answer {
        let kept = self.cookies.entry(url.authority().to_owned()).or_default();
        let cookies: Vec<String> = kept
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let site = HeaderName::from_static("sec-fetch-site");
        let headers = [
            (header::COOKIE, cookies.join("; ")),
            (
                header::CONTENT_TYPE,
                "application/x-www-form-urlencoded".to_owned(),
            ),
            (header::ORIGIN, url.origin().ascii_serialization()),
            (site, "same-origin".to_owned()),
        ];
        let answer = self
            .product
            .http
            .send(method, url.as_str(), &headers, body)
            .await;
        let answer = answer.expect("an answer");
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("text");
            let (name, rest) = cookie.split_once('=').expect("a cookie has a name");
            let value = rest.split(';').next().unwrap_or_default();
            if !value.is_empty() {
                kept.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// Fills the first form of a page as Ada would.
fn filled(html: &str) -> (String, String) {
    let html = &html[html
        .find("<form")
        .unwrap_or_else(|| panic!("no form: {html}"))..];
    let form = &html[..html.find("</form>").expect("the form ends")];
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        let value = rest.split_once('"')?.0;
        Some(value.replace("&#38;", "&").replace("&amp;", "&"))
    };
    let tags = form
        .split('<')
        .filter(|tag| tag.starts_with("input") || tag.starts_with("button"));
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for tag in tags {
        let Some(name) = attribute(tag, "name") else {
            continue;
        };
        let value = match name.as_str() {
            "login" => "ada".to_owned(),
            "email" => "ada@acme.example".to_owned(),
            _ => attribute(tag, "value").unwrap_or_default(),
        };
        fields.entry(name).or_insert(value);
    }
    let action = attribute(form, "action").unwrap_or_default();
    (action, serde_urlencoded::to_string(fields).expect("a form"))
}

/// Signs in at `/as` with every cookie, state, code and verifier on the list.
async fn sign_in(product: &Product, canaries: &mut Canaries) -> (String, String) {
    let mut browser = OpenBrowser {
        product,
        cookies: BTreeMap::new(),
    };
    let verifier = symbolon_protocol::pkce::CodeVerifier::generate();
    let challenge = verifier.challenge().to_text();
    let query = serde_urlencoded::to_string([
        ("response_type", "code"),
        ("client_id", "careful"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("resource", FILES),
        ("scope", "files:read"),
    ]);
    let start = format!(
        "{}/as/authorize?{}",
        product.public_url(),
        query.expect("a query")
    );
    let end = browser.sign_in(&start).await;
    let code = parameter(&end, "code").unwrap_or_else(|| panic!("no code: {end}"));
    canaries.add("a code", &code);
    canaries.add("a code verifier", verifier.expose());
    let cookies = browser.cookies.values().flatten();
    let cookies: Vec<_> = cookies.filter(|(_, value)| value.len() >= 16).collect();
    assert!(
        cookies.len() >= 3,
        "provider, visitor and session: {cookies:?}"
    );
    for (name, value) in cookies {
        canaries.add(&format!("cookie {name}"), value);
    }
    (code, verifier.expose().to_owned())
}

fn manifest_secrets(product: &Product, canaries: &mut Canaries) {
    for entry in std::fs::read_dir(product.directory.path()).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let is_key = name == "symbolon.kek";
        if is_key || name.ends_with(".secret") {
            let text = std::fs::read_to_string(&path).expect("a file");
            canaries.add(&name, text.trim_start_matches("1."));
        }
        if let (Some(id), false) = (name.strip_suffix(".secret"), is_key) {
            use base64::Engine as _;
            let pair = format!("{id}:{}", product.secret(id));
            let basic = base64::engine::general_purpose::STANDARD.encode(pair);
            canaries.add(&format!("credentials of {id}"), &basic);
        }
    }
}

/// Everything that works.
async fn right_requests(product: &Product, canaries: &mut Canaries) {
    let (code, verifier) = sign_in(product, canaries).await;
    let redeem = form([
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &verifier),
    ]);
    let tokens = product.token("as", As::Client("careful"), &redeem).await;
    canaries.add_token(
        "an access token",
        &tokens.assert_issued().text("access_token"),
    );
    canaries.add_token("a refresh token", &tokens.text("refresh_token"));
    let refresh = form([
        ("grant_type", "refresh_token"),
        ("refresh_token", &tokens.text("refresh_token")),
    ]);
    let refreshed = product.token("as", As::Client("careful"), &refresh).await;
    canaries.add_token(
        "a second access token",
        &refreshed.assert_issued().text("access_token"),
    );
    canaries.add_token("a second refresh token", &refreshed.text("refresh_token"));

    let at_idp = SignIn::to_acme().tokens(product).await;
    canaries.add_token("an ID token", &at_idp.text("id_token"));
    canaries.add_token("an access token for the idp", &at_idp.text("access_token"));
    let exchange = form([
        ("grant_type", TOKEN_EXCHANGE),
        ("requested_token_type", ID_JAG_TYPE),
        ("subject_token", &at_idp.text("id_token")),
        ("subject_token_type", ID_TOKEN_TYPE),
        ("audience", &product.authorization_server()),
        ("resource", FILES),
    ]);
    let id_jag = product
        .token("idp/acme", As::Client("idp-desk"), &exchange)
        .await;
    let id_jag = id_jag.assert_issued().text("access_token");
    canaries.add_token("an ID-JAG", &id_jag);
    let redeemed = product
        .redeem(&id_jag)
        .await
        .assert_issued()
        .text("access_token");
    canaries.add_token("a redeemed access token", &redeemed);
    assert_eq!(
        product.introspect("files-server", &redeemed).await["active"],
        true
    );

    let assertion = product.client_assertion().sign();
    canaries.add_token("a client assertion", &assertion);
    let for_notary = product.id_jag().with("client_id", "notary").sign();
    canaries.add_token("the notary's ID-JAG", &for_notary);
    let form = form([("grant_type", JWT_BEARER), ("assertion", &for_notary)]);
    let form = set(
        set(form, "client_assertion_type", ASSERTION_TYPE),
        "client_assertion",
        &assertion,
    );
    product.token("as", As::Nobody, &form).await.assert_issued();
    product
        .token("as", As::Nobody, &form)
        .await
        .assert_refused(401, "invalid_client");
    let revoke = support::form([("token", &redeemed)]);
    product
        .post("as/revoke", As::Client("desk"), &revoke)
        .await
        .assert_status(200);
}

/// Everything that is refused: what is wrong is somebody's secret all the same.
async fn refused_requests(product: &Product, canaries: &mut Canaries) {
    let guess = random::token().expose().to_owned();
    canaries.add("a guess", &guess);
    let unknown = form([("token", &guess)]);
    for path in ["as/introspect", "as/revoke", "idp/acme/introspect"] {
        let reply = product
            .post(path, As::Basic("desk", &guess), &unknown)
            .await;
        reply.assert_refused(401, "invalid_client");
        let in_url = product
            .post(
                &format!("{path}?token={guess}"),
                As::Client("desk"),
                &unknown,
            )
            .await;
        assert_ne!(in_url.status, 200);
    }
    let wrong = [
        form([
            ("grant_type", "authorization_code"),
            ("code", &guess),
            ("code_verifier", &guess),
        ]),
        form([("grant_type", "refresh_token"), ("refresh_token", &guess)]),
        form([("grant_type", JWT_BEARER), ("assertion", &guess)]),
        form([
            ("grant_type", JWT_BEARER),
            ("assertion", &format!("{guess}.{guess}.{guess}")),
        ]),
        form([("grant_type", &guess), ("assertion", &guess)]),
        form([
            ("grant_type", JWT_BEARER),
            ("assertion", &guess),
            ("scope", &format!("\"{guess}\"")),
        ]),
        form([
            ("grant_type", JWT_BEARER),
            ("assertion", &guess),
            ("resource", &guess),
        ]),
    ];
    for form in wrong {
        let reply = product.token("as", As::Client("desk"), &form).await;
        assert_eq!(reply.status, 400, "{}", reply.body());
        assert!(!reply.body().contains(&guess), "{}", reply.body());
    }
    let broken = [
        product.id_jag().with("client_id", "rival").sign(),
        product.id_jag().forged_by(&product.signers.attacker).sign(),
        product
            .id_jag()
            .with("iss", "https://idp.evil.example")
            .sign(),
        product.id_jag().header("typ", "JWT").sign(),
        product.id_jag().with("padding", "x".repeat(20_000)).sign(),
        product.id_jag().with("scope", "files:admin").sign(),
        product.id_jag().with("exp", "soon").sign(),
    ];
    for (number, assertion) in broken.iter().enumerate() {
        canaries.add_token(&format!("refused ID-JAG {number}"), assertion);
        assert_eq!(product.redeem(assertion).await.status, 400);
        let exchange = form([
            ("grant_type", TOKEN_EXCHANGE),
            ("requested_token_type", ID_JAG_TYPE),
            ("subject_token", assertion),
            ("subject_token_type", ID_TOKEN_TYPE),
            ("audience", "https://as.partner.example"),
        ]);
        assert_eq!(
            product
                .token("idp/acme", As::Client("idp-desk"), &exchange)
                .await
                .status,
            400
        );
    }
}

/// What a thief of the database, its journal and its backups would read.
fn database(product: &Product) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(product.directory.path()).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("symbolon.db"))
        {
            let bytes = std::fs::read(&path).expect("a file");
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    text
}

#[tokio::test]
async fn design_4_5_no_secret_is_written_anywhere() {
    let log = Log::capture();
    let product = Product::start().await;
    let mut canaries = Canaries::default();
    manifest_secrets(&product, &mut canaries);

    right_requests(&product, &mut canaries).await;
    refused_requests(&product, &mut canaries).await;
    product
        .running
        .seal_audit()
        .await
        .expect("the audit trail is sealed");

    let (log, database, events) = (log.text(), database(&product), product.audit().await);
    assert!(
        log.contains("TRACE") && log.contains("client authentication failed"),
        "it was captured"
    );
    assert!(
        database.contains("vendor-ada") && events.len() > 10,
        "it was written"
    );
    canaries.assert_absent("the log", &log);
    for event in &events {
        canaries.assert_absent("the audit trail", &format!("{event:?}"));
    }
    canaries.assert_absent("the database", &database);
    let metrics = format!("http://{}/metrics", product.running.internal());
    let metrics = product
        .http
        .send(Method::GET, &metrics, &[], "")
        .await
        .expect("metrics");
    assert_eq!(metrics.status, 200);
    canaries.assert_absent("the metrics", &metrics.body);
}
