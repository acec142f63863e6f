//! The MCP data plane: check, decide, forward.
//!
//! `/mcp/{server}` in front of a Streamable HTTP server that has no authorization of its own. A
//! request passes in one order ([`endpoint`], requirements §3.6): origin, token, form, agreement of
//! headers and body, scopes, policy, audit trail, upstream. No token, no policy, no readable body: no
//! call. After warm-up nothing of it touches the database or the network but the upstream.
//!
//! | module | what |
//! | --- | --- |
//! | `endpoint` | the order of the checks |
//! | `origin`, `bearer`, `authenticate`, `token`, `caller`, `facts` | who calls |
//! | `request_body`, `operation`, `parameters` | what is asked |
//! | `authorize`, `audit`, `strangers` | what policy says, and the record of it |
//! | `forward`, `upstream`, `headers`, `credential`, `identity_header`, `session_binding` | the way to the upstream |
//! | `relay`, `sse`, `list_filter`, `raw_object`, `viewer`, `stream_guard` | the way back |
//! | `fault`, `message_fault`, `metrics` | what callers and operators are told |
//! | `protected_resource` | RFC 9728 metadata |

mod audit;
mod authenticate;
mod authorize;
mod bearer;
mod caller;
mod credential;
mod endpoint;
mod facts;
mod fault;
mod forward;
mod headers;
mod identity_header;
mod keys;
mod list_filter;
mod message_fault;
mod metrics;
mod operation;
mod origin;
mod parameters;
mod protected_resource;
mod raw_object;
mod relay;
mod request_body;
mod session_binding;
mod sse;
mod state;
mod strangers;
mod stream_guard;
mod token;
mod token_cache;
mod upstream;
mod viewer;

use axum::Router;
use axum::routing::{any, get};

pub use keys::GatewayKeys;
pub use state::{Gateway, GatewayParts, Limits, SourceAddress};

/// The routes of the gateway, to be merged into the public listener's.
pub fn routes(gateway: Gateway) -> Router {
    let metadata = get(protected_resource::document).options(protected_resource::preflight);
    Router::new()
        .route("/mcp/{server}", any(endpoint::endpoint))
        .route(
            "/.well-known/oauth-protected-resource/mcp/{server}",
            metadata,
        )
        .with_state(gateway.0)
}
