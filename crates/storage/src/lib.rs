//! Records with their SQL, migrations, sealing and the audit chain; SQLite and PostgreSQL.
//!
//! A record is one file: its struct, its states and its SQL. Functions that read take a
//! [`Connection`], functions that write a [`Transaction`], and time is always passed in.

mod engine;
mod error;
pub mod instance;
pub mod news;
pub mod seal;

pub use engine::{Connection, OpenOptions, Store, Transaction};
pub use error::StorageError;
pub use seal::{KeyEncryptionKey, Sealer};
