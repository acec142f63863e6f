//! Builders and counterparts for tests of the whole product.
//!
//! Nothing here stands in for our own code: [`Signer`] holds a key of its own, as a company's
//! identity provider or a client would, [`Token`] writes any token with it, right or broken, and
//! [`KeyServer`] publishes its public part over HTTP until it is taken down, and [`Schema`] is a place
//! on a real PostgreSQL server.

mod key_server;
mod schema;
mod signer;
mod token;

pub use key_server::KeyServer;
pub use schema::Schema;
pub use signer::Signer;
pub use token::Token;
