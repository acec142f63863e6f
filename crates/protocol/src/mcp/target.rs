//! What a message asks for, as policy sees it.

use super::Version;

/// What a message asks for. Names and URIs come from the body, never from a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Target<'a> {
    /// `initialize`, legacy only.
    Initialize,
    /// `server/discover`, modern only.
    Discover,
    /// `ping`, legacy only.
    Ping,
    /// `tools/list`.
    ToolList,
    /// `tools/call`.
    ToolCall {
        /// The tool.
        name: &'a str,
    },
    /// `resources/list`.
    ResourceList,
    /// `resources/templates/list`.
    ResourceTemplateList,
    /// `resources/read`.
    ResourceRead {
        /// The resource.
        uri: &'a str,
    },
    /// `resources/subscribe` and `resources/unsubscribe`, legacy only.
    ResourceSubscription {
        /// The resource.
        uri: &'a str,
    },
    /// `prompts/list`.
    PromptList,
    /// `prompts/get`.
    PromptGet {
        /// The prompt.
        name: &'a str,
    },
    /// `tasks/get`, `tasks/update`, `tasks/cancel` of the tasks extension.
    Task {
        /// The task.
        id: &'a str,
    },
    /// A notification, by method.
    Notification(&'a str),
    /// An answer to a request of the server, legacy only.
    Response,
    /// Any other request, by method.
    Other(&'a str),
}

/// Which member of `params` names the target of a method.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NamedBy {
    Name,
    Uri,
    TaskId,
}

impl NamedBy {
    pub(super) fn of(method: &str) -> Option<Self> {
        match method {
            "tools/call" | "prompts/get" => Some(Self::Name),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => Some(Self::Uri),
            "tasks/get" | "tasks/update" | "tasks/cancel" => Some(Self::TaskId),
            _ => None,
        }
    }
}

/// The target of a request whose name is there if [`NamedBy`] says that it must be.
pub(super) fn of_request<'a>(method: &'a str, name: Option<&'a str>) -> Target<'a> {
    let name = name.unwrap_or_default();
    match method {
        "initialize" => Target::Initialize,
        "server/discover" => Target::Discover,
        "ping" => Target::Ping,
        "tools/list" => Target::ToolList,
        "tools/call" => Target::ToolCall { name },
        "resources/list" => Target::ResourceList,
        "resources/templates/list" => Target::ResourceTemplateList,
        "resources/read" => Target::ResourceRead { uri: name },
        "resources/subscribe" | "resources/unsubscribe" => {
            Target::ResourceSubscription { uri: name }
        }
        "prompts/list" => Target::PromptList,
        "prompts/get" => Target::PromptGet { name },
        "tasks/get" | "tasks/update" | "tasks/cancel" => Target::Task { id: name },
        other => Target::Other(other),
    }
}

/// Whether `version` removed a request that earlier ones had (RS-71).
pub(super) fn is_removed(method: &str, version: Version) -> bool {
    let removed = matches!(
        method,
        "initialize"
            | "ping"
            | "logging/setLevel"
            | "resources/subscribe"
            | "resources/unsubscribe"
    );
    version.is_modern() && removed
}
