//! The own deployment, from its configuration to its database; then what it reaches ([`reach`]).

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use symbolon_net::{Clock, SystemClock};
use symbolon_policy::Engine;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::definition::{self, Definition};
use symbolon_storage::directory::Directory;
use symbolon_storage::signing_key::{self, DEPLOYMENT, KeyPurpose, StoredKey};
use symbolon_storage::{Connection, StorageError, Store};

use super::finding::Findings;
use super::reach;
use crate::cli::open::{self, Migration};
use crate::config::{Config, Environment, Role, SecretSource};
use crate::snapshot;

/// Permissions that let others than the owner read or write.
const OTHERS: u32 = 0o077;

/// Examines the deployment of a configuration, as far as it goes.
pub(super) async fn examine(path: &Path, environment: &Environment) -> Findings {
    let mut findings = Findings::default();
    let config = match Config::load(path, environment) {
        Ok(config) => config,
        Err(error) => {
            findings.error(&error);
            return findings;
        }
    };
    findings.ok(format!(
        "{} is read: {} serves {}",
        path.display(),
        config.public_url,
        roles(&config)
    ));
    key_file(&config, &mut findings);
    match open::store(&config, environment, Migration::Never).await {
        Ok(store) => {
            findings.ok("the database opens with this key and has the schema of this version");
            contents(&config, &store, &mut findings).await;
            store.close().await;
        }
        Err(error) => findings.error(&error),
    }
    findings
}

fn roles(config: &Config) -> String {
    let names = config.roles.iter().map(|role| match role {
        Role::As => "as",
        Role::Idp => "idp",
        Role::Gateway => "gateway",
    });
    names.collect::<Vec<_>>().join(", ")
}

fn key_file(config: &Config, findings: &mut Findings) {
    let SecretSource::File(path) = &config.secrets.key_encryption_key else {
        return findings.ok("the key-encryption key comes from the environment");
    };
    let path = config.directory.join(path);
    let shown = path.display();
    match std::fs::metadata(&path).map(|file| file.permissions().mode()) {
        Ok(mode) if mode & OTHERS == 0 => {
            findings.ok(format!(
                "the key-encryption key in {shown} is for its owner alone"
            ));
        }
        Ok(mode) => findings.problem(
            format!(
                "the key-encryption key in {shown} is open to others ({:04o})",
                mode & 0o7777
            ),
            format!("chmod 600 {shown}"),
        ),
        Err(error) => findings.problem(
            format!("the key-encryption key in {shown} cannot be looked at: {error}"),
            "correct [secrets] key_encryption_key, or put the key back from its backup",
        ),
    }
}

/// What is in the database.
struct Contents {
    version: i64,
    definitions: Vec<Definition>,
    keys: Vec<StoredKey>,
}

async fn read(connection: &mut Connection) -> Result<Contents, StorageError> {
    Ok(Contents {
        version: definition::version(connection).await?,
        definitions: definition::list_all(connection).await?,
        keys: signing_key::list(connection).await?,
    })
}

async fn contents(config: &Config, store: &Store, findings: &mut Findings) {
    let contents = match store.read(|c| Box::pin(read(c))).await {
        Ok(contents) => contents,
        Err(error) => return findings.error(&anyhow::Error::from(error)),
    };
    let (directory, problems) = Directory::build(contents.version, &contents.definitions);
    for problem in &problems {
        findings.problem(
            format!("left out: {problem}"),
            "correct the manifest and run `symbolon apply`",
        );
    }
    match contents.definitions.len() {
        0 => findings.warning(
            "nothing is defined yet",
            "write a manifest and `symbolon apply` it",
        ),
        all => findings.ok(format!(
            "{} of {all} definitions are in force, version {}",
            all - problems.len(),
            contents.version
        )),
    }
    policies(&directory, findings);
    signing_keys(config, &directory, &contents.keys, findings);
    reach::examine(config, &directory, &contents.definitions, findings).await;
}

fn policies(directory: &Directory, findings: &mut Findings) {
    let (_, problems) = Engine::load(snapshot::policy_input(directory));
    for problem in &problems {
        findings.problem(
            format!(
                "{problem}; nobody of {} may do anything",
                problem.organization
            ),
            "correct it and run `symbolon apply`",
        );
    }
    if problems.is_empty() {
        findings.ok("every assignment and policy compiles");
    }
}

fn signing_keys(
    config: &Config,
    directory: &Directory,
    keys: &[StoredKey],
    findings: &mut Findings,
) {
    if keys.is_empty() {
        return findings.warning(
            "there are no signing keys yet",
            "start `symbolon serve` once",
        );
    }
    let now = SystemClock.now();
    let mut missing = Vec::new();
    for (role, purpose) in needed(config, directory) {
        let own: Vec<&StoredKey> = keys
            .iter()
            .filter(|k| k.usage.role == role && k.usage.purpose == purpose)
            .collect();
        missing.extend(gap(&own, now).map(|gap| format!("{} of {role} {gap}", purpose.as_str())));
    }
    for gap in &missing {
        findings.problem(
            format!("the signing key for {gap}"),
            "start `symbolon serve`, which creates missing keys, or `symbolon key rotate`",
        );
    }
    if missing.is_empty() {
        findings.ok("every signing key is there and none ends without a successor");
    }
}

/// What must be signed for this configuration.
fn needed(config: &Config, directory: &Directory) -> Vec<(String, KeyPurpose)> {
    let mut needed = vec![(DEPLOYMENT.to_owned(), KeyPurpose::Audit)];
    if config.serves(Role::As) {
        needed.push(("as".to_owned(), KeyPurpose::Token));
    }
    if config.serves(Role::Idp) {
        for organization in directory.organizations() {
            let role = format!("idp/{}", organization.id);
            needed.push((role.clone(), KeyPurpose::IdToken));
            needed.push((role, KeyPurpose::IdJag));
        }
    }
    needed
}

/// Why nothing signs now, or will not for long.
fn gap(keys: &[&StoredKey], now: Timestamp) -> Option<String> {
    let Some(active) = keys.iter().find(|key| key.is_active(now)) else {
        return Some("is missing".to_owned());
    };
    let end = active.retired_at?;
    let has_successor = keys.iter().any(|key| key.is_active(end));
    (!has_successor).then(|| format!("stops at {end} and has no successor"))
}
