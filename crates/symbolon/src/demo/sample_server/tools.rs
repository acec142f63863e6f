//! What the tools are called and what they take.

use serde_json::{Map, Value, json};

/// What a model is told about this server.
pub(super) const INSTRUCTIONS: &str =
    "Issues of a small project: list them, close one, export all.";

/// The tools, always in the same order.
pub(super) fn definitions() -> Value {
    json!([
        {
            "name": "list_issues",
            "title": "List issues",
            "description": "Lists the issues of the project, all of them or those of one status.",
            "inputSchema": {
                "type": "object",
                "properties": { "status": { "type": "string", "enum": ["open", "closed"] } },
                "additionalProperties": false,
            },
            "annotations": { "readOnlyHint": true, "openWorldHint": false },
        },
        {
            "name": "close_issue",
            "title": "Close an issue",
            "description": "Closes one issue.",
            "inputSchema": {
                "type": "object",
                "properties": { "id": { "type": "string", "description": "for example TR-1" } },
                "required": ["id"],
                "additionalProperties": false,
            },
            "annotations": { "destructiveHint": true, "idempotentHint": true, "openWorldHint": false },
        },
        {
            "name": "whoami",
            "title": "Who am I?",
            "description": "Tells which HTTP headers this server received.",
            "inputSchema": { "type": "object", "additionalProperties": false },
            "annotations": { "readOnlyHint": true, "openWorldHint": false },
        },
        {
            "name": "export_issues",
            "title": "Export issues",
            "description": "Exports every issue and reports progress after each.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "interval_ms": {
                        "type": "integer", "minimum": 0, "maximum": 5000,
                        "description": "how long each issue takes; 200 if absent",
                    },
                },
                "additionalProperties": false,
            },
            "annotations": { "readOnlyHint": true, "openWorldHint": false },
        },
    ])
}

/// A tool result with structured content, and the same as text for clients that do not read that.
pub(super) fn structured(content: &Value) -> Map<String, Value> {
    let mut members = text(&content.to_string());
    members.insert("structuredContent".to_owned(), content.clone());
    members
}

/// A tool result that tells the model what it did wrong.
pub(super) fn refused(reason: &str) -> Map<String, Value> {
    let mut members = text(reason);
    members.insert("isError".to_owned(), true.into());
    members
}

fn text(text: &str) -> Map<String, Value> {
    let content = json!([{ "type": "text", "text": text }]);
    Map::from_iter([("content".to_owned(), content)])
}
