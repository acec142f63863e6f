//! Which version a request speaks, and whether its headers say what its body says (requirements
//! RS-63 to RS-68, RS-83 to RS-85).

use http::HeaderMap;
use symbolon_protocol::mcp::{
    Headers, Message, ParseError, Target, Version, agree, agree_parameters, arguments,
};

use crate::call::Call;
use crate::fault::Fault;
use crate::headers::MCP_SESSION_ID;
use crate::message_fault::disagreement;

/// Versions that are served, the oldest first.
const SUPPORTED: [Version; 3] = [
    Version::V2025_06_18,
    Version::V2025_11_25,
    Version::V2026_07_28,
];

/// What a session without a version header speaks: which legacy version makes no difference here.
const OF_A_SESSION: Version = Version::V2025_06_18;

impl Call<'_> {
    /// The version of a message whose headers agree with it. `body` is what it was read from.
    ///
    /// # Errors
    /// 400 or 404 as a JSON-RPC error.
    pub(crate) fn agree(&self, message: &Message, body: &[u8]) -> Result<Version, Fault> {
        let refused = |error| disagreement(&error, message.id());
        let headers = mirrored(&self.parts.headers);
        let session = self.parts.headers.get(MCP_SESSION_ID).map(|_| OF_A_SESSION);
        let version = agree(&headers, message, &SUPPORTED, session).map_err(refused)?;
        if version.is_modern()
            && let Target::ToolCall { name } = message.target()
            && let Some(annotated) = self.gateway.parameters.of(&self.server.id, name)
        {
            let id = || message.id().cloned();
            let arguments = arguments(body).map_err(|failure| ParseError { failure, id: id() })?;
            agree_parameters(&headers, &annotated, arguments.as_ref()).map_err(refused)?;
        }
        Ok(version)
    }

    /// The version of a request that only legacy versions have.
    ///
    /// # Errors
    /// 405, as a modern server answers (RS-73, N-218).
    pub(crate) fn legacy_version(&self) -> Result<Version, Fault> {
        let headers = &self.parts.headers;
        let mut named = headers.get_all("mcp-protocol-version").iter();
        let version = match (named.next(), named.next()) {
            (None, _) => headers.get(MCP_SESSION_ID).map(|_| OF_A_SESSION),
            (Some(version), None) => version.to_str().ok().and_then(Version::parse),
            (Some(_), Some(_)) => None,
        };
        let is_legacy = |version: &Version| SUPPORTED.contains(version) && !version.is_modern();
        version
            .filter(is_legacy)
            .ok_or_else(|| Fault::method_not_allowed("POST"))
    }
}

fn mirrored(headers: &HeaderMap) -> Headers<'_> {
    Headers::read(
        headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes())),
    )
}
