//! One pass over a body: the members an envelope is made of, before anything is made of them.

use std::cell::Cell;

use serde::de::{DeserializeSeed, MapAccess};

use super::leaf::{Keep, Leaf, Pick};
use super::message::ParseFailure;
use super::walk::Walk;

/// The members of a JSON-RPC message; `None` means absent.
#[derive(Default)]
pub(super) struct Envelope {
    pub(super) jsonrpc: Option<Leaf>,
    pub(super) id: Option<Leaf>,
    pub(super) method: Option<Leaf>,
    pub(super) params: Option<Leaf<Params>>,
    pub(super) result: Option<Leaf>,
    pub(super) error: Option<Leaf>,
}

/// The members of `params` that say what a request is about.
#[derive(Default)]
pub(super) struct Params {
    pub(super) name: Option<Leaf>,
    pub(super) uri: Option<Leaf>,
    pub(super) task_id: Option<Leaf>,
    /// Of `initialize`.
    pub(super) protocol_version: Option<Leaf>,
    pub(super) meta: Option<Leaf<Meta>>,
}

/// The members of `_meta` that modern versions require.
#[derive(Default)]
pub(super) struct Meta {
    pub(super) protocol_version: Option<Leaf>,
    pub(super) client_capabilities: Option<Leaf>,
}

/// Reads a body that nests at most `max_depth` deep.
pub(super) fn read(body: &[u8], max_depth: u8) -> Result<Leaf<Envelope>, ParseFailure> {
    let failure = Cell::new(ParseFailure::Malformed);
    let mut reader = serde_json::Deserializer::from_slice(body);
    let keep = Keep(Walk::new(max_depth, &failure), Envelope::default());
    let envelope = keep.deserialize(&mut reader).map_err(|_| failure.get())?;
    reader.end().map_err(|_| ParseFailure::Malformed)?;
    Ok(envelope)
}

fn keep<'de, T: Pick + Default, A: MapAccess<'de>>(
    walk: Walk<'_>,
    members: &mut A,
) -> Result<Option<Leaf<T>>, A::Error> {
    members.next_value_seed(Keep(walk, T::default())).map(Some)
}

impl Pick for Envelope {
    fn pick<'de, A: MapAccess<'de>>(
        &mut self,
        walk: Walk<'_>,
        name: &str,
        members: &mut A,
    ) -> Result<(), A::Error> {
        match name {
            "jsonrpc" => self.jsonrpc = keep(walk, members)?,
            "id" => self.id = keep(walk, members)?,
            "method" => self.method = keep(walk, members)?,
            "params" => self.params = keep(walk, members)?,
            "result" => self.result = keep(walk, members)?,
            "error" => self.error = keep(walk, members)?,
            _ => {
                let own = ["jsonrpc", "id", "method", "params", "result", "error"];
                refuse_disguise(walk, name, &own)?;
                members.next_value_seed(walk)?;
            }
        }
        Ok(())
    }
}

impl Pick for Params {
    fn pick<'de, A: MapAccess<'de>>(
        &mut self,
        walk: Walk<'_>,
        name: &str,
        members: &mut A,
    ) -> Result<(), A::Error> {
        match name {
            "name" => self.name = keep(walk, members)?,
            "uri" => self.uri = keep(walk, members)?,
            "taskId" => self.task_id = keep(walk, members)?,
            "protocolVersion" => self.protocol_version = keep(walk, members)?,
            "_meta" => self.meta = keep(walk, members)?,
            "arguments" => members.next_value_seed(walk)?,
            _ => {
                refuse_disguise(walk, name, &["name", "uri", "taskid", "_meta", "arguments"])?;
                members.next_value_seed(walk)?;
            }
        }
        Ok(())
    }
}

impl Pick for Meta {
    fn pick<'de, A: MapAccess<'de>>(
        &mut self,
        walk: Walk<'_>,
        name: &str,
        members: &mut A,
    ) -> Result<(), A::Error> {
        match name {
            "io.modelcontextprotocol/protocolVersion" => {
                self.protocol_version = keep(walk, members)?;
            }
            "io.modelcontextprotocol/clientCapabilities" => {
                self.client_capabilities = keep(walk, members)?;
            }
            _ => members.next_value_seed(walk)?,
        }
        Ok(())
    }
}

/// Refuses a name that some readers, ignoring case, would take for one of `own`: to them `Name`
/// beside `name` is a duplicate, and the last one counts.
fn refuse_disguise<E: serde::de::Error>(walk: Walk<'_>, name: &str, own: &[&str]) -> Result<(), E> {
    // By way of upper case, because letters like "ſ" (U+017F) fold to ASCII only so.
    let folded = || {
        name.chars()
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
    };
    if own.iter().any(|own| folded().eq(own.chars())) {
        return Err(walk.stop(ParseFailure::DuplicateMember));
    }
    Ok(())
}
