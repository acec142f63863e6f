//! Definitions as they are stored, with their history.

use std::collections::BTreeMap;

use serde_json::Value;
use symbolon_protocol::secret::Secret;
use symbolon_protocol::time::Timestamp;
use zeroize::Zeroizing;

use super::{Draft, Key, Secrets};
use crate::engine::{Record, Row, args};
use crate::seal::{Context, Sealer};
use crate::{Connection, StorageError, Transaction};

/// A definition as it is stored.
#[derive(Clone, Debug)]
pub struct Definition {
    /// What identifies it.
    pub key: Key,
    /// The manifest object, without secrets.
    pub document: Value,
    /// Its secrets, opened.
    pub secrets: Secrets,
    /// Version of all definitions at its last change.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub author: String,
}

impl Definition {
    /// The definition that a draft would become.
    pub fn from_draft(draft: Draft, version: i64, updated_at: Timestamp, author: &str) -> Self {
        let Draft {
            key,
            document,
            secrets,
        } = draft;
        Self {
            key,
            document,
            secrets,
            version,
            updated_at,
            author: author.to_owned(),
        }
    }
}

/// One version of a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Version of all definitions that it came with.
    pub version: i64,
    /// The document; `None` where the definition was removed.
    pub document: Option<Value>,
    /// When.
    pub at: Timestamp,
    /// Who changed it.
    pub author: String,
}

impl Record for Version {
    fn read(row: &Row) -> Result<Self, StorageError> {
        let document: Option<String> = row.get("document")?;
        Ok(Self {
            version: row.get("version")?,
            document: document.map(|text| parse(&text)).transpose()?,
            at: row.get("at")?,
            author: row.get("author")?,
        })
    }
}

impl Record for Key {
    fn read(row: &Row) -> Result<Self, StorageError> {
        let kind: String = row.get("kind")?;
        Ok(Self {
            kind: kind
                .parse()
                .map_err(|error| StorageError::corrupt("kind", error))?,
            owner: row.get("owner")?,
            id: row.get("id")?,
        })
    }
}

/// A definition whose secrets are still sealed.
struct Sealed {
    definition: Definition,
    sealed: Option<Vec<u8>>,
}

impl Record for Sealed {
    fn read(row: &Row) -> Result<Self, StorageError> {
        let definition = Definition {
            key: Key::read(row)?,
            document: parse(&row.get::<String>("document")?)?,
            secrets: Secrets::new(),
            version: row.get("version")?,
            updated_at: row.get("updated_at")?,
            author: row.get("author")?,
        };
        Ok(Self {
            definition,
            sealed: row.get("sealed")?,
        })
    }
}

impl Sealed {
    fn open(self, sealer: &Sealer) -> Result<Definition, StorageError> {
        let Self {
            mut definition,
            sealed,
        } = self;
        if let Some(sealed) = sealed {
            definition.secrets = open_secrets(sealer, &definition.key, &sealed)?;
        }
        Ok(definition)
    }
}

/// The version of all definitions together; it rises with every change.
///
/// # Errors
/// [`StorageError`].
pub async fn version(connection: &mut Connection) -> Result<i64, StorageError> {
    let Head(version) = connection
        .fetch_one("SELECT version FROM definition_head WHERE one = 1", args![])
        .await?;
    Ok(version)
}

/// Every definition, in the order in which they may refer to each other.
///
/// # Errors
/// [`StorageError::Seal`] when the secrets of one do not open.
pub async fn list_all(connection: &mut Connection) -> Result<Vec<Definition>, StorageError> {
    let rows: Vec<Sealed> = connection
        .fetch_all(
            "SELECT kind, owner, id, document, sealed, version, updated_at, author
             FROM definition",
            args![],
        )
        .await?;
    let sealer = connection.sealer();
    let mut definitions: Vec<_> = rows
        .into_iter()
        .map(|row| row.open(sealer))
        .collect::<Result<_, _>>()?;
    definitions.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(definitions)
}

