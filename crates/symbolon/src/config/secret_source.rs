//! Where a secret of a file is found: never in the file itself.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use symbolon_protocol::secret::Secret;

use super::Environment;

/// `{ env = "NAME" }` or `{ file = "path" }`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file whose last line break does not count; a relative path starts at the naming file.
    File(PathBuf),
}

impl SecretSource {
    /// Reads the secret.
    ///
    /// # Errors
    /// A variable that is not set, a file that cannot be read, or an empty secret.
    pub fn read(&self, directory: &Path, environment: &Environment) -> Result<Secret> {
        let text = match self {
            Self::Env(name) => environment
                .var(name)
                .with_context(|| format!("the environment variable {name} is not set"))?
                .to_owned(),
            Self::File(path) => {
                let path = directory.join(path);
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read the secret in {}", path.display()))?;
                text.trim_end_matches(['\r', '\n']).to_owned()
            }
        };
        ensure!(!text.is_empty(), "the secret in {self:?} is empty");
        Ok(Secret::new(text))
    }
}
