//! Which tool arguments are mirrored into headers, learned from the lists that pass
//! (requirements RS-67, RS-68, N-212).
//!
//! A modern `tools/call` must repeat annotated arguments in `Mcp-Param-*` headers. Only the tool's
//! schema says which, and the gateway sees it when it filters `tools/list`. A tool that it has not
//! seen is the upstream's to check.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::Value;
use symbolon_protocol::ids::ServerId;
use symbolon_protocol::mcp::{ParameterHeader, parameter_headers};

use crate::list_filter::Named;

/// Annotated tools that are remembered of one server at most.
const MAX_TOOLS: usize = 1000;

type Tools = HashMap<String, Arc<[ParameterHeader]>>;

/// The annotated tools of each server.
#[derive(Default)]
pub(crate) struct Parameters(ArcSwap<HashMap<ServerId, Tools>>);

impl Parameters {
    /// The annotated parameters of a tool; `None` if it has none, or is not known.
    pub(crate) fn of(&self, server: &ServerId, tool: &str) -> Option<Arc<[ParameterHeader]>> {
        self.0.load().get(server)?.get(tool).cloned()
    }

    /// Takes in a list of tools.
    pub(crate) fn learn(&self, server: &ServerId, tools: &[Named<'_>]) {
        let read: Vec<(&str, Arc<[ParameterHeader]>)> = tools
            .iter()
            .map(|tool| (tool.name.as_str(), annotated(tool)))
            .collect();
        let known = self.0.load();
        let known = known.get(server);
        let is_known = |(tool, read): &(&str, Arc<[ParameterHeader]>)| {
            known
                .and_then(|known| known.get(*tool))
                .map_or(&[][..], AsRef::as_ref)
                == &read[..]
        };
        if read.iter().all(is_known) {
            return;
        }
        self.0.rcu(|all| {
            let mut all = HashMap::clone(all);
            let known = all.entry(server.clone()).or_default();
            for (tool, read) in &read {
                if read.is_empty() {
                    known.remove(*tool);
                } else if known.len() < MAX_TOOLS || known.contains_key(*tool) {
                    known.insert((*tool).to_owned(), Arc::clone(read));
                }
            }
            all
        });
    }
}

/// A tool whose annotations break the rules is left out by clients: there is nothing to compare.
fn annotated(tool: &Named<'_>) -> Arc<[ParameterHeader]> {
    if !tool.entry.get().contains("x-mcp-header") {
        return Arc::default();
    }
    let tool: Option<Value> = serde_json::from_str(tool.entry.get()).ok();
    let schema = tool.as_ref().and_then(|tool| tool.get("inputSchema"));
    schema
        .and_then(|schema| parameter_headers(schema).ok())
        .unwrap_or_default()
        .into()
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn learn(parameters: &Parameters, tool: &str, property: &str) {
        let entry = format!(
            r#"{{"name":"{tool}","inputSchema":{{"type":"object","properties":{{"r":{property}}}}}}}"#
        );
        let entry = RawValue::from_string(entry).unwrap();
        let named = Named {
            name: tool.to_owned(),
            entry: &entry,
        };
        parameters.learn(&ServerId::parse("tracker").unwrap(), &[named]);
    }

    fn names(parameters: &Parameters, tool: &str) -> Vec<String> {
        let found = parameters
            .of(&ServerId::parse("tracker").unwrap(), tool)
            .unwrap_or_default();
        found
            .iter()
            .map(|parameter| parameter.name.clone())
            .collect()
    }

    #[test]
    fn annotations_follow_the_newest_list() {
        let parameters = Parameters::default();
        assert!(names(&parameters, "query").is_empty());
        learn(
            &parameters,
            "query",
            r#"{"type":"string","x-mcp-header":"Region"}"#,
        );
        learn(&parameters, "other", r#"{"type":"string"}"#);
        assert_eq!(names(&parameters, "query"), ["Region"]);
        assert!(names(&parameters, "other").is_empty());
        learn(&parameters, "query", r#"{"type":"string"}"#);
        assert!(names(&parameters, "query").is_empty());
    }

    #[test]
    fn annotations_that_break_the_rules_are_not_compared() {
        let parameters = Parameters::default();
        learn(
            &parameters,
            "query",
            r#"{"type":"array","x-mcp-header":"Region"}"#,
        );
        assert!(names(&parameters, "query").is_empty());
    }
}
