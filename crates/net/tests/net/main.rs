//! The guarded client against real servers on loopback.

mod address_guard;
mod discovery;
mod fetch;
mod issuer;
mod issuer_keys;
mod peer;
mod upstream;
