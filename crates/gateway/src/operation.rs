//! What a message asks for, as things that policy decides (design §6 D; requirements RS-71).
//!
//! The set is closed: a request that is not listed here does not reach any upstream.

use serde::Deserialize;
use symbolon_protocol::mcp::{Message, Target};

/// Resources that one subscription may name: each is decided by itself.
const MAX_RESOURCES: usize = 1000;

/// What has to be allowed before a message passes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Operation<'a> {
    /// Calling a tool.
    CallTool(&'a str),
    /// Reading, or being told of changes of, every one of these resources.
    ReadResources(Vec<String>),
    /// Getting a prompt.
    GetPrompt(String),
    /// Everything that touches no single tool, resource or prompt: handshakes, lists, notifications,
    /// tasks. Whoever may use the server at all may do it; lists are filtered on their way back.
    UseServer,
}

/// Why a message asks for nothing that could be decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum OperationError {
    /// No method of the protocol: 404 and −32601.
    #[error("Method not found")]
    UnknownMethod,
    /// The parameters do not say what it is about: 400 and −32602.
    #[error("params are missing or malformed")]
    InvalidParams,
}

impl<'a> Operation<'a> {
    /// The operation of a message whose headers agree with it. `body` is what it was read from.
    ///
    /// # Errors
    /// [`OperationError`].
    pub(crate) fn of(message: &'a Message, body: &[u8]) -> Result<Self, OperationError> {
        match message.target() {
            Target::ToolCall { name } => Ok(Self::CallTool(name)),
            Target::ResourceRead { uri } | Target::ResourceSubscription { uri } => {
                Ok(Self::ReadResources(vec![uri.to_owned()]))
            }
            Target::PromptGet { name } => Ok(Self::GetPrompt(name.to_owned())),
            Target::Other("completion/complete") => completion(body),
            Target::Other("subscriptions/listen") => subscription(body),
            Target::Other("logging/setLevel" | "tasks/list" | "tasks/result")
            | Target::Initialize
            | Target::Discover
            | Target::Ping
            | Target::ToolList
            | Target::ResourceList
            | Target::ResourceTemplateList
            | Target::PromptList
            | Target::Task { .. }
            | Target::Notification(_)
            | Target::Response => Ok(Self::UseServer),
            _ => Err(OperationError::UnknownMethod),
        }
    }
}

#[derive(Deserialize)]
struct Body<P> {
    params: P,
}

fn params<'de, P: Deserialize<'de>>(body: &'de [u8]) -> Result<P, OperationError> {
    let body: Body<P> = serde_json::from_slice(body).map_err(|_| OperationError::InvalidParams)?;
    Ok(body.params)
}

#[derive(Deserialize)]
struct Completion {
    #[serde(rename = "ref")]
    reference: Reference,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Reference {
    #[serde(rename = "ref/prompt")]
    Prompt { name: String },
    #[serde(rename = "ref/resource")]
    Resource { uri: String },
}

/// A completion shows what is in the prompt or resource it completes.
fn completion<'a>(body: &[u8]) -> Result<Operation<'a>, OperationError> {
    let completion: Completion = params(body)?;
    Ok(match completion.reference {
        Reference::Prompt { name } => Operation::GetPrompt(name),
        Reference::Resource { uri } => Operation::ReadResources(vec![uri]),
    })
}

#[derive(Deserialize)]
struct Subscription {
    #[serde(default)]
    notifications: Filter,
}

#[derive(Default, Deserialize)]
struct Filter {
    #[serde(default, rename = "resourceSubscriptions")]
    resources: Option<Vec<String>>,
}

fn subscription<'a>(body: &[u8]) -> Result<Operation<'a>, OperationError> {
    let subscription: Subscription = params(body)?;
    Ok(match subscription.notifications.resources {
        Some(uris) if uris.len() > MAX_RESOURCES => return Err(OperationError::InvalidParams),
        Some(uris) if !uris.is_empty() => Operation::ReadResources(uris),
        _ => Operation::UseServer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, params: &str, expected: Result<Operation<'_>, OperationError>) {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let message = Message::parse(body.as_bytes()).unwrap();
        assert_eq!(Operation::of(&message, body.as_bytes()), expected, "{body}");
    }

    fn read(uris: &[&str]) -> Result<Operation<'static>, OperationError> {
        Ok(Operation::ReadResources(
            uris.iter().map(|uri| (*uri).to_owned()).collect(),
        ))
    }

    #[test]
    fn an_operation_is_what_the_body_names() {
        check(
            "tools/call",
            r#"{"name":"t"}"#,
            Ok(Operation::CallTool("t")),
        );
        check("resources/read", r#"{"uri":"a:b"}"#, read(&["a:b"]));
        check("resources/subscribe", r#"{"uri":"a:b"}"#, read(&["a:b"]));
        check(
            "prompts/get",
            r#"{"name":"p"}"#,
            Ok(Operation::GetPrompt("p".into())),
        );
        for method in [
            "tools/list",
            "initialize",
            "server/discover",
            "tasks/list",
            "ping",
        ] {
            check(method, "{}", Ok(Operation::UseServer));
        }
    }

    #[test]
    fn a_completion_is_decided_like_what_it_completes() {
        let prompt = r#"{"ref":{"type":"ref/prompt","name":"p"},"argument":{}}"#;
        check(
            "completion/complete",
            prompt,
            Ok(Operation::GetPrompt("p".into())),
        );
        let resource = r#"{"ref":{"type":"ref/resource","uri":"a:{b}"},"argument":{}}"#;
        check("completion/complete", resource, read(&["a:{b}"]));
        for unclear in ["{}", r#"{"ref":{"type":"ref/other"}}"#, r#"{"ref":"p"}"#] {
            check(
                "completion/complete",
                unclear,
                Err(OperationError::InvalidParams),
            );
        }
    }

    #[test]
    fn a_subscription_is_decided_for_each_resource() {
        let two = r#"{"notifications":{"resourceSubscriptions":["a:b","c:d"]}}"#;
        check("subscriptions/listen", two, read(&["a:b", "c:d"]));
        let lists = r#"{"notifications":{"toolsListChanged":true}}"#;
        check("subscriptions/listen", lists, Ok(Operation::UseServer));
        let malformed = r#"{"notifications":{"resourceSubscriptions":"a:b"}}"#;
        check(
            "subscriptions/listen",
            malformed,
            Err(OperationError::InvalidParams),
        );
    }

    /// N-216.
    #[test]
    fn an_unknown_method_is_no_operation() {
        for method in ["tools/call_batch", "tools/Call", "resources", "admin/reset"] {
            check(
                method,
                r#"{"name":"t"}"#,
                Err(OperationError::UnknownMethod),
            );
        }
    }
}
