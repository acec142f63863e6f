//! The guarded outbound HTTP client, the keys of issuers and the clock.
//!
//! Every request that leaves a deployment leaves through this crate. One rule decides what may be
//! reached (`address`, [`UrlClass`]) and it is applied to the very addresses that a connection is
//! opened to, so an answer of the DNS that changes between check and connect changes nothing (RFC
//! 6890; `CL-08`, `AS-175`, `N-041`, `N-042`).
//!
//! | module | what |
//! | --- | --- |
//! | [`clock`] | the time, passed in |
//! | [`client`] | requests and answers of bounded size and time, without redirects and proxies |
//! | [`discovery`] | metadata of an issuer (RFC 8414, OpenID Connect Discovery) |
//! | [`issuer_keys`] | keys and metadata of an issuer, cached per row |
//! | [`upstream`] | the streaming client of the gateway behind the same guard |

mod address;
mod budget;
pub mod client;
pub mod clock;
mod config;
pub mod discovery;
mod error;
pub mod issuer_keys;
mod kept;
mod resolver;
mod response;
mod tls;
pub mod upstream;
mod url_class;

pub use address::AddressRefused;
pub use client::HttpClient;
pub use clock::{Clock, SystemClock, TestClock};
pub use config::NetConfig;
pub use error::{FetchError, NetError};
pub use issuer_keys::{IssuerKeys, IssuerRow, KeySource, KeysError};
pub use resolver::Names;
pub use response::Response;
pub use url_class::UrlClass;
