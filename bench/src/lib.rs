//! What the programs of the bench share.

pub mod arguments;
pub mod http;
pub mod jwt;
pub mod serve;

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("the clock is set").as_secs()
}
