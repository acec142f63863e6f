//! OAuth 2.1, OpenID Connect, ID-JAG and MCP messages as types. Sans-IO.

mod absolute_uri;
pub mod access_token;
pub mod authorization_request;
pub mod authorization_response;
pub mod challenge;
pub mod client_assertion;
pub mod client_authentication;
pub mod confirmation;
pub mod digest;
pub mod form;
pub mod id_jag;
pub mod id_token;
pub mod ids;
pub mod issuer;
pub mod jose;
pub mod json;
pub mod mcp;
pub mod metadata;
pub mod oauth_error;
pub mod pkce;
pub mod random;
pub mod redirect_uri;
pub mod resource;
pub mod scope;
pub mod secret;
pub mod time;
pub mod token_request;
