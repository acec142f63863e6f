//! What `symbolon demo` starts beside Symbolon itself.
//!
//! Both servers hold no data worth protecting and authenticate nobody, so they listen on loopback
//! only and answer only to loopback names: a page on the internet that rebinds its name to this
//! machine gets nothing.

pub mod identity_provider;
mod loopback;
pub mod sample_server;
#[cfg(test)]
mod test_http;

pub use loopback::{Running, StartError};
