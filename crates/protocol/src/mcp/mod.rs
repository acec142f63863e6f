//! The MCP message envelope over Streamable HTTP, for both protocol eras.
//!
//! *Legacy* versions (2025-11-25 and earlier) open with `initialize`; *modern* ones (2026-07-28)
//! carry their version in every request and mirror parts of the body into headers. What a gateway
//! decides on comes from the body alone: [`Message`] reads it in a way that no other JSON reader can
//! understand differently, and [`agree`] refuses a request whose headers say something else.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

mod agreement;
mod envelope;
mod error;
mod headers;
mod leaf;
mod message;
mod parameters;
mod target;
mod version;
mod walk;

pub use agreement::{Disagreement, agree};
pub use error::{ErrorResponse, code};
pub use headers::Headers;
pub use message::{Id, MAX_DEPTH, Message, ParseError, ParseFailure, arguments};
pub use parameters::{InvalidAnnotation, ParameterHeader, agree_parameters, parameter_headers};
pub use target::Target;
pub use version::Version;

#[cfg(test)]
mod tests;
