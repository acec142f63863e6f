//! What an identity provider said about one sign-in (OpenID Connect Core §2: `auth_time`, `acr`,
//! `amr`). Sessions, codes and refresh tokens carry it along, so that every token says the same.

use symbolon_protocol::time::Timestamp;

use crate::StorageError;
use crate::engine::{Record, Row};

/// What was said about one sign-in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuthenticationFacts {
    /// When the person signed in.
    pub auth_time: Option<Timestamp>,
    /// Authentication context class.
    pub acr: Option<String>,
    /// Authentication methods.
    pub amr: Vec<String>,
}

impl AuthenticationFacts {
    /// The methods as they are stored: a JSON array.
    pub(crate) fn amr_json(&self) -> String {
        json_array(&self.amr)
    }
}

impl Record for AuthenticationFacts {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            auth_time: row.get("auth_time")?,
            acr: row.get("acr")?,
            amr: read_json_array(row, "amr")?,
        })
    }
}

/// Texts as one JSON array.
pub(crate) fn json_array(texts: &[String]) -> String {
    serde_json::to_string(texts).expect("texts always serialize")
}

/// Reads a column that holds a JSON array of texts.
pub(crate) fn read_json_array(
    row: &Row,
    column: &'static str,
) -> Result<Vec<String>, StorageError> {
    let json: String = row.get(column)?;
    serde_json::from_str(&json).map_err(|error| StorageError::corrupt(column, error))
}
