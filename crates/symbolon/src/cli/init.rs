//! `symbolon init`: a working configuration beside a fresh key-encryption key.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;
use symbolon_protocol::issuer::Issuer;
use symbolon_storage::KeyEncryptionKey;

use super::output::Output;

/// The file beside the configuration that the configuration names.
const KEY_FILE: &str = "symbolon.kek";

#[derive(Args, Debug)]
pub(super) struct Init {
    /// Where everybody reaches this deployment.
    #[arg(long, default_value = "http://127.0.0.1:8443", value_name = "URL")]
    public_url: String,
}

impl Init {
    pub(super) fn run(self, path: &Path, output: &Output) -> Result<()> {
        let url = self.public_url.trim_end_matches('/');
        Issuer::parse(url).with_context(|| format!("--public-url {url:?} cannot be an issuer"))?;
        let key_path = path.with_file_name(KEY_FILE);
        // The key first: a configuration without its key would look finished and not start.
        write_new(&key_path, 0o600, &KeyEncryptionKey::generate().to_text())?;
        write_new(path, 0o644, &configuration(url))?;
        let written = json!({ "config": path, "key_encryption_key": key_path });
        output.print(&written, || {
            format!(
                "Wrote {} and {}.\n\
                 Keep a copy of {} elsewhere: without it, what the database seals is lost.\n\n\
                 Next: describe your organization in a manifest (docs/manifest.md), then\n\
                 \n  symbolon apply manifest.toml\n  symbolon serve",
                path.display(),
                key_path.display(),
                key_path.display(),
            )
        })
    }
}

/// Creates a file; an existing one is never overwritten.
fn write_new(path: &Path, mode: u32, text: &str) -> Result<()> {
    let created: std::io::Result<File> = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    match created {
        Ok(mut file) => file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(|| format!("cannot write {}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!(
                "{} exists already: move it away or name another file with --config",
                path.display()
            )
        }
        Err(error) => Err(error).with_context(|| format!("cannot create {}", path.display())),
    }
}

fn configuration(url: &str) -> String {
    let loopback = url.starts_with("http://");
    let allow = if loopback { "[\"127.0.0.0/8\"]" } else { "[]" };
    let address = if loopback {
        "127.0.0.1:8443"
    } else {
        "0.0.0.0:8443"
    };
    let tls = "# tls = { certificate = \"tls.pem\", key = \"tls.key\" }  # or plain behind [trust] proxies";
    format!(
        r#"# Boot facts of this deployment; everything else is in the database (see `symbolon apply`).
# Unknown keys are errors. Every key can also be set as SYMBOLON__SECTION__KEY.

public_url = "{url}"
roles = ["as", "idp", "gateway"]

[listen]
address = "{address}"
internal = "127.0.0.1:9090"      # health and metrics
{tls}

[storage]
url = "sqlite://symbolon.db"     # or postgres://user@host/database
migrate = true

[secrets]
key_encryption_key = {{ file = "{KEY_FILE}" }}

[trust]
proxies = []                     # networks whose X-Forwarded-For counts

[net]
allow = {allow}                  # special-use networks that may be reached, with plain http there
"#
    )
}
