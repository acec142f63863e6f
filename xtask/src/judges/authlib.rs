//! Authlib's `IDJAGGrant`, a third hand: it accepts our ID-JAG once and refuses it the second time.

use std::process::Command;

use anyhow::Result;
use serde_json::json;

use super::deployment::{self, Deployment, IDP_SECRET, REDIRECT_URI};
use crate::process::{self, Background};
use crate::tools;

/// Sign-in, exchange at `/idp/acme`, redemption at Authlib, replay.
pub(super) fn accepts_our_id_jag() -> Result<()> {
    let port = process::free_port()?;
    let audience = format!("http://127.0.0.1:{port}");
    let deployment = Deployment::start("authlib", |_| registration(&audience))?;
    let mut command = Command::new(tools::python()?);
    command.arg(process::root().join("xtask/judges/authlib_server.py"));
    command
        .arg(port.to_string())
        .arg(format!("{}/idp/acme", deployment.public_url));
    let mut authlib = Background::start(&mut command, deployment.directory().join("authlib.log"))?;
    authlib.wait_for_port(port)?;
    let settings = json!({
        "idp": format!("{}/idp/acme", deployment.public_url),
        "idp_client": "judge", "idp_secret": IDP_SECRET, "redirect_uri": REDIRECT_URI,
        "fields": { "login": "alice", "password": "any", "email": "alice@acme.example" },
        "audience": audience, "resource": "https://mcp.vendor.example/mcp",
        "scope": "files:read", "token_endpoint": format!("{audience}/token"),
        "client_id": "acme-at-vendor", "client_secret": "vendor-side-secret",
    });
    let mut driver = deployment::node("redeem.mjs")?;
    process::run(driver.arg(settings.to_string()))
}

fn registration(audience: &str) -> String {
    format!(
        r#"
[[resource_authorization_server]]
organization = "acme"
issuer = "{audience}"
resources = {{ "https://mcp.vendor.example/mcp" = ["files:read"] }}
clients = {{ "judge" = "acme-at-vendor" }}
subject = "external"

[[assignment]]
organization = "acme"
groups = ["engineering"]
resource = "https://mcp.vendor.example/mcp"
scopes = ["files:read"]
"#
    )
}
