//! Records with their SQL, migrations, sealing and the audit chain; SQLite and PostgreSQL.
//!
//! A record is one file: its struct, its states and its SQL. Functions that read take a
//! [`Connection`], functions that write a [`Transaction`], and time is always passed in.

#[cfg(test)]
extern crate self as symbolon_storage;

pub mod audit;
mod authentication_facts;
pub mod authorization_code;
pub mod consent;
pub mod definition;
pub mod directory;
mod engine;
mod error;
pub mod expiry;
pub mod follow;
pub mod grant;
pub mod group;
pub mod instance;
pub mod linked_identity;
pub mod news;
mod page;
pub mod refresh_token;
pub mod revocation;
mod row_key;
pub mod seal;
pub mod secret_key;
pub mod session;
pub mod signing_key;
pub mod single_use;
pub mod user;

pub use authentication_facts::AuthenticationFacts;
pub use directory::Directory;
pub use engine::{Connection, OpenOptions, Store, Transaction};
pub use error::StorageError;
pub use page::Page;
pub use revocation::RevocationIndex;
pub use seal::{KeyEncryptionKey, Sealer};

#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
