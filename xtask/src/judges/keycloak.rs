//! Keycloak from Maven Central: people sign in through it, and its experimental
//! `identity-assertion-jwt` feature accepts what our identity provider issues.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::deployment::{self, Deployment, IDP_SECRET, Provider, REDIRECT_URI};
use crate::process::{self, Background};
use crate::tools;

const REALM: &str = "judge";
const CONNECTION_SECRET: &str = "judge-keycloak-secret-0123456789abcdef";
const VENDOR_SECRET: &str = "judge-vendor-secret-0123456789abcdef";
const FEATURES: &str = "--features=jwt-authorization-grant,identity-assertion-jwt";

/// Keycloak signs a person in at `/idp/acme`, and the ID token says who she is.
pub(super) fn sign_in() -> Result<()> {
    let port = process::free_port()?;
    let directory = deployment::scratch("keycloak-sign-in")?;
    let keycloak_port = process::free_port()?;
    let callback = format!("http://127.0.0.1:{port}/sso/oidc/callback");
    let keycloak = start(&directory, keycloak_port, &realm(&callback, None))?;
    let provider = Provider {
        issuer: issuer(keycloak_port),
        client_id: "symbolon".to_owned(),
        client_secret: CONNECTION_SECRET.to_owned(),
        scopes: r#"["openid", "email", "profile"]"#,
    };
    let deployment = Deployment::start_with(directory, port, &provider, vec![keycloak], "")?;
    let answer = deployment.sign_in("idp/acme", IDP_SECRET, &["openid email"])?;
    let id_token = answer["id_token"]
        .as_str()
        .context("no id_token in the answer")?;
    ensure!(id_token.split('.').count() == 3, "the id_token is no JWT");
    println!("signed in through Keycloak");
    Ok(())
}

/// Keycloak exchanges our ID-JAG for an access token once, and refuses it the second time.
pub(super) fn accepts_our_id_jag() -> Result<()> {
    let keycloak_port = process::free_port()?;
    let audience = issuer(keycloak_port);
    let deployment = Deployment::start("keycloak-id-jag", |_| registration(&audience))?;
    let ours = format!("{}/idp/acme", deployment.public_url);
    let directory = deployment::scratch("keycloak-id-jag-server")?;
    let _keycloak = start(&directory, keycloak_port, &realm(REDIRECT_URI, Some(&ours)))?;
    let settings = json!({
        "idp": ours, "idp_client": "judge", "idp_secret": IDP_SECRET, "redirect_uri": REDIRECT_URI,
        "fields": { "login": "alice", "password": "any", "email": "alice@acme.example" },
        "audience": audience, "resource": "https://mcp.vendor.example/mcp",
        "scope": "profile", "redeem_scope": "",
        "token_endpoint": format!("{audience}/protocol/openid-connect/token"),
        "client_id": "vendor-agent", "client_secret": VENDOR_SECRET,
    });
    let mut driver = deployment::node("redeem.mjs")?;
    process::run(driver.arg(settings.to_string()))
}

fn issuer(port: u16) -> String {
    format!("http://localhost:{port}/realms/{REALM}")
}

fn start(directory: &std::path::Path, port: u16, realm: &Value) -> Result<Background> {
    let distribution = tools::keycloak()?;
    let home = directory.join("keycloak");
    // A copy of its own: Keycloak keeps its database and its build below its home.
    process::run(
        Command::new("cp")
            .args(["-r"])
            .arg(&distribution)
            .arg(&home),
    )?;
    let import = home.join("data/import");
    fs::create_dir_all(&import)?;
    fs::write(import.join("realm.json"), realm.to_string())?;
    let mut command = Command::new(home.join("bin/kc.sh"));
    command.args([
        "start-dev",
        "--import-realm",
        "--http-host",
        "127.0.0.1",
        FEATURES,
    ]);
    command.arg(format!("--http-port={port}"));
    command.arg(format!("--hostname=http://localhost:{port}"));
    command.env("JAVA_OPTS_KC_HEAP", "-Xms64m -Xmx512m");
    let mut keycloak = Background::start(&mut command, directory.join("keycloak.log"))?;
    keycloak.wait_for_port(port)?;
    Ok(keycloak)
}

/// A realm with alice, a client for sign-in, and an issuer of ID-JAGs if one is named.
fn realm(callback: &str, id_jag_issuer: Option<&str>) -> Value {
    let mut realm = json!({
        "realm": REALM, "enabled": true, "sslRequired": "none",
        "clients": [{
            "clientId": "symbolon", "secret": CONNECTION_SECRET, "redirectUris": [callback],
            "standardFlowEnabled": true, "publicClient": false, "protocol": "openid-connect",
        }],
        "users": [{
            "username": "alice", "enabled": true, "email": "alice@acme.example",
            "emailVerified": true, "firstName": "Alice", "lastName": "Adams",
            "credentials": [{ "type": "password", "value": "any", "temporary": false }],
        }],
    });
    if let Some(issuer) = id_jag_issuer {
        realm["identityProviders"] = json!([{
            "alias": "symbolon-idp", "providerId": "jwt-authorization-grant", "enabled": true,
            "config": {
                "issuer": issuer, "jwksUrl": format!("{issuer}/jwks"), "useJwksUrl": "true",
                "jwtAuthorizationGrantEnabled": "true",
                "jwtAuthorizationGrantAssertionSignatureAlg": "ES256",
            },
        }]);
        realm["users"][0]["federatedIdentities"] = json!([
            { "identityProvider": "symbolon-idp", "userId": "alice", "userName": "alice" },
        ]);
        let vendor = json!({
            "clientId": "vendor-agent", "secret": VENDOR_SECRET, "publicClient": false,
            "standardFlowEnabled": false, "protocol": "openid-connect", "fullScopeAllowed": true,
            "attributes": {
                "oauth2.jwt.authorization.grant.enabled": "true",
                "oauth2.jwt.authorization.grant.idp": "symbolon-idp",
            },
        });
        realm["clients"]
            .as_array_mut()
            .expect("written above")
            .push(vendor);
    }
    realm
}

fn registration(audience: &str) -> String {
    format!(
        r#"
[[resource_authorization_server]]
organization = "acme"
issuer = "{audience}"
resources = {{ "https://mcp.vendor.example/mcp" = ["profile"] }}
clients = {{ "judge" = "vendor-agent" }}
subject = "external"

[[assignment]]
organization = "acme"
groups = ["engineering"]
resource = "https://mcp.vendor.example/mcp"
scopes = ["profile"]
"#
    )
}
