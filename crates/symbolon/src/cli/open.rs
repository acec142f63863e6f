//! Opening the deployment that a command works on: its configuration, key and database.

use std::path::Path;

use anyhow::{Context, Result};
use symbolon_storage::audit::{Actor, By};
use symbolon_storage::{KeyEncryptionKey, OpenOptions, Sealer, Store};

use crate::config::{Config, Environment};

/// What a command may do to the database before it begins.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Migration {
    /// Bring the schema up to date, as `[storage] migrate` allows.
    Configured,
    /// Bring it up to date whatever the configuration says.
    Always,
    /// Look only: an older schema, or none, is an error.
    Never,
}

/// Reads the configuration and opens its database.
///
/// # Errors
/// Whatever is missing or does not fit, with what to change.
pub async fn deployment(
    path: &Path,
    environment: &Environment,
    migration: Migration,
) -> Result<(Config, Store)> {
    let config = Config::load(path, environment)?;
    let store = store(&config, environment, migration).await?;
    Ok((config, store))
}

/// Opens the database of a configuration.
///
/// # Errors
/// As [`deployment`].
pub async fn store(
    config: &Config,
    environment: &Environment,
    migration: Migration,
) -> Result<Store> {
    let key = config
        .secrets
        .key_encryption_key
        .read(&config.directory, environment)
        .context(
            "the key-encryption key ([secrets] key_encryption_key; `symbolon init` creates it)",
        )?;
    let key = KeyEncryptionKey::from_base64(key.expose())
        .context("[secrets] key_encryption_key is not what `symbolon init` writes")?;
    let migrate = match migration {
        Migration::Configured => config.storage.migrate,
        Migration::Always => true,
        Migration::Never => false,
    };
    let options = OpenOptions {
        migrate,
        create: migrate,
    };
    let store = Store::open(&config.storage_url(), Sealer::new(&key), options).await?;
    Ok(store)
}

/// Who acts when a command is run: the name the operating system gives.
pub fn operator(environment: &Environment) -> By {
    let name = environment
        .var("USER")
        .or_else(|| environment.var("LOGNAME"));
    By {
        actor: Actor::Operator(name.unwrap_or("unknown").to_owned()),
        request_id: symbolon_protocol::random::id(),
    }
}
