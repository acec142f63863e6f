//! The MCP data plane: check, decide, forward.
#![allow(dead_code)]

mod bearer;
mod headers;
mod list_filter;
mod origin;
mod raw_object;
mod session_binding;
mod sse;
mod stream_guard;
