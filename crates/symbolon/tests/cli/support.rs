//! A folder with a deployment in it, and the program that works on it.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use symbolon_net::{Clock, SystemClock};
use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::jose::Algorithm;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::audit::{By, sealer};
use symbolon_storage::signing_key::{self, DEPLOYMENT, KeyPurpose, KeyUse};
use symbolon_storage::user::{self, Profile, User};
use symbolon_storage::{KeyEncryptionKey, OpenOptions, Sealer, StorageError, Store, instance};
use tempfile::TempDir;

/// What Acme Inc. defines: everybody may read issues, nobody may write them.
pub(crate) const MANIFEST: &str = r#"
[[organization]]
id = "acme"
name = "Acme Inc."
domains = ["acme.example"]

[[mcp_server]]
id = "tracker"
organization = "acme"
resource = "http://127.0.0.1:8443/mcp/tracker"
scopes = ["issues:read", "issues:write"]
tools = { list_issues = ["issues:read"], close_issue = ["issues:write"] }

[[client]]
id = "desk-agent"
organization = "acme"
authentication = "none"
grants = ["authorization_code"]
redirect_uris = ["http://127.0.0.1/callback"]

[[assignment]]
id = "readers"
organization = "acme"
everyone = true
mcp_server = "tracker"
scopes = ["issues:read"]
"#;

/// A folder.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn empty() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// With a configuration and a key.
    pub(crate) fn initialized() -> Self {
        let folder = Self::empty();
        // Nothing listens on port 1: whatever else runs on this machine is left alone.
        folder
            .run(&["init", "--public-url", "http://127.0.0.1:1"])
            .assert_done();
        folder
    }

    /// With the definitions of [`MANIFEST`] as well.
    pub(crate) fn deployed() -> Self {
        let folder = Self::initialized();
        folder.write("manifest.toml", MANIFEST);
        folder.run(&["apply", "manifest.toml"]).assert_done();
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Runs the program here.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_symbolon"));
        command
            .current_dir(self.0.path())
            .env_clear()
            .env("USER", "operator")
            .args(arguments);
        Ended(command.output().unwrap())
    }

    /// The database, as `serve` opens it.
    pub(crate) async fn store(&self) -> Store {
        let key = std::fs::read_to_string(self.path("symbolon.kek")).unwrap();
        let sealer = Sealer::new(&KeyEncryptionKey::from_base64(&key).unwrap());
        let url = format!("sqlite://{}", self.path("symbolon.db").display());
        Store::open(&url, sealer, OpenOptions::default())
            .await
            .unwrap()
    }

    /// Somebody who signed in once.
    pub(crate) async fn person(&self, email: &str) -> User {
        let store = self.store().await;
        let profile = Profile {
            email: Some(email.to_owned()),
            name: None,
        };
        let inserted = store.write(move |tx| {
            Box::pin(async move {
                let acme = OrganizationId::parse("acme").unwrap();
                user::insert(tx, &acme, &profile, SystemClock.now()).await
            })
        });
        let user: Result<User, StorageError> = inserted.await;
        store.close().await;
        user.unwrap()
    }

    /// Chains and signs the audit trail, as a running `serve` does.
    pub(crate) async fn seal_audit(&self) {
        let (store, now) = (self.store().await, SystemClock.now());
        let usage = KeyUse {
            role: DEPLOYMENT.to_owned(),
            purpose: KeyPurpose::Audit,
            algorithm: Algorithm::Es256,
        };
        signing_key::ensure(&store, usage, By::system(), now)
            .await
            .unwrap();
        seal(&store, now).await;
        store.close().await;
    }
}

async fn seal(store: &Store, now: Timestamp) {
    let deployment = store
        .read(|c| Box::pin(instance::load(c)))
        .await
        .unwrap()
        .id;
    let mut keys = store
        .read(|c| Box::pin(signing_key::list(c)))
        .await
        .unwrap();
    keys.retain(|key| key.usage.purpose == KeyPurpose::Audit);
    let key = Arc::new(keys.remove(0).key);
    sealer::seal(store, &deployment, &key, now).await.unwrap();
}

/// How a run of the program ended.
pub(crate) struct Ended(Output);

impl Ended {
    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().expect("the program was not killed")
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.0.stdout).unwrap()
    }

    pub(crate) fn assert_done(&self) {
        assert_eq!(self.code(), 0, "{}{}", self.stdout(), self.stderr());
    }

    /// Refused, with all of `words` on standard error.
    pub(crate) fn assert_refused(&self, words: &[&str]) {
        let stderr = self.stderr();
        assert_eq!(self.code(), 1, "{}{stderr}", self.stdout());
        for word in words {
            assert!(stderr.contains(word), "{word:?} is not in {stderr:?}");
        }
    }

    /// Standard output holds all of `words`.
    pub(crate) fn assert_says(&self, words: &[&str]) {
        let stdout = self.stdout();
        for word in words {
            assert!(
                stdout.contains(word),
                "{word:?} is not in {stdout:?}{}",
                self.stderr()
            );
        }
    }
}
