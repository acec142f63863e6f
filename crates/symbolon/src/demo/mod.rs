//! `symbolon demo`: everything on loopback, no accounts, no network (design §9).
//!
//! A scenario is started, a walk goes through it, and a narrator says what happens. Beside Symbolon
//! itself run a development identity provider and a sample MCP server. Both hold no data worth
//! protecting and authenticate nobody, so they listen on loopback only and answer only to loopback
//! names: a page on the internet that rebinds its name to this machine gets nothing.

pub mod identity_provider;
mod loopback;
mod narrator;
mod run;
pub mod sample_server;
mod scenario;
#[cfg(test)]
mod test_http;
pub mod walk;

pub use loopback::{Running, StartError};
pub use run::run;
