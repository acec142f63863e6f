//! Keycloak from Maven Central: people sign in through it, and its experimental
//! `identity-assertion-jwt` feature accepts what our identity provider issues.

use std::fs;
use std::process::Command;

use anyhow::Result;
use serde_json::{Value, json};

use super::deployment::{self, Deployment, IDP_SECRET, Provider, REDIRECT_URI};
use crate::process::{self, Background};
use crate::tools;

const REALM: &str = "judge";
/// Alice's id, which is the `sub` of her ID tokens and so the `sub` of her ID-JAGs.
const ALICE: &str = "0b6c1f0e-52c4-4d0f-9c4e-7f6f0b1d2a33";
const CONNECTION_SECRET: &str = "judge-keycloak-secret-0123456789abcdef";
const VENDOR_SECRET: &str = "judge-vendor-secret-0123456789abcdef";
const FEATURES: &str = "--features=jwt-authorization-grant,identity-assertion-jwt";

/// Alice signs in at `/idp/acme` through Keycloak; the ID-JAG that follows from it is redeemed at
/// Keycloak once, and refused the second time.
pub(super) fn signs_in_and_accepts_our_id_jag() -> Result<()> {
    let port = process::free_port()?;
    let directory = deployment::scratch("keycloak")?;
    let keycloak_port = process::free_port()?;
    let ours = format!("http://127.0.0.1:{port}");
    let keycloak = start(&directory, keycloak_port, &realm(&ours))?;
    let audience = issuer(keycloak_port);
    let provider = Provider {
        issuer: audience.clone(),
        client_id: "symbolon".to_owned(),
        client_secret: CONNECTION_SECRET.to_owned(),
        scopes: r#"["openid", "email", "profile"]"#,
    };
    let extra = registration(&audience);
    let deployment = Deployment::start_with(directory, port, &provider, vec![keycloak], &extra)?;
    let settings = json!({
        "idp": format!("{}/idp/acme", deployment.public_url),
        "idp_client": "judge", "idp_secret": IDP_SECRET, "redirect_uri": REDIRECT_URI,
        "fields": { "username": "alice", "password": "any", "email": "alice@acme.example" },
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

/// A realm with alice, the client that signs people in, and our issuer of ID-JAGs.
fn realm(ours: &str) -> Value {
    let id_jag_issuer = format!("{ours}/idp/acme");
    json!({
        "realm": REALM, "enabled": true, "sslRequired": "none",
        "clients": [
            {
                "clientId": "symbolon", "secret": CONNECTION_SECRET, "publicClient": false,
                "redirectUris": [format!("{ours}/sso/oidc/callback")],
                "standardFlowEnabled": true, "protocol": "openid-connect",
            },
            {
                "clientId": "vendor-agent", "secret": VENDOR_SECRET, "publicClient": false,
                "standardFlowEnabled": false, "protocol": "openid-connect",
                "attributes": {
                    "oauth2.jwt.authorization.grant.enabled": "true",
                    "oauth2.jwt.authorization.grant.idp": "symbolon-idp",
                },
            },
        ],
        "identityProviders": [{
            "alias": "symbolon-idp", "providerId": "jwt-authorization-grant", "enabled": true,
            "config": {
                "issuer": id_jag_issuer, "jwksUrl": format!("{id_jag_issuer}/jwks"),
                "useJwksUrl": "true", "jwtAuthorizationGrantEnabled": "true",
                "jwtAuthorizationGrantAssertionSignatureAlg": "ES256",
            },
        }],
        "users": [{
            "id": ALICE, "username": "alice", "enabled": true, "email": "alice@acme.example",
            "emailVerified": true, "firstName": "Alice", "lastName": "Adams",
            "credentials": [{ "type": "password", "value": "any", "temporary": false }],
            "federatedIdentities": [
                { "identityProvider": "symbolon-idp", "userId": ALICE, "userName": "alice" },
            ],
        }],
    })
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
everyone = true
resource = "https://mcp.vendor.example/mcp"
scopes = ["profile"]
"#
    )
}
