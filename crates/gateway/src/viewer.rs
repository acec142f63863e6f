//! Whose view of a list it is, for as long as a stream lasts.

use std::net::IpAddr;
use std::sync::Arc;

use symbolon_protocol::ids::ServerId;

use crate::authorize::{Position, visible};
use crate::caller::Caller;
use crate::list_filter::{Entry, Named};
use crate::state::DataPlane;

/// A caller who looks at lists of a server.
pub(crate) struct Viewer {
    /// Definitions and policies are those of the moment in which a list passes.
    pub(crate) gateway: Arc<DataPlane>,
    /// Who looks.
    pub(crate) caller: Caller,
    /// At which server.
    pub(crate) server: ServerId,
    /// From where.
    pub(crate) source_address: Option<IpAddr>,
}

impl Viewer {
    /// Which entries the caller sees. What a list of tools says about headers is learned on the way.
    pub(crate) fn show(&self, entry: Entry, named: &[Named<'_>]) -> Vec<bool> {
        let directory = self.gateway.directory.load();
        let engine = self.gateway.engine.load();
        let Some(server) = directory.server(&self.server) else {
            return Vec::new();
        };
        if entry == Entry::Tool {
            self.gateway.parameters.learn(&self.server, named);
        }
        let position = Position {
            engine: &engine,
            directory: &directory,
            server,
            caller: &self.caller,
            source_address: self.source_address,
            now: self.gateway.clock.now(),
        };
        visible(position, entry, named)
    }
}
