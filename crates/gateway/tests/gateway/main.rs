//! The gateway in front of a real upstream, with a real store, real keys and real policies.
//!
//! Tests are named by what the manual would say; the ids are those of requirements §3 and §5.7.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

mod answer;
mod authentication;
mod builder;
mod definitions;
mod foreign_tokens;
mod lists;
mod messages;
mod passing;
mod policy;
mod remembered;
mod request;
mod sessions;
mod streams;
mod upstream;
mod wire;
mod world;
