//! One JSON-RPC message from a client (MCP `basic#messages`; N-214, N-217, N-223).

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::code;
use super::envelope::{self, Envelope, Params};
use super::leaf::Leaf;
use super::target::{self, NamedBy, Target, is_removed};
use super::version::Version;
use crate::json;

/// How deep a body may nest.
pub const MAX_DEPTH: u8 = 64;

/// The id of a request. Fractions, `null` and integers beyond 64 bit are not ids.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Id {
    /// An integer.
    Number(i64),
    /// A text.
    Text(String),
}

/// A request, notification or response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    kind: Kind,
    method: String,
    /// The tool, resource, prompt or task, where the method has one.
    name: Option<String>,
    /// `protocolVersion` of `initialize`.
    requested_version: Option<String>,
    declared_version: Option<String>,
    has_meta: bool,
    has_client_capabilities: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Kind {
    Request(Id),
    Notification,
    Response(Option<Id>),
}

/// Why a body is not a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseFailure {
    /// Not one JSON document in UTF-8.
    #[error("the body is not JSON")]
    Malformed,
    /// An object names a member twice, or in a way that some readers take for the same.
    #[error("the body names a member twice")]
    DuplicateMember,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("the body is nested too deeply")]
    TooDeep,
    /// Several messages in one body.
    #[error("batches are not supported: send one message per request")]
    Batch,
    /// Not a JSON-RPC 2.0 request, notification or response.
    #[error("the body is not one JSON-RPC message")]
    NotAMessage,
    /// `params` is no object, or lacks the name of what the method is about.
    #[error("params are missing or malformed")]
    InvalidParams,
}

/// A body that is not a message: HTTP status 400.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{failure}")]
pub struct ParseError {
    /// What is wrong.
    pub failure: ParseFailure,
    /// The id to answer with, if it could be read.
    pub id: Option<Id>,
}

impl ParseError {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        400
    }

    /// The JSON-RPC code.
    #[must_use]
    pub fn code(&self) -> i32 {
        match self.failure {
            ParseFailure::Batch | ParseFailure::NotAMessage => code::INVALID_REQUEST,
            ParseFailure::InvalidParams => code::INVALID_PARAMS,
            _ => code::PARSE_ERROR,
        }
    }
}

