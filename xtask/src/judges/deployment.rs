//! A real deployment for the judges: oidc-provider for sign-in, `symbolon serve`, one organization.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::process::{self, Background};
use crate::tools;

/// The confidential client's secret at `/as`; the judges' secrets guard nothing.
pub(super) const AS_SECRET: &str = "judge-as-secret-0123456789abcdef-0123456789";
/// The same client's secret at `/idp/acme`.
pub(super) const IDP_SECRET: &str = "judge-idp-secret-0123456789abcdef-012345678";
/// Where browsers of the judges are sent back to; nothing listens there.
pub(super) const REDIRECT_URI: &str = "http://127.0.0.1:3457/callback";
/// Symbolon's secret at the OpenID provider.
const CONNECTION_SECRET: &str = "judge-connection-secret-0123456789abcdef";

/// Who signs people in, as a `[[connection]]` needs it.
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) scopes: &'static str,
}

/// A running deployment; dropping it stops every program.
pub(super) struct Deployment {
    pub(super) public_url: String,
    directory: PathBuf,
    _programs: Vec<Background>,
}

/// Builds the binary once for all judges.
pub(super) fn build() -> Result<()> {
    let mut command = Command::new("cargo");
    process::run(
        command
            .args(["build", "--locked", "--bin", "symbolon"])
            .current_dir(process::root()),
    )
}

/// The built binary.
pub(super) fn symbolon() -> Command {
    Command::new(process::root().join("target/debug/symbolon"))
}

/// A folder of its own for one judge, emptied first.
pub(super) fn scratch(name: &str) -> Result<PathBuf> {
    let path = process::root().join("target/judges").join(name);
    if path.exists() {
        fs::remove_dir_all(&path).with_context(|| format!("could not empty {path:?}"))?;
    }
    fs::create_dir_all(&path).with_context(|| format!("could not create {path:?}"))?;
    Ok(path)
}

impl Deployment {
    /// Starts oidc-provider and a deployment that signs people in through it.
    pub(super) fn start(name: &str, extra: impl FnOnce(&str) -> String) -> Result<Self> {
        let port = process::free_port()?;
        let public_url = format!("http://127.0.0.1:{port}");
        let directory = scratch(name)?;
        let provider_port = process::free_port()?;
        let mut provider = node("oidc_provider.mjs")?;
        provider
            .arg(provider_port.to_string())
            .arg(format!("{public_url}/sso/oidc/callback"));
        let mut program = Background::start(&mut provider, directory.join("oidc-provider.log"))?;
        program.wait_for_port(provider_port)?;
        let provider = Provider {
            issuer: format!("http://127.0.0.1:{provider_port}"),
            client_id: "symbolon".to_owned(),
            client_secret: CONNECTION_SECRET.to_owned(),
            scopes: r#"["openid", "email", "profile", "groups"]"#,
        };
        Self::start_with(
            directory,
            port,
            &provider,
            vec![program],
            &extra(&public_url),
        )
    }

    /// Starts a deployment in front of a provider that runs already.
    pub(super) fn start_with(
        directory: PathBuf,
        port: u16,
        provider: &Provider,
        mut programs: Vec<Background>,
        extra: &str,
    ) -> Result<Self> {
        let public_url = format!("http://127.0.0.1:{port}");
        let run = |arguments: &[&str]| {
            let mut command = symbolon();
            command.args(arguments).current_dir(&directory);
            process::run(&mut command)
        };
        run(&["init", "--public-url", &public_url])?;
        fs::write(
            directory.join("symbolon.toml"),
            configuration(&public_url, port),
        )?;
        fs::write(
            directory.join("manifest.toml"),
            manifest(&public_url, provider, extra),
        )?;
        for (file, secret) in [
            ("connection.secret", provider.client_secret.as_str()),
            ("as.secret", AS_SECRET),
            ("idp.secret", IDP_SECRET),
        ] {
            fs::write(directory.join(file), secret)?;
        }
        run(&["apply", "manifest.toml"])?;
        let mut serve = symbolon();
        serve.arg("serve").current_dir(&directory);
        let mut server = Background::start(&mut serve, directory.join("serve.log"))?;
        server.wait_for_port(port)?;
        programs.push(server);
        Ok(Self {
            public_url,
            directory,
            _programs: programs,
        })
    }

    /// The settings that the client drivers read.
    pub(super) fn settings(&self, server: &str, tool: &str, arguments: Value) -> Value {
        json!({
            "mcp": format!("{}/mcp/{server}", self.public_url),
            "idp": format!("{}/idp/acme", self.public_url),
            "as": format!("{}/as", self.public_url),
            "idp_client": "judge", "idp_post_client": "judge-post", "idp_secret": IDP_SECRET,
            "as_client": "judge", "as_secret": AS_SECRET,
            "redirect_uri": REDIRECT_URI, "scope": "tools:use",
            "fields": { "login": "alice", "password": "any", "email": "alice@acme.example" },
            "tool": tool, "arguments": arguments,
        })
    }