/// Every version of a definition, the newest first.
///
/// # Errors
/// [`StorageError`].
pub async fn history(connection: &mut Connection, key: &Key) -> Result<Vec<Version>, StorageError> {
    connection
        .fetch_all(
            "SELECT version, document, at, author FROM definition_version
             WHERE kind = $1 AND owner = $2 AND id = $3 ORDER BY version DESC",
            args![key.kind.as_str(), key.owner.as_str(), &key.id],
        )
        .await
}

pub(super) struct Head(pub(super) i64);

impl Record for Head {
    fn read(row: &Row) -> Result<Self, StorageError> {
        row.get("version").map(Self)
    }
}

/// Writes a definition and its version.
pub(super) async fn put(tx: &mut Transaction, definition: &Definition) -> Result<(), StorageError> {
    let Definition {
        key,
        document,
        version,
        updated_at,
        author,
        ..
    } = definition;
    let sealed = seal_secrets(tx.sealer(), definition);
    tx.execute(
        "INSERT INTO definition (kind, owner, id, document, sealed, version, updated_at, author)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (kind, owner, id) DO UPDATE SET document = excluded.document,
             sealed = excluded.sealed, version = excluded.version,
             updated_at = excluded.updated_at, author = excluded.author",
        args![
            key.kind.as_str(),
            key.owner.as_str(),
            &key.id,
            document.to_string(),
            sealed,
            *version,
            *updated_at,
            author,
        ],
    )
    .await?;
    let version = Version {
        version: *version,
        document: Some(document.clone()),
        at: *updated_at,
        author: author.clone(),
    };
    remember(tx, key, &version).await
}

/// Removes a definition and notes that in its history.
pub(super) async fn remove(
    tx: &mut Transaction,
    key: &Key,
    version: &Version,
) -> Result<(), StorageError> {
    tx.execute(
        "DELETE FROM definition WHERE kind = $1 AND owner = $2 AND id = $3",
        args![key.kind.as_str(), key.owner.as_str(), &key.id],
    )
    .await?;
    remember(tx, key, version).await
}

async fn remember(tx: &mut Transaction, key: &Key, version: &Version) -> Result<(), StorageError> {
    tx.execute(
        "INSERT INTO definition_version (kind, owner, id, version, document, at, author)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![
            key.kind.as_str(),
            key.owner.as_str(),
            &key.id,
            version.version,
            version.document.as_ref().map(Value::to_string),
            version.at,
            &version.author,
        ],
    )
    .await?;
    Ok(())
}

/// Seals secrets as one JSON object of texts.
fn seal_secrets(sealer: &Sealer, definition: &Definition) -> Option<Vec<u8>> {
    if definition.secrets.is_empty() {
        return None;
    }
    let exposed: BTreeMap<&str, &str> = definition
        .secrets
        .iter()
        .map(|(name, secret)| (name.as_str(), secret.expose()))
        .collect();
    let json = serde_json::to_vec(&exposed).expect("a map of texts always serializes");
    let json = Zeroizing::new(json);
    let key = &definition.key;
    Some(sealer.seal(context(key, &row_name(key)), &json))
}

fn open_secrets(sealer: &Sealer, key: &Key, sealed: &[u8]) -> Result<Secrets, StorageError> {
    let json = sealer.open(context(key, &row_name(key)), sealed)?;
    let texts: BTreeMap<String, String> = serde_json::from_slice(&json)
        .map_err(|_| StorageError::corrupt("sealed", "is not an object of texts"))?;
    Ok(texts
        .into_iter()
        .map(|(name, text)| (name, Secret::new(text)))
        .collect())
}

/// The place of a definition's secrets; kinds contain no slash, so the name is unambiguous.
pub(crate) fn context<'a>(key: &'a Key, row: &'a str) -> Context<'a> {
    Context {
        organization: key.owner.as_str(),
        table: "definition",
        row,
        column: "sealed",
    }
}

pub(crate) fn row_name(key: &Key) -> String {
    format!("{}/{}", key.kind, key.id)
}

fn parse(text: &str) -> Result<Value, StorageError> {
    serde_json::from_str(text).map_err(|error| StorageError::corrupt("document", error))
}
