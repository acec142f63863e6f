//! The command line as somebody at a shell meets it: the built program in a temporary folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit;
mod definitions;
mod doctor;
mod people;
mod policy;
mod setup;
mod support;
