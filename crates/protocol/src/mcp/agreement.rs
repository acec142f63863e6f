//! Whether headers and body of a request say the same, and which version it speaks
//! (requirements RS-63 to RS-71, RS-83 to RS-85; N-206 to N-217, N-222).

use serde_json::{Value, json};

use super::headers::{Field, Headers, decoded, plain};
use super::message::{Id, Message};
use super::target::is_removed;
use super::{ErrorResponse, Version, code};

/// The longest version that an answer repeats, in characters.
const MAX_ECHO: usize = 64;

/// A refused request: the HTTP status and the JSON-RPC error to answer with.
#[derive(Clone, Debug, PartialEq)]
pub struct Disagreement {
    /// The HTTP status.
    pub status: u16,
    /// The JSON-RPC code.
    pub code: i32,
    /// The public text.
    pub message: &'static str,
    /// The `data` member.
    pub data: Option<Value>,
}

impl Disagreement {
    fn of(code: i32, message: &'static str) -> Self {
        let status = if code == code::METHOD_NOT_FOUND {
            404
        } else {
            400
        };
        Self {
            status,
            code,
            message,
            data: None,
        }
    }

    pub(super) fn mismatch(message: &'static str) -> Self {
        Self::of(code::HEADER_MISMATCH, message)
    }

    /// RS-64: names what is supported, so that the client can try again.
    fn unsupported(requested: &str, supported: &[Version]) -> Self {
        let supported: Vec<_> = supported.iter().map(|version| version.as_str()).collect();
        let requested: String = requested.chars().take(MAX_ECHO).collect();
        let data = json!({ "supported": supported, "requested": requested });
        let refused = Self::of(
            code::UNSUPPORTED_PROTOCOL_VERSION,
            "Unsupported protocol version",
        );
        Self {
            data: Some(data),
            ..refused
        }
    }

    /// The body of the answer.
    #[must_use]
    pub fn response<'a>(&'a self, id: Option<&'a Id>) -> ErrorResponse<'a> {
        ErrorResponse::new(id, self.code, self.message, self.data.as_ref())
    }
}

/// Finds the version of a message and checks everything that version mirrors into headers.
///
/// `supported` are the versions served here. `session` is the version negotiated for the legacy
/// session of the request, if the caller knows it: it stands in for a missing version header.
///
/// # Errors
/// [`Disagreement`]: −32020 for a header that is missing, repeated, malformed or different from the
/// body, −32022 for an unsupported version, −32602 for a modern request without its metadata,
/// −32600 for a response in a version that has none, −32601 for a method the version removed.
pub fn agree(
    headers: &Headers<'_>,
    message: &Message,
    supported: &[Version],
    session: Option<Version>,
) -> Result<Version, Disagreement> {
    let version = version(headers, message, supported, session)?;
    if version.is_modern() {
        check_modern(message)?;
    }
    // Legacy versions know neither header. One that lies is refused nevertheless: something behind
    // us may believe it (N-222).
    let is_required = version.is_modern() && message.is_request();
    check_method(headers.method, message, is_required)?;
    check_name(headers.name, message, is_required)?;
    if is_removed(message.method(), version) {
        return Err(Disagreement::of(code::METHOD_NOT_FOUND, "Method not found"));
    }
    Ok(version)
}

fn version(
    headers: &Headers<'_>,
    message: &Message,
    supported: &[Version],
    session: Option<Version>,
) -> Result<Version, Disagreement> {
    let header = match headers.protocol_version {
        Field::Absent => None,
        Field::Once(value) => Some(plain(value).ok_or(Disagreement::mismatch(
            "MCP-Protocol-Version header has invalid characters",
        ))?),
        Field::Repeated => {
            return Err(Disagreement::mismatch(
                "MCP-Protocol-Version header is repeated",
            ));
        }
    };
    let missing = Disagreement::mismatch("MCP-Protocol-Version header is missing");
    match (header, message.declared_version()) {
        (Some(header), Some(declared)) if header != declared => Err(Disagreement::mismatch(
            "MCP-Protocol-Version header does not match request body",
        )),
        (None, Some(_)) => Err(missing),
        (Some(header), _) => Version::parse(header)
            .filter(|version| supported.contains(version))
            .ok_or_else(|| Disagreement::unsupported(header, &usable(message, supported))),
        (None, None) if message.method() == "initialize" => negotiated(message, supported),
        (None, None) => {
            let oldest = supported
                .contains(&Version::V2025_03_26)
                .then_some(Version::V2025_03_26);
            session
                .or(oldest)
                .filter(|version| !version.is_modern())
                .ok_or(missing)
        }
    }
}

/// The versions with which this request can be tried again: a request that declares its version in
/// `_meta` is a modern one, and legacy versions begin with `initialize`.
fn usable(message: &Message, supported: &[Version]) -> Vec<Version> {
    let is_modern = message.declared_version().is_some();
    let fits = |version: &Version| !is_modern || version.is_modern();
    supported.iter().copied().filter(fits).collect()
}

/// The legacy version that `initialize` asks for, or the newest one we could offer instead.
fn negotiated(message: &Message, supported: &[Version]) -> Result<Version, Disagreement> {
    let requested = message.requested_version().unwrap_or_default();
    let legacy = || {
        supported
            .iter()
            .copied()
            .filter(|version| !version.is_modern())
    };
    legacy()
        .find(|version| version.as_str() == requested)
        .or_else(|| legacy().max())
        .ok_or_else(|| Disagreement::unsupported(requested, supported))
}

/// RS-60, RS-69.
fn check_modern(message: &Message) -> Result<(), Disagreement> {
    if message.is_response() {
        let text = "responses are not accepted in this protocol version";
        return Err(Disagreement::of(code::INVALID_REQUEST, text));
    }
    if message.is_notification() {
        return Ok(());
    }
    let invalid = |text| Err(Disagreement::of(code::INVALID_PARAMS, text));
    if message.declared_version().is_none() {
        return invalid("_meta io.modelcontextprotocol/protocolVersion is missing");
    }
    if !message.has_client_capabilities() {
        return invalid("_meta io.modelcontextprotocol/clientCapabilities is missing");
    }
    Ok(())
}

/// RS-65, N-208; on notifications and in legacy versions only if present.
fn check_method(
    field: Field<'_>,
    message: &Message,
    is_required: bool,
) -> Result<(), Disagreement> {
    match field {
        Field::Absent if is_required => Err(Disagreement::mismatch("Mcp-Method header is missing")),
        Field::Absent => Ok(()),
        Field::Once(value) if plain(value) == Some(message.method()) => Ok(()),
        Field::Once(_) => Err(Disagreement::mismatch(
            "Mcp-Method header does not match request body",
        )),
        Field::Repeated => Err(Disagreement::mismatch("Mcp-Method header is repeated")),
    }
}

/// RS-65, RS-66, N-209 to N-211. A name beside a method that has none says nothing and is ignored.
fn check_name(field: Field<'_>, message: &Message, is_required: bool) -> Result<(), Disagreement> {
    match (field, message.name()) {
        (Field::Repeated, _) => Err(Disagreement::mismatch("Mcp-Name header is repeated")),
        (Field::Absent, Some(_)) if is_required => {
            Err(Disagreement::mismatch("Mcp-Name header is missing"))
        }
        (Field::Once(value), Some(name)) if decoded(value).as_deref() != Some(name) => Err(
            Disagreement::mismatch("Mcp-Name header does not match request body"),
        ),
        _ => Ok(()),
    }
}