impl Message {
    /// Reads a body in one pass; its size is for the caller to limit.
    ///
    /// # Errors
    /// [`ParseError`], for everything that two readers could understand differently.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let refuse = |failure| ParseError { failure, id: None };
        match envelope::read(body, MAX_DEPTH).map_err(refuse)? {
            Leaf::Object(mut envelope) => {
                let id = envelope.id.take();
                let known = id.as_ref().and_then(as_id);
                Self::from_envelope(envelope, id).map_err(|f| ParseError {
                    failure: f,
                    id: known,
                })
            }
            Leaf::Array => Err(refuse(ParseFailure::Batch)),
            _ => Err(refuse(ParseFailure::NotAMessage)),
        }
    }

    fn from_envelope(envelope: Envelope, id: Option<Leaf>) -> Result<Self, ParseFailure> {
        if text(envelope.jsonrpc).as_deref() != Some("2.0") {
            return Err(ParseFailure::NotAMessage);
        }
        let params = match envelope.params {
            None | Some(Leaf::Null) => Params::default(),
            Some(Leaf::Object(params)) => params,
            Some(_) => return Err(ParseFailure::InvalidParams),
        };
        let is_response = envelope.result.is_some() || envelope.error.is_some();
        match envelope.method {
            None if envelope.result.is_some() != envelope.error.is_some() => {
                Self::response(id.as_ref(), envelope.error.is_some())
            }
            Some(Leaf::Text(method)) if !is_response => Self::call(method, id.as_ref(), params),
            _ => Err(ParseFailure::NotAMessage),
        }
    }

    fn response(id: Option<&Leaf>, is_error: bool) -> Result<Self, ParseFailure> {
        let kind = match id {
            // An error may be about a request whose id could not be read.
            None | Some(Leaf::Null) if is_error => Kind::Response(None),
            id => Kind::Response(Some(id.and_then(as_id).ok_or(ParseFailure::NotAMessage)?)),
        };
        Ok(Self {
            kind,
            method: String::new(),
            name: None,
            requested_version: None,
            declared_version: None,
            has_meta: false,
            has_client_capabilities: false,
        })
    }

    fn call(method: String, id: Option<&Leaf>, params: Params) -> Result<Self, ParseFailure> {
        let kind = match id {
            None => Kind::Notification,
            Some(id) => Kind::Request(as_id(id).ok_or(ParseFailure::NotAMessage)?),
        };
        // A request in the guise of a notification would pass by the rules for requests.
        let has_notification_name = method.starts_with("notifications/");
        if has_notification_name != (kind == Kind::Notification) || method.is_empty() {
            return Err(ParseFailure::NotAMessage);
        }
        let meta = match params.meta {
            None | Some(Leaf::Null) => None,
            Some(Leaf::Object(meta)) => Some(meta),
            Some(_) => return Err(ParseFailure::InvalidParams),
        };
        let has_meta = meta.is_some();
        let meta = meta.unwrap_or_default();
        let declared_version = match meta.protocol_version {
            None => None,
            Some(Leaf::Text(version)) => Some(version),
            Some(_) => return Err(ParseFailure::InvalidParams),
        };
        let name = match NamedBy::of(&method) {
            // The method is gone in the declared version, whatever its parameters were.
            _ if is_gone(&method, declared_version.as_deref()) => None,
            Some(NamedBy::Name) => Some(text(params.name).ok_or(ParseFailure::InvalidParams)?),
            Some(NamedBy::Uri) => Some(text(params.uri).ok_or(ParseFailure::InvalidParams)?),
            Some(NamedBy::TaskId) => Some(text(params.task_id).ok_or(ParseFailure::InvalidParams)?),
            None => None,
        };
        Ok(Self {
            kind,
            name,
            requested_version: text(params.protocol_version).filter(|_| method == "initialize"),
            method,
            declared_version,
            has_meta,
            has_client_capabilities: matches!(meta.client_capabilities, Some(Leaf::Object(()))),
        })
    }

    /// The id of a request or of the request a response answers.
    #[must_use]
    pub fn id(&self) -> Option<&Id> {
        match &self.kind {
            Kind::Request(id) => Some(id),
            Kind::Response(id) => id.as_ref(),
            Kind::Notification => None,
        }
    }

    /// The method; empty for a response.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The tool, resource, prompt or task that the method is about, from the body.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What the message asks for.
    #[must_use]
    pub fn target(&self) -> Target<'_> {
        match &self.kind {
            Kind::Request(_) => target::of_request(&self.method, self.name()),
            Kind::Notification => Target::Notification(&self.method),
            Kind::Response(_) => Target::Response,
        }
    }

    /// Whether an answer is expected.
    #[must_use]
    pub fn is_request(&self) -> bool {
        matches!(self.kind, Kind::Request(_))
    }

    /// Whether no answer is expected.
    #[must_use]
    pub fn is_notification(&self) -> bool {
        self.kind == Kind::Notification
    }

    /// Whether it answers a request of the server.
    #[must_use]
    pub fn is_response(&self) -> bool {
        matches!(self.kind, Kind::Response(_))
    }

    /// The version in `_meta`, as modern requests have it.
    #[must_use]
    pub fn declared_version(&self) -> Option<&str> {
        self.declared_version.as_deref()
    }

    /// The version that `initialize` asks for.
    #[must_use]
    pub fn requested_version(&self) -> Option<&str> {
        self.requested_version.as_deref()
    }

    /// Whether `params._meta` is an object.
    #[must_use]
    pub fn has_meta(&self) -> bool {
        self.has_meta
    }

    /// Whether `_meta` declares the client's capabilities, as modern requests must.
    #[must_use]
    pub fn has_client_capabilities(&self) -> bool {
        self.has_client_capabilities
    }
}

/// Reads the `arguments` of a body that [`Message::parse`] accepted, for the policies and
/// annotations that look at them; a second pass.
///
/// # Errors
/// [`ParseFailure::InvalidParams`] when `arguments` is there but not an object, and what
/// [`Message::parse`] would have refused.
pub fn arguments(body: &[u8]) -> Result<Option<Map<String, Value>>, ParseFailure> {
    let mut message = json::parse_object(body, MAX_DEPTH.into()).map_err(|error| match error {
        json::JsonError::DuplicateMember => ParseFailure::DuplicateMember,
        json::JsonError::TooDeep => ParseFailure::TooDeep,
        json::JsonError::NotAnObject => ParseFailure::NotAMessage,
        _ => ParseFailure::Malformed,
    })?;
    let params = message.get_mut("params").and_then(Value::as_object_mut);
    match params.and_then(|params| params.remove("arguments")) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(arguments)) => Ok(Some(arguments)),
        Some(_) => Err(ParseFailure::InvalidParams),
    }
}

fn text(leaf: Option<Leaf>) -> Option<String> {
    match leaf {
        Some(Leaf::Text(text)) => Some(text),
        _ => None,
    }
}

fn as_id(leaf: &Leaf) -> Option<Id> {
    match leaf {
        Leaf::Integer(number) => Some(Id::Number(*number)),
        Leaf::Text(text) => Some(Id::Text(text.clone())),
        _ => None,
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

fn is_gone(method: &str, declared: Option<&str>) -> bool {
    let version = declared.and_then(Version::parse);
    version.is_some_and(|version| is_removed(method, version))
}
