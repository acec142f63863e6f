//! The demonstration's deployment: one organization, two people, one agent, one MCP server.
//!
//! It is an ordinary deployment: a configuration, a key, a database and a manifest in a temporary
//! folder, served by the same code as `symbolon serve`.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use symbolon_net::{Clock, SystemClock};
use symbolon_protocol::ids::{ClientId, OrganizationId, UserId};
use symbolon_protocol::random;
use symbolon_protocol::redirect_uri::RegisteredRedirectUri;
use symbolon_protocol::secret::Secret;
use symbolon_storage::KeyEncryptionKey;
use symbolon_storage::definition::Prune;
use symbolon_storage::revocation::{self, Subject};

use super::{identity_provider, sample_server};
use crate::cli::{apply, open};
use crate::config::{Config, Environment};
use crate::manifest::Manifest;
use crate::serve;

/// The agent's client id at both of its registrations.
pub(super) const CLIENT: &str = "desk-agent";
/// Where the agent waits for the browser; nothing listens there, the demonstration reads the URL.
pub(super) const REDIRECT_URI: &str = "http://127.0.0.1:8400/callback";
/// The organization.
const ORGANIZATION: &str = "acme";

/// Everything that runs.
pub(super) struct Scenario {
    directory: PathBuf,
    server: serve::Running,
    resource: String,
    as_secret: Secret,
    idp_secret: Secret,
    environment: Environment,
    /// Kept alive: dropping one stops it.
    identity_provider: super::Running,
    sample_server: super::Running,
}

impl Scenario {
    /// Starts the identity provider, the sample server and Symbolon, and applies the manifest.
    pub(super) async fn start() -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("symbolon-demo-{}", random::id()));
        fs::create_dir_all(&directory)?;
        let port = free_port()?;
        let public_url = format!("http://127.0.0.1:{port}");
        let connection_secret = random::token();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let settings = provider_settings(any, &public_url, &connection_secret)?;
        let identity_provider = identity_provider::start(settings).await?;
        let sample_server = sample_server::start(any).await?;
        let (as_secret, idp_secret) = (random::token(), random::token());
        let resource = format!("{public_url}/mcp/tracker");
        write(&directory, "symbolon.toml", &configuration(port))?;
        write(
            &directory,
            "symbolon.kek",
            &KeyEncryptionKey::generate().to_text(),
        )?;
        write(&directory, "connection.secret", connection_secret.expose())?;
        write(&directory, "as.secret", as_secret.expose())?;
        write(&directory, "idp.secret", idp_secret.expose())?;
        let issuer = identity_provider.url("");
        let upstream = sample_server.url("/mcp");
        write(
            &directory,
            "manifest.toml",
            &manifest(&public_url, &issuer, &upstream),
        )?;
        let environment = Environment::default();
        let config = Config::load(&directory.join("symbolon.toml"), &environment)?;
        apply_manifest(&config, &directory, &environment).await?;
        let server = serve::start(&config, &environment).await?;
        Ok(Self {
            directory,
            server,
            resource,
            as_secret,
            idp_secret,
            environment,
            identity_provider,
            sample_server,
        })
    }

    pub(super) fn public_url(&self) -> &str {
        self.server.public_url()
    }

    pub(super) fn authorization_server(&self) -> String {
        format!("{}/as", self.public_url())
    }

    pub(super) fn idp(&self) -> String {
        format!("{}/idp/{ORGANIZATION}", self.public_url())
    }

    pub(super) fn resource(&self) -> &str {
        &self.resource
    }

    pub(super) fn as_secret(&self) -> &str {
        self.as_secret.expose()
    }

    pub(super) fn idp_secret(&self) -> &str {
        self.idp_secret.expose()
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn identity_provider_url(&self) -> String {
        self.identity_provider.url("/")
    }

    pub(super) fn sample_server_url(&self) -> String {
        self.sample_server.url("/mcp")
    }

    /// Cuts a user off everywhere, as `symbolon user revoke` does.
    pub(super) async fn revoke(&self, user: &str) -> Result<()> {
        let subject = Subject::User(UserId::parse(user)?);
        let by = open::operator(&self.environment);
        let now = SystemClock.now();
        self.server
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    revocation::revoke(tx, &subject, "shown in the demonstration", &by, now).await
                })
            })
            .await?;
        Ok(())
    }

    /// The organization's audit trail, one line an event, and how many events verify.
    pub(super) async fn audit(&self) -> Result<(Vec<String>, u64)> {
        let organization = OrganizationId::parse(ORGANIZATION)?;
        self.server.seal_audit().await?;
        crate::cli::audit::trail(self.server.store(), &organization).await
    }

    /// Stops everything and removes the folder.
    pub(super) async fn stop(self) -> Result<()> {
        self.server.stop().await;
        self.sample_server.shutdown().await;
        self.identity_provider.shutdown().await;
        fs::remove_dir_all(&self.directory)
            .with_context(|| format!("cannot remove {}", self.directory.display()))
    }
}

fn provider_settings(
    address: SocketAddr,
    public_url: &str,
    secret: &Secret,
) -> Result<identity_provider::Settings> {
    let callback = format!("{public_url}/sso/oidc/callback");
    Ok(identity_provider::Settings {
        address,
        clients: vec![identity_provider::Client {
            id: ClientId::parse("symbolon")?,
            secret: secret.clone(),
            redirect_uris: vec![RegisteredRedirectUri::parse(&callback)?],
            post_logout_redirect_uris: vec![format!("{public_url}/sso/logout")],
        }],
        people: vec![
            identity_provider::Person::ada(),
            identity_provider::Person::bob(),
        ],
        clock: Arc::new(SystemClock),
    })
}

async fn apply_manifest(
    config: &Config,
    directory: &Path,
    environment: &Environment,
) -> Result<()> {
    let store = open::store(config, environment, open::Migration::Always).await?;
    let manifest = Manifest::read(&[directory.join("manifest.toml")], environment)?;
    let changes = apply::plan(&store, &manifest, Prune::Nothing).await?;
    apply::commit(&store, changes, open::operator(environment)).await?;
    store.close().await;
    Ok(())
}

fn write(directory: &Path, name: &str, text: &str) -> Result<()> {
    let path = directory.join(name);
    // Some of these files are secrets, and the folder is one for everybody.
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn configuration(port: u16) -> String {
    format!(
        r#"public_url = "http://127.0.0.1:{port}"
[listen]
address = "127.0.0.1:{port}"
internal = "127.0.0.1:0"
[net]
allow = ["127.0.0.0/8"]
"#
    )
}

fn manifest(public_url: &str, issuer: &str, upstream: &str) -> String {
    include_str!("manifest.toml")
        .replace("{public_url}", public_url)
        .replace("{issuer}", issuer)
        .replace("{upstream}", upstream)
        .replace("{redirect_uri}", REDIRECT_URI)
}
