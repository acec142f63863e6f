//! The provider over the wire, as an application and a browser see it.

use std::time::Duration;

use serde_json::{Value, json};
use symbolon_net::{IssuerKeys, IssuerRow, KeySource, TestClock, UrlClass};
use symbolon_protocol::time::Timestamp;
use symbolon_protocol::{digest, jose::UnverifiedJwt, pkce::CodeVerifier};
use url::Url;

use super::*;
use crate::demo::test_http::{Answer, get, net, post_form};

const CALLBACK: &str = "https://id.acme.example/sso/oidc/callback";
const SECRET: &str = "s3cret s3cret+s3cret";
const NOW: i64 = 1_795_201_200;
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

struct World {
    server: Running,
    clock: Arc<TestClock>,
}

impl World {
    async fn new() -> Self {
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

    fn issuer(&self) -> String {
        self.server.url("")
    }

    /// The query of an authorization request with `extra` parameters.
    fn query(&self, extra: &[(&str, &str)]) -> String {
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

    async fn authorize(&self, extra: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        get(
            &self.server,
            &format!("/authorize?{}", self.query(extra)),
            headers,
        )
        .await
    }

    /// Presses the button of a person.
    async fn sign_in(&self, login: &str, extra: &[(&str, &str)]) -> Answer {
        let query = self.query(extra);
        let form = [("request", query.as_str()), ("login", login)];
        post_form(&self.server, "/authorize", &[], &form).await
    }

    async fn code(&self, login: &str, extra: &[(&str, &str)]) -> String {
        parameter(&self.sign_in(login, extra).await, "code").expect("a code")
    }

    /// Redeems a code with some parameters replaced.
    async fn redeem(&self, code: &str, replaced: &[(&str, &str)]) -> Answer {
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
    async fn claims(&self, tokens: &Value) -> Value {
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

fn parameter(answer: &Answer, name: &str) -> Option<String> {
    let location = Url::parse(answer.header("location")).ok()?;
    let mut pairs = location.query_pairs();
    pairs
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.into_owned())
}

fn cookie(answer: &Answer) -> String {
    answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn a_person_signs_in_and_the_application_gets_an_id_token() {
    let world = World::new().await;
    world.clock.advance(Duration::from_secs(5));
    let answer = world.sign_in("ada", &[]).await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").starts_with(CALLBACK));
    assert_eq!(parameter(&answer, "state").as_deref(), Some("state \"1\""));
    assert_eq!(parameter(&answer, "iss"), Some(world.issuer()));

    let code = parameter(&answer, "code").expect("a code");
    let tokens = world.redeem(&code, &[]).await;

    assert_eq!(
        (tokens.status.as_u16(), tokens.header("cache-control")),
        (200, "no-store")
    );
    let tokens = tokens.json();
    assert_eq!(tokens["token_type"], "Bearer");
    let mut claims = world.claims(&tokens).await;
    let hash = digest::sha256(tokens["access_token"].as_str().expect("a token").as_bytes());
    assert_eq!(claims["at_hash"], digest::base64url(&hash[..16]));
    assert!(claims["sid"].as_str().is_some_and(|sid| !sid.is_empty()));
    let members = claims.as_object_mut().expect("an object");
    members.retain(|name, _| name != "at_hash" && name != "sid");
    let expected = json!({
        "iss": world.issuer(), "sub": "development-ada", "aud": "symbolon", "nonce": "nonce-1",
        "iat": NOW + 5, "exp": NOW + 605, "auth_time": NOW + 5, "acr": "password", "amr": ["pwd"],
        "email": "ada@acme.example", "email_verified": true, "name": "Ada Lovelace",
        "preferred_username": "ada", "groups": ["engineering", "everyone"],
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn claims_of_scopes_that_were_not_asked_for_are_absent() {
    let world = World::new().await;
    let code = world.code("bob", &[("scope", "openid email")]).await;
    let tokens = world.redeem(&code, &[]).await.json();
    let claims = world.claims(&tokens).await;
    assert_eq!(claims["email"], "bob@acme.example");
    assert!(claims.get("groups").is_none() && claims.get("name").is_none());
}

#[tokio::test]
async fn both_ways_of_client_authentication_work_and_a_wrong_secret_does_not() {
    let world = World::new().await;
    let code = world.code("ada", &[]).await;
    let wrong = world.redeem(&code, &[("client_secret", "wrong")]).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.json()["error"].as_str()),
        (401, Some("invalid_client"))
    );

    // "symbolon" and the form-encoded secret.
    let basic = "Basic c3ltYm9sb246czNjcmV0K3MzY3JldCUyQnMzY3JldA==";
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let answer = post_form(&world.server, "/token", &[("authorization", basic)], &form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_code_works_once() {
    let world = World::new().await;
    let code = world.code("ada", &[]).await;
    assert_eq!(world.redeem(&code, &[]).await.status, 200);
    let again = world.redeem(&code, &[]).await;
    assert_eq!(
        (again.status.as_u16(), again.json()["error"].as_str()),
        (400, Some("invalid_grant"))
    );
}

#[tokio::test]
async fn a_code_works_for_its_client_its_verifier_its_address_and_one_minute() {
    let world = World::new().await;
    for replaced in [
        ("client_id", "other"),
        (
            "code_verifier",
            "another-verifier-of-forty-three-characters-x",
        ),
        ("redirect_uri", "https://id.acme.example/other"),
    ] {
        let code = world.code("ada", &[]).await;
        let answer = world.redeem(&code, &[replaced]).await;
        assert_eq!(answer.json()["error"], "invalid_grant", "{replaced:?}");
    }
    let code = world.code("ada", &[]).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(
        world.redeem(&code, &[]).await.json()["error"],
        "invalid_grant"
    );
}

#[tokio::test]
async fn the_page_says_what_it_is_and_needs_no_javascript() {
    let world = World::new().await;
    let page = world
        .authorize(&[("login_hint", "bob@acme.example")], &[])
        .await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Development identity provider."));
    assert!(page.body.contains("method=\"post\" action=\"/authorize\""));
    assert!(!page.body.contains("<script") && !page.body.contains("style="));
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    let (ada, bob) = (
        page.body.find("value=\"ada\""),
        page.body.find("value=\"bob\""),
    );
    assert!(
        bob.expect("bob") < ada.expect("ada"),
        "the hinted person comes first"
    );
    let style = get(&world.server, "/style.css", &[]).await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
}

#[tokio::test]
async fn the_page_carries_the_request_as_it_came_and_escaped() {
    let world = World::new().await;
    let query = world.query(&[("ui", "\"><script>")]);
    let page = get(&world.server, &format!("/authorize?{query}"), &[]).await;
    let hidden = format!("name=\"request\" value=\"{}\"", query.replace('&', "&#38;"));
    assert!(page.body.contains(&hidden), "{}", page.body);
    assert!(!page.body.contains("<script>"));
}

#[tokio::test]
async fn whoever_is_signed_in_goes_on_without_a_page() {
    let world = World::new().await;
    let nobody = world.authorize(&[("prompt", "none")], &[]).await;
    assert_eq!(
        parameter(&nobody, "error").as_deref(),
        Some("login_required")
    );
    assert_eq!(parameter(&nobody, "iss"), Some(world.issuer()));

    let cookie = cookie(&world.sign_in("ada", &[]).await);
    let headers = [("cookie", cookie.as_str())];
    let silent = world.authorize(&[("prompt", "none")], &headers).await;
    assert!(parameter(&silent, "code").is_some());

    assert_eq!(
        world
            .authorize(&[("prompt", "login")], &headers)
            .await
            .status,
        200
    );
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(
        world.authorize(&[("max_age", "60")], &headers).await.status,
        200
    );
    assert_eq!(
        world.authorize(&[("max_age", "61")], &headers).await.status,
        303
    );
    let other = [("cookie", "development_idp_1=x")];
    assert_eq!(world.authorize(&[], &other).await.status, 200);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_stated() {
    let world = World::new().await;
    let cookie = cookie(&world.sign_in("ada", &[]).await);
    let extra = [("acr_values", "second_factor")];
    let page = world.authorize(&extra, &[("cookie", &cookie)]).await;
    assert!(page.body.contains("second factor"), "{}", page.body);

    let code = world.code("ada", &extra).await;
    let tokens = world.redeem(&code, &[]).await.json();
    let claims = world.claims(&tokens).await;
    assert_eq!(
        (&claims["acr"], &claims["amr"]),
        (&json!("second_factor"), &json!(["pwd", "otp", "mfa"]))
    );
}

#[tokio::test]
async fn a_request_that_is_not_addressed_well_gets_a_page_and_no_redirect() {
    let world = World::new().await;
    for (from, to) in [
        ("client_id=symbolon", "client_id=unknown"),
        ("callback", "elsewhere"),
    ] {
        let query = world.query(&[]).replace(from, to);
        let page = get(&world.server, &format!("/authorize?{query}"), &[]).await;
        assert_eq!(
            (page.status.as_u16(), page.header("location")),
            (400, ""),
            "{to}"
        );
        let form = [("request", query.as_str()), ("login", "ada")];
        let posted = post_form(&world.server, "/authorize", &[], &form).await;
        assert_eq!(
            (posted.status.as_u16(), posted.header("location")),
            (400, ""),
            "{to}"
        );
    }
}

#[tokio::test]
async fn other_errors_are_told_to_the_application() {
    let world = World::new().await;
    let error = |answer: &Answer| parameter(answer, "error").unwrap_or_default();
    assert_eq!(
        error(&world.authorize(&[("scope", "email")], &[]).await),
        "invalid_scope"
    );
    assert_eq!(error(&world.sign_in("nobody", &[]).await), "access_denied");
    let plain = world.query(&[]).replace("S256", "plain");
    let answer = get(&world.server, &format!("/authorize?{plain}"), &[]).await;
    assert_eq!(error(&answer), "invalid_request");
}

#[tokio::test]
async fn signing_out_ends_the_session_and_returns_to_registered_places_only() {
    let world = World::new().await;
    let cookie = cookie(&world.sign_in("ada", &[]).await);
    let headers = [("cookie", cookie.as_str())];
    let path = "/logout?state=x&post_logout_redirect_uri=https%3A%2F%2F";
    let elsewhere = get(&world.server, &format!("{path}evil.example%2F"), &[]).await;
    assert_eq!(
        (elsewhere.status.as_u16(), elsewhere.header("location")),
        (400, "")
    );

    let back = get(
        &world.server,
        &format!("{path}id.acme.example%2Fbye"),
        &headers,
    )
    .await;
    assert_eq!(
        back.header("location"),
        "https://id.acme.example/bye?state=x"
    );
    assert_eq!(
        world.authorize(&[], &headers).await.status,
        200,
        "the page again"
    );
}

#[tokio::test]
async fn another_site_can_neither_sign_in_nor_reach_it_by_a_rebound_name() {
    let world = World::new().await;
    let query = world.query(&[]);
    let form = [("request", query.as_str()), ("login", "ada")];
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
        ("host", "evil.example"),
    ] {
        let answer = post_form(&world.server, "/authorize", &[header], &form).await;
        assert_eq!(answer.status, 403, "{header:?}");
    }
}
