//! The session of a legacy request (requirements RS-80, RS-81, N-217, N-219).
//!
//! A session is no authentication: the token was checked before, and the session must be its own.

use http::HeaderValue;
use symbolon_protocol::mcp::{Id, Message, Version};

use crate::call::Call;
use crate::fault::Fault;
use crate::headers::MCP_SESSION_ID;
use crate::message_fault::{session_required, unknown_session};

/// A legacy session, under both of its names.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The upstream's.
    pub(crate) upstream: String,
    /// The client's.
    pub(crate) presented: HeaderValue,
}

impl Call<'_> {
    /// The session of a message; modern ones have none, whatever their headers say (RS-73).
    ///
    /// Without one the upstream answers as its rules want, except for a response, which can belong
    /// to a session only.
    ///
    /// # Errors
    /// 404 for a session that is not the caller's, 400 for a response without one.
    pub(crate) fn session_of(
        &self,
        message: &Message,
        version: Version,
    ) -> Result<Option<Session>, Fault> {
        if version.is_modern() {
            return Ok(None);
        }
        let session = self.open_session(message.id())?;
        match session.is_none() && message.is_response() {
            true => Err(session_required(message.id())),
            false => Ok(session),
        }
    }

    /// The session that the request names; `None` if it names none.
    ///
    /// # Errors
    /// 404 for one that does not open for this caller: guessed, stolen, or sealed under an old key.
    pub(crate) fn open_session(&self, id: Option<&Id>) -> Result<Option<Session>, Fault> {
        let mut presented = self.parts.headers.get_all(MCP_SESSION_ID).iter();
        let opened = match (presented.next(), presented.next()) {
            (None, _) => return Ok(None),
            (Some(presented), None) => self.open(presented),
            (Some(_), Some(_)) => None,
        };
        let reason = "the session is unknown or belongs to another caller";
        opened.map_or_else(
            || self.refuse(unknown_session(id), reason),
            |opened| Ok(Some(opened)),
        )
    }

    fn open(&self, presented: &HeaderValue) -> Option<Session> {
        let sessions = &self.gateway.sessions;
        let upstream = sessions.open(presented.to_str().ok()?, self.caller.session_owner())?;
        Some(Session {
            upstream,
            presented: presented.clone(),
        })
    }
}
