//! One audit event for each call, by way of the journal (design §4 rule 18, §10).
//!
//! The event is in the journal before anything is forwarded: a call that could not be recorded does
//! not happen. It says who, through which client, asked what of which server, what policy answered
//! and by which policies, and which token and grant stand behind it; never arguments or answers.

use symbolon_protocol::time::Timestamp;
use symbolon_storage::audit::{Action, AuditEvent, By, Journal, JournalFull, Outcome};

use crate::authorize::{Allowed, Denied};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::operation::Operation;

/// A call through the gateway.
const MCP_CALL: Action = Action::named("mcp.call");

/// What is recorded of a call, whatever the answer.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    /// Who calls, and with which token.
    pub(crate) caller: &'a Caller,
    /// The method of the message, or of the HTTP request where it has none.
    pub(crate) method: &'a str,
    /// The request id, also in the log and the answer.
    pub(crate) request_id: &'a str,
    /// When.
    pub(crate) at: Timestamp,
}

impl Record<'_> {
    /// Records that an operation was allowed.
    ///
    /// # Errors
    /// 503: do not forward.
    pub(crate) fn allowed(
        &self,
        journal: &Journal,
        operation: &Operation<'_>,
        allowed: Allowed,
    ) -> Result<(), Fault> {
        let event = about(self.event(), operation).with("policies", allowed.policies);
        written(journal.push(event.outcome(Outcome::Allowed)))
    }

    /// Records that an operation was denied, with the status the caller sees.
    ///
    /// # Errors
    /// 503 in place of the denial.
    pub(crate) fn denied(
        &self,
        journal: &Journal,
        operation: &Operation<'_>,
        denied: Denied,
    ) -> Result<(), Fault> {
        let event = about(self.event(), operation)
            .with("status", denied.refusal().status())
            .with("policies", denied.policies);
        written(journal.push(event.outcome(Outcome::Denied {
            reason: denied.reason,
        })))
    }

    /// Records that a call was refused before it could be decided.
    ///
    /// # Errors
    /// 503 in place of the refusal.
    pub(crate) fn refused(
        &self,
        journal: &Journal,
        fault: &Fault,
        reason: &str,
    ) -> Result<(), Fault> {
        let event = self.event().with("status", fault.status().as_u16());
        written(journal.push(event.outcome(Outcome::Denied {
            reason: reason.to_owned(),
        })))
    }

    fn event(&self) -> AuditEvent {
        let token = self.caller.token();
        let by = By {
            actor: self.caller.actor(),
            request_id: self.request_id.to_owned(),
        };
        let mut event = AuditEvent::new(MCP_CALL, &by, self.at)
            .of(&token.organization)
            .with("server", token.server.as_str())
            .with("method", self.method)
            .with_text("scopes", &token.scopes);
        let named = [
            ("user", self.caller.user().map(AsRef::as_ref)),
            ("client", token.client.as_ref().map(AsRef::as_ref)),
            ("jti", token.jti.as_deref()),
            ("grant", token.grant.as_ref().map(AsRef::as_ref)),
            ("session", token.session.as_ref().map(AsRef::as_ref)),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                event = event.with(name, value);
            }
        }
        event
    }
}

fn about(event: AuditEvent, operation: &Operation<'_>) -> AuditEvent {
    match operation {
        Operation::CallTool(name) => event.with("tool", *name),
        Operation::ReadResources(uris) => event.with("uris", uris.as_slice()),
        Operation::GetPrompt(name) => event.with("prompt", name.as_str()),
        Operation::UseServer => event,
    }
}

fn written(pushed: Result<(), JournalFull>) -> Result<(), Fault> {
    pushed.map_err(|full| {
        Fault::unavailable("the audit trail does not keep up: try again").because(full)
    })
}
