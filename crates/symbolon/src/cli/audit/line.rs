//! One event as a line for people and as an object for programs.

use serde_json::{Map, Value, json};
use symbolon_storage::audit::Recorded;

/// `time  organization  actor  action  outcome: reason  name=value …`
pub(super) fn text(event: &Recorded) -> String {
    let organization = if event.organization.is_empty() {
        "-"
    } else {
        &event.organization
    };
    let outcome = match &event.reason {
        Some(reason) => format!("{}: {reason}", event.outcome),
        None => event.outcome.clone(),
    };
    let head = [
        &event.at.to_string(),
        organization,
        &event.actor,
        &event.action,
        &outcome,
    ];
    let details = details(event).into_iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    let parts: Vec<String> = head
        .iter()
        .map(ToString::to_string)
        .chain(details)
        .collect();
    // What callers sent ends up here: a line stays one line, and a terminal is not controlled.
    parts
        .join("  ")
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Every column, with the details as an object.
pub(super) fn json(event: &Recorded) -> Value {
    let organization = Some(&event.organization).filter(|id| !id.is_empty());
    json!({
        "at": event.at,
        "organization": organization,
        "actor": event.actor,
        "action": event.action,
        "outcome": event.outcome,
        "reason": event.reason,
        "request_id": event.request_id,
        "details": details(event),
        "position": event.position,
    })
}

/// The details; text that is no object is shown as it is, since it may be what was tampered with.
fn details(event: &Recorded) -> Map<String, Value> {
    serde_json::from_str(&event.details)
        .unwrap_or_else(|_| Map::from_iter([("details".to_owned(), json!(event.details))]))
}

#[cfg(test)]
mod tests {
    use symbolon_protocol::time::Timestamp;

    use super::*;

    fn event(details: &str) -> Recorded {
        Recorded {
            seq: 1,
            organization: "acme".to_owned(),
            at: Timestamp::from_unix_seconds(1_795_201_200),
            actor: "operator/ada".to_owned(),
            action: "access.revoked".to_owned(),
            outcome: "done".to_owned(),
            reason: None,
            request_id: String::new(),
            details: details.to_owned(),
            position: None,
            hash: None,
        }
    }

    #[test]
    fn an_event_is_one_line() {
        let event = event(r#"{"kind":"user"}"#);

        assert_eq!(
            text(&event),
            "2026-11-20T19:00:00Z  acme  operator/ada  access.revoked  done  kind=user"
        );
    }

    #[test]
    fn what_a_caller_sent_controls_no_terminal() {
        let mut event = event("{}");
        event.reason = Some("no client \u{1b}[2J\nnext".to_owned());

        assert!(!text(&event).contains(char::is_control));
    }

    #[test]
    fn details_that_are_no_object_are_shown() {
        assert!(text(&event("tampered")).ends_with("details=tampered"));
    }
}
