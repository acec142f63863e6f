//! `symbolon.toml`: the boot facts (design §9). Everything else lives in the database.
//!
//! Unknown keys are errors that name the key and its line. Secrets stand in the file only as
//! `{ env = "…" }` or `{ file = "…" }`. Every key can also be set by an environment variable:
//! `SYMBOLON__STORAGE__URL` is `[storage] url`. This is the one place that reads the environment.

mod environment;
mod secret_source;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use ipnet::IpNet;
use serde::Deserialize;

pub use self::environment::Environment;
pub use self::secret_source::SecretSource;

/// The file that commands read when no other is named.
pub const DEFAULT_PATH: &str = "symbolon.toml";

/// What one deployment is and where it keeps things.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where everybody reaches this deployment, without a trailing slash.
    pub public_url: String,
    /// Which roles this process serves.
    #[serde(default = "all_roles")]
    pub roles: BTreeSet<Role>,
    /// Listeners.
    #[serde(default)]
    pub listen: Listen,
    /// The database.
    #[serde(default)]
    pub storage: Storage,
    /// Where the key-encryption key is.
    #[serde(default)]
    pub secrets: Secrets,
    /// Reverse proxies in front of this process.
    #[serde(default)]
    pub trust: Trust,
    /// What the guarded client may reach.
    #[serde(default)]
    pub net: Net,
    /// The folder of the file; relative paths start here.
    #[serde(skip)]
    pub directory: PathBuf,
}

/// A set of routes (design §2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The MCP authorization server.
    As,
    /// One ID-JAG issuer for each organization.
    Idp,
    /// MCP servers behind this deployment.
    Gateway,
}

/// `[listen]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// The public listener.
    pub address: SocketAddr,
    /// Health and metrics.
    pub internal: SocketAddr,
    /// TLS on the public listener; absent behind a proxy that ends TLS.
    pub tls: Option<Tls>,
}

/// `[listen] tls = { certificate = "…", key = "…" }`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the chain, leaf first.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// `[storage]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// Whether `serve` migrates an empty or older database by itself.
    pub migrate: bool,
}

/// `[secrets]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// 32 bytes, base64.
    pub key_encryption_key: SecretSource,
}

/// `[trust]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// Networks whose forwarding headers count.
    pub proxies: Vec<IpNet>,
}

/// `[net]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Net {
    /// Networks that may be reached although they are special-use, with plain http there.
    pub allow: Vec<IpNet>,
}

fn all_roles() -> BTreeSet<Role> {
    BTreeSet::from([Role::As, Role::Idp, Role::Gateway])
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8443)),
            internal: SocketAddr::from(([127, 0, 0, 1], 9090)),
            tls: None,
        }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            url: "sqlite://symbolon.db".to_owned(),
            migrate: true,
        }
    }
}

impl Default for Secrets {
    fn default() -> Self {
        Self {
            key_encryption_key: SecretSource::File(PathBuf::from("symbolon.kek")),
        }
    }
}

impl Config {
    /// Reads a file and the environment.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key (with its line), or a value that cannot work;
    /// each says what to change.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!(
                "cannot read {}: run `symbolon init` or name a file with --config",
                path.display()
            )
        })?;
        let mut config =
            Self::parse(&text, environment).with_context(|| format!("in {}", path.display()))?;
        config.directory = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(config)
    }

    fn parse(text: &str, environment: &Environment) -> Result<Self> {
        // The file by itself first: its errors then carry a line, which a merged table has lost.
        let overrides = environment.overrides()?;
        let config: Self = if overrides.is_empty() {
            toml::from_str(text)?
        } else {
            let mut table: toml::Table = toml::from_str(text)?;
            environment::merge(&mut table, overrides)?;
            table
                .try_into()
                .context("after environment variables were applied")?
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        symbolon_protocol::issuer::Issuer::parse(&self.public_url).with_context(|| {
            format!(
                "public_url = {:?} must be an https URL without query, fragment or trailing slash \
                 (http only on loopback)",
                self.public_url
            )
        })?;
        ensure!(
            !self.public_url.ends_with('/'),
            "public_url must not end with a slash"
        );
        ensure!(
            !self.roles.is_empty(),
            "roles is empty: name at least one of as, idp, gateway"
        );
        if !self.storage.url.starts_with("sqlite:") && !self.storage.url.starts_with("postgres") {
            bail!("[storage] url must begin with sqlite:// or postgres://");
        }
        Ok(())
    }

    /// The storage URL with a relative SQLite path resolved against the file's folder.
    #[must_use]
    pub fn storage_url(&self) -> String {
        match self.storage.url.strip_prefix("sqlite://") {
            Some(path) if Path::new(path).is_relative() && path != ":memory:" => {
                format!("sqlite://{}", self.directory.join(path).display())
            }
            _ => self.storage.url.clone(),
        }
    }

    /// Whether this process serves a role.
    #[must_use]
    pub fn serves(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
