//! The guarded client against real servers on loopback.

mod address_guard;
mod discovery;
mod fetch;
mod peer;
mod upstream;
