//! What a caller sees of a list (requirements RS-35), for as long as a stream lasts.

use std::net::IpAddr;
use std::sync::Arc;

use symbolon_policy::{Action, Decision, Resource};
use symbolon_protocol::ids::ServerId;

use crate::caller::Caller;
use crate::list_filter::{Entry, Named};
use crate::position::Position;
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

/// Those that the same decision allows, asked now.
fn visible(position: Position<'_>, entry: Entry, named: &[Named<'_>]) -> Vec<bool> {
    let server = &position.server.id;
    // What another sign-in would open may be seen.
    let decide = |action, name| {
        let request = position.request(action, Resource::Server { server, name }, None);
        !matches!(position.engine.decide(&request), Decision::Deny { .. })
    };
    let names = named.iter().map(|named| named.name.as_str());
    match entry {
        Entry::Tool => {
            // A tool is shown if another token of the same person would do: the call says which.
            let scopes = position
                .caller
                .token()
                .scopes
                .union(&position.server.scopes);
            let resource = Resource::Server { server, name: "" };
            let mut request = position.request(Action::ListTool, resource, None);
            request.context.scopes = &scopes;
            position
                .engine
                .decide_tools(&request, &names.collect::<Vec<_>>())
        }
        Entry::Resource | Entry::ResourceTemplate => names
            .map(|name| decide(Action::ReadResource, name))
            .collect(),
        Entry::Prompt => names.map(|name| decide(Action::GetPrompt, name)).collect(),
    }
}
