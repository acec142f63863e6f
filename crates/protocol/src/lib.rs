//! OAuth 2.1, OpenID Connect, ID-JAG and MCP messages as types. Sans-IO.

pub mod scope;
