//! OAuth 2.1, OpenID Connect, ID-JAG and MCP messages as types. Sans-IO.

pub mod digest;
pub mod ids;
pub mod issuer;
pub mod random;
pub mod scope;
pub mod secret;
pub mod time;
