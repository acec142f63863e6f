//! Records with their SQL, migrations, sealing and the audit chain; SQLite and PostgreSQL.
//!
//! A record is one file: its struct, its states and its SQL. Functions that read take a
//! [`Connection`], functions that write a [`Transaction`], and time is always passed in.

#[cfg(test)]
extern crate self as symbolon_storage;

pub mod audit;
pub mod definition;
pub mod directory;
mod engine;
mod error;
pub mod follow;
pub mod instance;
pub mod news;
pub mod revocation;
pub mod seal;
pub mod secret_key;
pub mod signing_key;

pub use directory::Directory;
pub use engine::{Connection, OpenOptions, Store, Transaction};
pub use error::StorageError;
pub use revocation::RevocationIndex;
pub use seal::{KeyEncryptionKey, Sealer};

#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
