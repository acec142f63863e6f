//! The authorization endpoint without an identity provider behind it: who may be redirected where,
//! and when a person is asked. The whole flow is tested over the wire.

use axum::http::{StatusCode, header};
use serde_json::json;
use symbolon_protocol::issuer::IssuerRole;
use symbolon_storage::definition::Kind;
use url::form_urlencoded::byte_serialize;

use crate::test_deployment::{Answer, Deployment, acme, client};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A good request with some parameters in place of others; an empty one is left out.
fn request(changes: &[(&str, &str)]) -> String {
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", "desk-agent"),
        ("redirect_uri", "https://desk.example/cb"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "s-1"),
        ("scope", "issues:read"),
        ("resource", "https://id.example/mcp/tracker"),
    ];
    pairs.retain(|(name, _)| !changes.iter().any(|(own, _)| own == name));
    pairs.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    let encoded = pairs.iter().map(|(name, value)| {
        format!(
            "{name}={}",
            byte_serialize(value.as_bytes()).collect::<String>()
        )
    });
    format!("/as/authorize?{}", encoded.collect::<Vec<_>>().join("&"))
}

/// Checks that nobody is redirected and that the page says what the requirement fixes.
fn assert_page(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.headers.get(header::LOCATION).is_none());
    assert!(
        answer.body.contains(&format!("<code>{code}</code>")),
        "{}",
        answer.body
    );
    let policy = answer.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
}

/// Answers the consent page.
async fn answer(deployment: &Deployment, page: &Answer, cookie: &str, answer: &str) -> Answer {
    let fields = ["csrf", "request", "shown"].map(|name| (name, page.hidden(name)));
    let mut form: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    form.push(("answer", answer));
    deployment.post("/as/consent", &form, cookie).await
}

/// N-001 to N-004, N-010, AS-23.
#[tokio::test]
async fn an_unverified_redirect_uri_is_never_followed() {
    let deployment = Deployment::new(acme()).await;
    let unknown = deployment
        .get(&request(&[("client_id", "nobody")]), "")
        .await;
    assert_page(&unknown, StatusCode::BAD_REQUEST, "invalid_client");
    for uri in [
        "",
        "https://desk.example.evil.example/cb",
        "https://desk.example@evil.example/cb",
        "https://desk.example/cb/more",
        "https://desk.example/cb?x=1",
        "https://desk.example/%2e%2e/cb",
        "https://desk.example/CB",
        "http://127.0.0.1:4000/other",
        "https://127.0.0.1/cb",
        "javascript:alert(1)",
        "//evil.example/cb",
    ] {
        let page = deployment.get(&request(&[("redirect_uri", uri)]), "").await;
        assert_page(&page, StatusCode::BAD_REQUEST, "invalid_request");
    }
    let twice = format!(
        "{}&redirect_uri=https%3A%2F%2Fdesk.example%2Fcb",
        request(&[])
    );
    assert_page(
        &deployment.get(&twice, "").await,
        StatusCode::BAD_REQUEST,
        "invalid_request",
    );
}

/// N-006 to N-009, N-011 to N-014, N-016, AS-27 to AS-29: told to the client before anybody signs in.
#[tokio::test]
async fn an_error_is_told_to_the_client_with_state_and_issuer() {
    let mut definitions = acme();
    definitions.push((
        Kind::McpServer,
        json!({ "id": "wiki", "organization": "acme", "scopes": ["read"],
            "resource": "https://id.example/mcp/wiki" }),
    ));
    let deployment = Deployment::new(definitions).await;
    for (changes, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (
            ("resource", "https://id.example/mcp/other"),
            "invalid_target",
        ),
        (
            ("resource", "https://id.example/mcp/tracker#x"),
            "invalid_target",
        ),
        (("resource", ""), "invalid_target"),
        (("scope", "unknown other"), "invalid_scope"),
        (("prompt", "none"), "login_required"),
        (("request_uri", "urn:x"), "request_uri_not_supported"),
    ] {
        let answer = deployment.get(&request(&[changes]), "").await;
        assert!(
            answer.location().starts_with("https://desk.example/cb?"),
            "{changes:?}"
        );
        assert_eq!(answer.told("error").as_deref(), Some(error), "{changes:?}");
        assert_eq!(answer.told("state").as_deref(), Some("s-1"));
        assert_eq!(answer.told("iss").as_deref(), Some("https://id.example/as"));
        assert_eq!(answer.told("code"), None);
    }
}