    /// Signs alice in at `/idp/acme` or `/as` and returns the token answer.
    pub(super) fn sign_in(&self, role: &str, secret: &str, more: &[&str]) -> Result<Value> {
        let fields = json!({
            "login": "alice", "password": "any", "email": "alice@acme.example", "username": "alice",
        });
        let mut command = node("sign_in.mjs")?;
        command.arg(format!("{}/{role}", self.public_url));
        command
            .args(["judge", secret, REDIRECT_URI, &fields.to_string()])
            .args(more);
        let (succeeded, text) = process::output(&mut command)?;
        ensure!(succeeded, "sign-in at {role} failed");
        serde_json::from_str(&text).context("the sign-in driver printed no JSON")
    }

    /// An access token of alice for a server, by authorization code.
    pub(super) fn access_token(&self, server: &str) -> Result<String> {
        let resource = format!("{}/mcp/{server}", self.public_url);
        let answer = self.sign_in("as", AS_SECRET, &["tools:use", &resource])?;
        let token = answer["access_token"]
            .as_str()
            .context("no access_token in the answer")?;
        Ok(token.to_owned())
    }

    /// The folder with logs.
    pub(super) fn directory(&self) -> &PathBuf {
        &self.directory
    }
}

/// Node.js with a driver from `xtask/judges`; packages are found through a link beside the drivers.
pub(super) fn node(script: &str) -> Result<Command> {
    let modules = tools::node_modules()?;
    let drivers = process::root().join("xtask/judges");
    // ES modules are resolved from where the script lies, so the drivers run as copies beside them.
    for entry in fs::read_dir(&drivers)? {
        let entry = entry?;
        fs::copy(entry.path(), modules.join(entry.file_name()))?;
    }
    let mut command = Command::new(tools::node()?);
    command.arg(modules.join(script));
    Ok(command)
}

fn configuration(public_url: &str, port: u16) -> String {
    format!(
        "public_url = \"{public_url}\"\n\
         [listen]\naddress = \"127.0.0.1:{port}\"\ninternal = \"127.0.0.1:0\"\n\
         [net]\nallow = [\"127.0.0.0/8\"]\n"
    )
}

fn manifest(public_url: &str, provider: &Provider, extra: &str) -> String {
    let mut text = format!(
        r#"
[[organization]]
id = "acme"
name = "Acme Inc."
domains = ["acme.example"]

[[connection]]
id = "acme-oidc"
organization = "acme"
protocol = "oidc"
issuer = "{issuer}"
client_id = "{client_id}"
client_secret = {{ file = "connection.secret" }}
scopes = {scopes}
groups_claim = "groups"
provision = "just_in_time"

[[trusted_issuer]]
organization = "acme"
issuer = "{public_url}/idp/acme"
subject = "user_id"

[[client]]
id = "judge"
organization = "acme"
authentication = "client_secret_basic"
secret = {{ file = "as.secret" }}
grants = ["jwt_bearer", "authorization_code", "refresh_token"]
redirect_uris = ["{REDIRECT_URI}"]

[[client]]
id = "conformance"
organization = "acme"
authentication = "none"
grants = ["authorization_code", "refresh_token"]
redirect_uris = ["http://127.0.0.1/callback"]

[[client]]
issuer = "idp/acme"
id = "judge-post"
organization = "acme"
authentication = "client_secret_post"
secret = {{ file = "idp.secret" }}
grants = ["authorization_code", "refresh_token", "token_exchange"]
redirect_uris = ["{REDIRECT_URI}"]

[[client]]
issuer = "idp/acme"
id = "judge"
organization = "acme"
authentication = "client_secret_basic"
secret = {{ file = "idp.secret" }}
grants = ["authorization_code", "refresh_token", "token_exchange"]
redirect_uris = ["{REDIRECT_URI}"]
"#,
        issuer = provider.issuer,
        client_id = provider.client_id,
        scopes = provider.scopes,
    );
    text.push_str(extra);
    text
}

/// Gatewayed servers that everyone may use, and their place in the identity provider's registry.
pub(super) fn servers(public_url: &str, servers: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut resources = Vec::new();
    for (id, upstream) in servers {
        let resource = format!("{public_url}/mcp/{id}");
        resources.push(format!("\"{resource}\" = [\"tools:use\"]"));
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            r#"
[[mcp_server]]
id = "{id}"
organization = "acme"
resource = "{resource}"
upstream = "{upstream}"
scopes = ["tools:use"]

[[assignment]]
organization = "acme"
everyone = true
mcp_server = "{id}"
scopes = ["tools:use"]
"#
        );
    }
    let resources = resources.join(", ");
    let _ = write!(
        text,
        r#"
[[resource_authorization_server]]
organization = "acme"
issuer = "{public_url}/as"
resources = {{ {resources} }}
clients = {{ "judge" = "judge", "judge-post" = "judge" }}
subject = "user_id"
"#
    );
    text
}
