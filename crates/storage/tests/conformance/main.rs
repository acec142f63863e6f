//! What every record promises, on SQLite and PostgreSQL alike.
//!
//! Each test runs on both engines (PostgreSQL where `SYMBOLON_TEST_POSTGRES` is a URL). The races run
//! through two stores on one database, as two nodes would.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
mod support;

mod authorization_code;
mod consent;
mod expiry;
mod fixture;
mod grant;
mod group;
mod linked_identity;
mod race;
mod refresh_token;
mod session;
mod single_use;
mod user;
