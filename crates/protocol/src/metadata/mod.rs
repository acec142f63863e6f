//! Metadata documents: what authorization servers and protected resources publish about themselves.
//!
//! Ours are structs that serialize in a fixed order; an empty or absent member is left out, so that
//! only what is true is said. Foreign ones are read tolerantly (unknown members are ignored) but
//! their endpoints must be `https`, or `http` on loopback.

mod authorization_server;
mod protected_resource;
mod provider;

pub use authorization_server::{AuthorizationServerMetadata, ID_JAG_PROFILE, OpenIdMetadata};
pub use protected_resource::ProtectedResourceMetadata;
pub use provider::{MetadataError, ProviderMetadata};
