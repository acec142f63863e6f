//! The manifest of design §9 as a directory, and what must be refused in one.

use serde_json::{Value, json};
use symbolon_protocol::digest::{base64url, sha256};
use symbolon_protocol::ids::{ClientId, OrganizationId, ServerId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::secret::Secret;
use symbolon_protocol::time::Timestamp;

use super::*;
use crate::definition::{Definition, Draft, Kind, Secrets};

fn definition(kind: Kind, document: Value) -> Definition {
    let mut secrets = Secrets::new();
    if kind == Kind::Connection {
        secrets.insert("client_secret".to_owned(), Secret::new("upstream secret"));
    }
    let draft = Draft::new(kind, document, secrets).unwrap();
    Definition::from_draft(draft, 3, Timestamp::from_unix_seconds(0), "operator/ada")
}

/// The manifest of the design, as documents.
fn manifest() -> Vec<Definition> {
    let secret = base64url(&sha256(b"a secret of the client"));
    let redirect = json!(["http://127.0.0.1/callback"]);
    [
        (
            Kind::Organization,
            json!({"id": "acme", "name": "Acme Inc.", "domains": ["Acme.example"]}),
        ),
        (Kind::Organization, json!({"id": "beta", "name": "Beta"})),
        (
            Kind::Connection,
            json!({"id": "acme-oidc", "organization": "acme", "protocol": "oidc",
            "issuer": "https://login.acme.example", "client_id": "symbolon",
            "scopes": ["openid", "email", "profile", "groups"], "groups_claim": "groups",
            "provision": "just_in_time"}),
        ),
        (
            Kind::TrustedIssuer,
            json!({"organization": "acme", "issuer": "https://login.acme.example",
            "subject": {"connection": "acme-oidc"}, "clients": ["desk-agent"],
            "max_lifetime": "5m"}),
        ),
        (
            Kind::AccessTokenIssuer,
            json!({"organization": "acme",
            "issuer": "https://login.acme.example", "audiences": {"api://tracker": "tracker"},
            "scope_claim": "scp", "subject": {"connection": "acme-oidc"}}),
        ),
        (
            Kind::McpServer,
            json!({"id": "tracker", "organization": "acme",
            "resource": "https://id.acme.example/mcp/tracker",
            "upstream": "http://127.0.0.1:9100/mcp", "scopes": ["issues:read", "issues:write"],
            "implies": {"issues:write": ["issues:read"]},
            "tools": {"list_issues": ["issues:read"], "close_issue": ["issues:write"]},
            "owner": "Tracker team"}),
        ),
        (
            Kind::Client,
            json!({"issuer": "as", "id": "desk-agent", "offered_to": "all",
            "authentication": "client_secret_basic", "secret_sha256": secret,
            "grants": ["jwt_bearer", "authorization_code", "refresh_token"],
            "redirect_uris": redirect}),
        ),
        (
            Kind::Client,
            json!({"issuer": "idp/acme", "id": "desk-agent", "organization": "acme",
            "authentication": "client_secret_basic", "secret_sha256": secret,
            "grants": ["authorization_code", "refresh_token", "token_exchange"],
            "redirect_uris": redirect}),
        ),
        (
            Kind::Client,
            json!({"id": "nightly-sync", "organization": "acme",
            "authentication": "private_key_jwt", "jwks_uri": "https://sync.acme.example/jwks",
            "grants": ["client_credentials"]}),
        ),
        (
            Kind::ResourceAuthorizationServer,
            json!({"organization": "acme",
            "issuer": "https://auth.vendor.example",
            "resources": {"https://mcp.vendor.example/mcp": ["files:read"]},
            "clients": {"desk-agent": "acme-at-vendor"}, "subject": "external", "email": false,
            "aud_tenant": "acme-workspace"}),
        ),
        (
            Kind::Assignment,
            json!({"organization": "acme", "groups": ["engineering"],
            "mcp_server": "tracker", "scopes": ["issues:read"], "tools": ["list_issues"],
            "clients": ["desk-agent"], "until": "2027-01-31T00:00:00Z"}),
        ),
        (
            Kind::Assignment,
            json!({"organization": "acme", "services": ["nightly-sync"],
            "mcp_server": "tracker", "scopes": ["issues:read"]}),
        ),
        (
            Kind::Assignment,
            json!({"organization": "acme", "everyone": true,
            "resource": "https://mcp.vendor.example/mcp", "scopes": ["files:read"]}),
        ),
        (
            Kind::Policy,
            json!({"organization": "acme", "id": "no-writes-at-night",
            "cedar": "forbid (principal, action, resource);"}),
        ),
    ]
    .into_iter()
    .map(|(kind, document)| definition(kind, document))
    .collect()
}

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

/// The problem of one more definition beside the manifest.
fn problem_of(kind: Kind, document: Value) -> String {
    let mut definitions = manifest();
    definitions.push(definition(kind, document));
    let (_, problems) = Directory::build(1, &definitions);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

#[test]
fn the_manifest_of_the_design_builds_without_problems() {
    let (directory, problems) = Directory::build(7, &manifest());
    assert_eq!(problems, []);
    assert_eq!(directory.version, 7);
    assert_eq!(
        directory.organization_by_domain("ACME.example").unwrap().id,
        acme()
    );
    assert_eq!(directory.connections_of(&acme()).len(), 1);
    assert_eq!(directory.assignments(&acme()).len(), 3);
    assert_eq!(directory.policies(&acme())[0].version, 3);
    assert_eq!(
        directory
            .trusted_issuers_for("https://login.acme.example")
            .len(),
        1
    );
    assert!(
        directory
            .trusted_issuers_for("https://login.acme.example/")
            .is_empty()
    );
    let tracker = directory
        .server_by_resource("https://id.acme.example/mcp/tracker")
        .unwrap();
    assert!(tracker.is_available_to(&acme()));
    assert_eq!(
        directory
            .access_token_issuers_for("https://login.acme.example", &tracker.id)
            .len(),
        1
    );
    assert!(
        directory
            .resource_authorization_server(&acme(), "https://auth.vendor.example")
            .is_some()
    );
}

#[test]
fn a_client_is_one_registration_at_one_issuer() {
    let (directory, _) = Directory::build(1, &manifest());
    let id = ClientId::parse("desk-agent").unwrap();
    let at_as = directory.client(&IssuerRole::As, &id).unwrap();
    let at_idp = directory.client(&IssuerRole::Idp(acme()), &id).unwrap();
    assert!(at_as.may_use(ClientGrant::JwtBearer) && !at_idp.may_use(ClientGrant::JwtBearer));
    let beta = OrganizationId::parse("beta").unwrap();
    assert!(at_as.is_available_to(&beta) && !at_idp.is_available_to(&beta));
    assert!(directory.client(&IssuerRole::Idp(beta), &id).is_none());
}

#[test]
fn a_tool_that_is_not_listed_needs_every_scope() {
    let (directory, _) = Directory::build(1, &manifest());
    let tracker = directory
        .server(&ServerId::parse("tracker").unwrap())
        .unwrap();
    let needed = |method, name| tracker.required_scopes(method, name).to_string();
    assert_eq!(needed("tools/call", Some("list_issues")), "issues:read");
    assert_eq!(
        needed("tools/call", Some("drop_all")),
        "issues:read issues:write"
    );
    assert_eq!(needed("tools/call", None), "issues:read issues:write");
    assert_eq!(needed("tools/list", None), "");
    let write = ScopeSet::parse("issues:write").unwrap();
    assert_eq!(
        tracker.expand(&write).to_string(),
        "issues:write issues:read"
    );
}

#[test]
fn a_definition_of_an_unknown_organization_is_left_out() {
    let problem = problem_of(
        Kind::Policy,
        json!({"organization": "gone", "id": "p", "cedar": "permit (principal, action, resource);"}),
    );
    assert_eq!(
        problem,
        "policy \"p\" of gone: organization gone does not exist"
    );
}

#[test]
fn an_unknown_member_is_a_problem() {
    let problem = problem_of(
        Kind::Organization,
        json!({"id": "delta", "name": "Delta", "colour": "blue"}),
    );
    assert!(
        problem.starts_with("organization \"delta\": unknown field `colour`"),
        "{problem}"
    );
}

#[test]
fn a_shared_issuer_needs_a_tenant() {
    let problem = problem_of(
        Kind::Connection,
        json!({"id": "google", "organization": "beta", "protocol": "oidc", "client_id": "x",
               "issuer": "https://accounts.google.com"}),
    );
    assert!(
        problem.contains("is shared by many organizations: set tenant"),
        "{problem}"
    );
}

/// With a second connection, its provider could choose a subject that names somebody of the first.
#[test]
fn an_external_subject_of_several_connections_names_the_connection() {
    let second = json!({"id": "acme-partners", "organization": "acme", "protocol": "oidc",
        "issuer": "https://partners.example", "client_id": "symbolon"});
    let mut definitions = manifest();
    definitions.push(definition(Kind::Connection, second));
    let (_, problems) = Directory::build(1, &definitions);
    let names = |problem: &Problem| problem.problem.contains("name the one whose subject it is");
    assert!(problems.iter().any(names), "{problems:?}");

    for definition in &mut definitions {
        if definition.key.kind == Kind::ResourceAuthorizationServer {
            definition.document["connection"] = json!("acme-oidc");
        }
    }
    let (_, problems) = Directory::build(1, &definitions);
    assert_eq!(problems, []);
}

#[test]
fn an_issuer_stands_for_one_organization() {
    let row = json!({"organization": "beta", "issuer": "https://login.acme.example",
                     "subject": "user_id"});
    let problem = problem_of(Kind::TrustedIssuer, row);
    assert!(
        problem.contains("also stands for acme: set tenant in both"),
        "{problem}"
    );
}

#[test]
fn one_issuer_with_two_tenants_stands_for_two_organizations() {
    let row = |organization: &str| {
        json!({"organization": organization, "issuer": "https://accounts.google.com",
               "tenant": {"claim": "hd", "value": format!("{organization}.example")},
               "subject": "user_id"})
    };
    let mut definitions = manifest();
    definitions.extend(["acme", "beta"].map(|id| definition(Kind::TrustedIssuer, row(id))));
    let (directory, problems) = Directory::build(1, &definitions);
    assert_eq!(problems, []);
    assert_eq!(
        directory
            .trusted_issuers_for("https://accounts.google.com")
            .len(),
        2
    );
}

#[test]
fn nothing_crosses_organizations() {
    let foreign_server = problem_of(
        Kind::Assignment,
        json!({"organization": "beta", "everyone": true, "mcp_server": "tracker", "scopes": []}),
    );
    assert!(foreign_server.contains("mcp server tracker does not exist for beta"));
    let foreign_connection = problem_of(
        Kind::TrustedIssuer,
        json!({"organization": "beta", "issuer": "https://login.beta.example",
               "subject": {"connection": "acme-oidc"}}),
    );
    assert!(foreign_connection.contains("connection acme-oidc does not exist for beta"));
    let foreign_idp = problem_of(
        Kind::Client,
        json!({"issuer": "idp/acme", "id": "x", "organization": "beta", "authentication": "none",
               "grants": []}),
    );
    assert!(foreign_idp.contains("a client at idp/acme is for acme only"));
}

#[test]
fn two_owners_cannot_share_an_id_a_domain_or_a_resource() {
    let server =
        json!({"id": "tracker", "organization": "beta", "resource": "https://b.example/m"});
    assert!(problem_of(Kind::McpServer, server).contains("the id is taken"));
    let resource = json!({"id": "other", "organization": "beta",
                          "resource": "https://id.acme.example/mcp/tracker"});
    assert!(problem_of(Kind::McpServer, resource).contains("has the same resource"));
    let domain = json!({"id": "delta", "name": "Delta", "domains": ["acme.example"]});
    assert!(problem_of(Kind::Organization, domain).contains("belongs to acme"));
}

#[test]
fn a_client_needs_exactly_what_it_authenticates_with() {
    let client = |authentication: &str, more: Value| {
        let mut document = json!({"id": "x", "offered_to": "all", "grants": ["jwt_bearer"],
                                  "authentication": authentication});
        document
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        problem_of(Kind::Client, document)
    };
    let secret = json!({"secret_sha256": base64url(&sha256(b"s"))});
    assert!(client("client_secret_basic", json!({})).contains("needs a secret and no keys"));
    assert!(client("private_key_jwt", secret.clone()).contains("needs jwks or jwks_uri"));
    assert!(client("none", secret).contains("needs neither a secret nor keys"));
    assert!(client("none", json!({"grants": ["client_credentials"]})).contains("authenticates"));
    assert!(client("none", json!({"grants": ["authorization_code"]})).contains("redirect_uris"));
    assert!(client("tls_client_auth", json!({})).contains("unknown variant"));
}

#[test]
fn a_secret_of_a_definition_does_not_print() {
    let (directory, _) = Directory::build(1, &manifest());
    assert!(!format!("{directory:?}").contains("upstream secret"));
}

/// Design §4 rule 2: it may be the one that forbids.
#[test]
fn a_policy_that_cannot_be_read_does_not_vanish() {
    let newer =
        json!({"id": "freeze", "organization": "acme", "cedar": "", "of_a_newer_version": 1});
    let mut definitions = manifest();
    definitions.push(definition(Kind::Policy, newer));
    let (directory, problems) = Directory::build(1, &definitions);
    assert_eq!(problems.len(), 1, "{problems:?}");
    let policies = directory.policies(&OrganizationId::parse("acme").unwrap());
    let freeze = policies
        .iter()
        .find(|policy| policy.id.as_str() == "freeze");
    assert!(freeze.is_some_and(|policy| !policy.cedar.is_empty()));
}
