//! One entry of a manifest: its secrets and files are resolved, the rest stays as it is written.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};
use symbolon_protocol::digest::{base64url, sha256};
use symbolon_protocol::secret::Secret;
use symbolon_storage::definition::{Draft, Kind, Secrets};

use crate::config::{Environment, SecretSource};

/// A client secret is compared by its hash, which only many random bits protect.
const MIN_SECRET_CHARACTERS: usize = 22;

/// Where an entry's files and variables are looked up.
struct Source<'a> {
    directory: &'a Path,
    environment: &'a Environment,
}

/// Makes a definition of an entry.
pub(super) fn draft(
    kind: Kind,
    table: toml::Table,
    directory: &Path,
    environment: &Environment,
) -> Result<Draft> {
    let mut members = json(toml::Value::Table(table))
        .as_object()
        .cloned()
        .unwrap_or_default();
    let mut secrets = Secrets::new();
    let source = Source {
        directory,
        environment,
    };
    source.read_file(&mut members, "ca_file", "ca_pem")?;
    source.read_keys(&mut members)?;
    match kind {
        Kind::Connection => source.seal(&mut members, "client_secret", &mut secrets)?,
        Kind::Client => source.hash_secret(&mut members)?,
        Kind::McpServer => source.upstream(&mut members, &mut secrets)?,
        Kind::Policy => source.read_file(&mut members, "file", "cedar")?,
        _ => {}
    }
    Ok(Draft::new(kind, Value::Object(members), secrets)?)
}

impl Source<'_> {
    fn secret(&self, value: Value, name: &str) -> Result<Secret> {
        let source: SecretSource = serde_json::from_value(value)
            .with_context(|| format!("{name} must be {{ env = \"…\" }} or {{ file = \"…\" }}"))?;
        source
            .read(self.directory, self.environment)
            .with_context(|| name.to_owned())
    }

    fn seal(&self, members: &mut Map<String, Value>, name: &str, into: &mut Secrets) -> Result<()> {
        if let Some(value) = members.remove(name) {
            into.insert(name.to_owned(), self.secret(value, name)?);
        }
        Ok(())
    }

    /// A client's secret is only ever compared, so its hash is all that is kept.
    fn hash_secret(&self, members: &mut Map<String, Value>) -> Result<()> {
        let Some(value) = members.remove("secret") else {
            return Ok(());
        };
        let secret = self.secret(value, "secret")?;
        ensure!(
            secret.expose().len() >= MIN_SECRET_CHARACTERS,
            "secret is too short: use at least 128 random bits, for example `openssl rand -base64 32`"
        );
        let hash = base64url(&sha256(secret.expose().as_bytes()));
        members.insert("secret_sha256".to_owned(), Value::String(hash));
        Ok(())
    }

    /// `upstream_credential = { bearer = … }` or `{ header = "X-Api-Key", value = … }`.
    fn upstream(&self, members: &mut Map<String, Value>, secrets: &mut Secrets) -> Result<()> {
        if let Some(pem) = members.remove("ca_pem") {
            members.insert("upstream_ca_pem".to_owned(), pem);
        }
        let Some(credential) = members.remove("upstream_credential") else {
            return Ok(());
        };
        let help = "upstream_credential must be { bearer = … } or { header = \"…\", value = … }";
        let Value::Object(mut credential) = credential else {
            bail!(help)
        };
        let (form, value) = match (credential.remove("bearer"), credential.remove("header")) {
            (Some(value), None) => (Value::String("bearer".to_owned()), value),
            (None, Some(name)) => {
                let value = credential.remove("value").context(help)?;
                (serde_json::json!({ "header": name }), value)
            }
            _ => bail!(help),
        };
        ensure!(credential.is_empty(), help);
        let secret = self.secret(value, "upstream_credential")?;
        secrets.insert("upstream_credential".to_owned(), secret);
        members.insert("upstream_credential".to_owned(), form);
        Ok(())
    }

    /// Replaces the path under `name` by the file's text under `target`.
    fn read_file(&self, members: &mut Map<String, Value>, name: &str, target: &str) -> Result<()> {
        let Some(path) = members.remove(name) else {
            return Ok(());
        };
        let path = path
            .as_str()
            .with_context(|| format!("{name} must be a path"))?;
        let text = self.text(Path::new(path))?;
        members.insert(target.to_owned(), Value::String(text));
        Ok(())
    }

    /// Replaces `jwks = { file = "…" }` by the key set itself.
    fn read_keys(&self, members: &mut Map<String, Value>) -> Result<()> {
        let Some(jwks) = members.get_mut("jwks") else {
            return Ok(());
        };
        let path = jwks.get("file").and_then(Value::as_str);
        let path = path.context("jwks must be { file = \"…\" }")?.to_owned();
        *jwks = serde_json::from_str(&self.text(Path::new(&path))?)
            .with_context(|| format!("{path} is not a JWK set"))?;
        Ok(())
    }

    fn text(&self, path: &Path) -> Result<String> {
        let path = self.directory.join(path);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// TOML as JSON; dates and times become text.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(json).collect()),
        toml::Value::Table(table) => Value::Object(
            table
                .into_iter()
                .map(|(name, value)| (name, json(value)))
                .collect(),
        ),
    }
}