/// AS-40, AS-41, AS-44, N-005, N-019: asked once, and what is shown.
#[tokio::test]
async fn a_person_is_asked_once() {
    let deployment = Deployment::new(acme()).await;
    let ada = deployment
        .sign_in(&IssuerRole::As, "ada@acme.example")
        .await;

    let loopback = request(&[("redirect_uri", "http://127.0.0.1:5123/cb")]);
    let page = deployment.get(&loopback, &ada).await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in [
        "Desk Agent",
        "Tracker",
        "Read issues",
        "issues:read",
        "127.0.0.1",
        "list_issues",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(
        !page.body.contains("Did you just start"),
        "it has another kind of redirect uri"
    );
    let granted = answer(&deployment, &page, &ada, "allow").await;
    assert!(granted.told("code").is_some());
    assert!(granted.location().starts_with("http://127.0.0.1:5123/cb?"));

    let again = deployment.get(&request(&[]), &ada).await;
    assert!(again.told("code").is_some());
    let asked = deployment
        .get(&request(&[("prompt", "consent")]), &ada)
        .await;
    assert_eq!(asked.status, StatusCode::OK);
    let silent = deployment.get(&request(&[("prompt", "none")]), &ada).await;
    assert!(silent.told("code").is_some());
}

/// AS-44.
#[tokio::test]
async fn a_client_that_only_runs_on_the_own_machine_is_warned_of() {
    let mut definitions = acme();
    definitions.push((Kind::Client, client("local", &["http://127.0.0.1/cb"])));
    let deployment = Deployment::new(definitions).await;
    let ada = deployment
        .sign_in(&IssuerRole::As, "ada@acme.example")
        .await;
    let local = [
        ("client_id", "local"),
        ("redirect_uri", "http://127.0.0.1:1/cb"),
    ];
    let page = deployment.get(&request(&local), &ada).await;
    assert!(
        page.body
            .contains("Did you just start Desk Agent yourself?"),
        "{}",
        page.body
    );
}

/// N-016, N-020: one client's consent is not another's, and nobody is asked where nobody may be.
#[tokio::test]
async fn consent_counts_for_one_client_and_person() {
    let mut definitions = acme();
    definitions.push((Kind::Client, client("other", &["https://evil.example/cb"])));
    let deployment = Deployment::new(definitions).await;
    let ada = deployment
        .sign_in(&IssuerRole::As, "ada@acme.example")
        .await;
    let page = deployment.get(&request(&[]), &ada).await;
    answer(&deployment, &page, &ada, "allow").await;

    let other = [
        ("client_id", "other"),
        ("redirect_uri", "https://evil.example/cb"),
    ];
    let asked = deployment.get(&request(&other), &ada).await;
    assert_eq!(asked.status, StatusCode::OK);
    let other = [other[0], other[1], ("prompt", "none")];
    let silent = deployment.get(&request(&other), &ada).await;
    assert_eq!(silent.told("error").as_deref(), Some("consent_required"));
    let bob = deployment
        .sign_in(&IssuerRole::As, "bob@acme.example")
        .await;
    assert_eq!(
        deployment.get(&request(&[]), &bob).await.status,
        StatusCode::OK
    );
}

/// N-017, N-018.
#[tokio::test]
async fn an_answer_counts_only_from_the_form_that_was_shown() {
    let deployment = Deployment::new(acme()).await;
    let ada = deployment
        .sign_in(&IssuerRole::As, "ada@acme.example")
        .await;
    let eve = deployment
        .sign_in(&IssuerRole::As, "eve@acme.example")
        .await;
    let page = deployment.get(&request(&[]), &ada).await;
    let foreign = deployment.get(&request(&[]), &eve).await;
    let wider = deployment.get(&request(&[("state", "s-2")]), &ada).await;

    let refused = answer(&deployment, &foreign, &ada, "allow").await;
    assert_page(&refused, StatusCode::FORBIDDEN, "access_denied");
    let mixed = [
        ("csrf", page.hidden("csrf")),
        ("request", wider.hidden("request")),
        ("shown", page.hidden("shown")),
        ("answer", "allow".to_owned()),
    ];
    let mixed: Vec<(&str, &str)> = mixed.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let refused = deployment.post("/as/consent", &mixed, &ada).await;
    assert_page(&refused, StatusCode::FORBIDDEN, "access_denied");
    let refused = deployment.post("/as/consent", &mixed[1..], &ada).await;
    assert_page(&refused, StatusCode::FORBIDDEN, "access_denied");

    let denied = answer(&deployment, &page, &ada, "deny").await;
    assert_eq!(denied.told("error").as_deref(), Some("access_denied"));
    assert_eq!(denied.told("iss").as_deref(), Some("https://id.example/as"));
    let asked = deployment.get(&request(&[]), &ada).await;
    assert_eq!(asked.status, StatusCode::OK, "no consent was kept");
}

/// AS-45: an assignment that names the client, for exactly its scopes and people.
#[tokio::test]
async fn an_administrator_can_consent_for_everybody() {
    let mut definitions = acme();
    definitions.push((
        Kind::Assignment,
        json!({ "id": "ada-writes", "organization": "acme", "users": ["ada@acme.example"],
            "mcp_server": "tracker", "scopes": ["issues:read", "issues:write"],
            "clients": ["desk-agent"] }),
    ));
    let deployment = Deployment::new(definitions).await;
    let ada = deployment
        .sign_in(&IssuerRole::As, "ada@acme.example")
        .await;
    let bob = deployment
        .sign_in(&IssuerRole::As, "bob@acme.example")
        .await;
    assert!(
        deployment
            .get(&request(&[]), &ada)
            .await
            .told("code")
            .is_some()
    );
    let asked = deployment.get(&request(&[]), &bob).await;
    assert_eq!(
        asked.status,
        StatusCode::OK,
        "the assignment is not for bob"
    );
}

/// AS-26, N-015: policy narrows what is granted; nothing allowed is a refusal that is told.
#[tokio::test]
async fn only_what_policy_allows_is_asked_for() {
    let deployment = Deployment::new(acme()).await;
    let ada = deployment
        .sign_in(&IssuerRole::As, "ada@acme.example")
        .await;
    let all = deployment.get(&request(&[("scope", "")]), &ada).await;
    assert!(all.body.contains("issues:read") && !all.body.contains("issues:write"));
    let write = deployment
        .get(&request(&[("scope", "issues:write")]), &ada)
        .await;
    assert_eq!(write.told("error").as_deref(), Some("access_denied"));
}

/// A fresh sign-in is asked for by the client, and nobody but us can say that there was one.
#[tokio::test]
async fn a_planted_proof_of_sign_in_does_not_count() {
    let deployment = Deployment::new(acme()).await;
    let ada = deployment
        .sign_in(&IssuerRole::As, "ada@acme.example")
        .await;
    for resume in ["", "&resume=AAAA"] {
        let again = format!("{}{resume}", request(&[("prompt", "login")]));
        let answer = deployment.get(&again, &ada).await;
        assert_eq!(answer.status, StatusCode::OK, "the sign-in page");
        assert!(answer.body.contains("Work email"), "{}", answer.body);
    }
}

/// OpenID Connect Core §3.1.2.1.
#[tokio::test]
async fn a_request_in_a_form_is_asked_again_as_a_get() {
    let deployment = Deployment::new(acme()).await;
    let form = [("client_id", "desk-agent"), ("state", "a b&c\u{e4}")];
    let repeated = deployment.post("/as/authorize", &form, "").await;
    assert_eq!(
        repeated.location(),
        "/as/authorize?client_id=desk-agent&state=a+b%26c%C3%A4"
    );
}
