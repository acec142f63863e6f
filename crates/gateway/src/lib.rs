//! The MCP data plane: check, decide, forward.
//!
//! `/mcp/{server}` in front of a Streamable HTTP server that has no authorization of its own. Every
//! request passes the checks of requirements §3.6 in one order. No token, no policy, no readable body:
//! no call. After warm-up nothing but the call itself touches database or network.
//!
//! | module | what |
//! | --- | --- |
//! | `endpoint`, `call` | the order of the checks, and a request that passes through them |
//! | `origin`, `bearer`, `authenticate`, `token`, `caller`, `facts` | who calls |
//! | `request_body`, `agreement`, `parameters`, `session`, `operation` | what is asked |
//! | `position`, `authorize`, `audit`, `strangers` | what policy says, and the record of it |
//! | `forward`, `upstream`, `headers`, `credential`, `identity_header` | the way to the upstream |
//! | `answer`, `relay`, `sse`, `list_filter`, `raw_object`, `viewer`, `stream_guard` | the way back |
//! | `token_cache`, `session_binding`, `keys`, `state` | what is remembered, and with which keys |
//! | `fault`, `message_fault`, `metrics` | what callers and operators are told |
//! | `protected_resource` | metadata (RFC 9728) |

mod agreement;
mod answer;
mod audit;
mod authenticate;
mod authorize;
mod bearer;
mod call;
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
mod position;
mod protected_resource;
mod raw_object;
mod relay;
mod request_body;
mod session;
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
