//! Signed tokens from outside: published vectors, a foreign implementation, and attacks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod access_token;
mod attacks;
mod client_assertion;
mod foreign_implementation;
mod id_jag;
mod id_token;
mod keys;
mod rfc_vectors;
mod support;
mod worked_example;
