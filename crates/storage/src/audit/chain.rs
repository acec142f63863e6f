//! The chain: each event's hash covers the event and the hash before it.
//!
//! The hash at a position is SHA-256 over, in this order:
//!
//! | bytes | what |
//! | --- | --- |
//! | ASCII | `symbolon audit event 1` |
//! | 32 | the hash at the position before; at position 1 the beginning of the chain |
//! | 8 | position, unsigned, big endian |
//! | text | organization; empty for the deployment |
//! | 8 | time, microseconds since 1970 UTC, signed, big endian |
//! | text | actor |
//! | text | action |
//! | text | outcome: `allowed`, `denied` or `done` |
//! | 1 | `01` when a reason follows, `00` when there is none |
//! | text | the reason, only when there is one |
//! | text | request id |
//! | text | details: the JSON text exactly as it is stored |
//!
//! A text is its length in bytes (4 bytes, big endian) and then its UTF-8. The beginning of a chain is
//! SHA-256 over `symbolon audit chain 1`, then the deployment's id and the organization as texts: the
//! chain of one deployment or organization cannot stand in for another's.

use symbolon_protocol::digest::sha256;
use symbolon_protocol::time::Timestamp;

use crate::StorageError;
use crate::engine::{Record, Row};

const EVENT: &[u8] = b"symbolon audit event 1";
const BEGINNING: &[u8] = b"symbolon audit chain 1";

/// An event as it is stored: what the chain covers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recorded {
    /// Order of arrival; not covered by the chain.
    pub seq: i64,
    /// Whose chain it belongs to; empty for the deployment's own.
    pub organization: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// `allowed`, `denied` or `done`.
    pub outcome: String,
    /// Why it was denied.
    pub reason: Option<String>,
    /// The request it happened in.
    pub request_id: String,
    /// Everything else, as JSON text.
    pub details: String,
    /// Position in the chain, from 1; `None` until it is chained.
    pub position: Option<i64>,
    /// Hash at that position.
    pub hash: Option<Vec<u8>>,
}

impl Record for Recorded {
    fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            seq: row.get("seq")?,
            organization: row.get("organization")?,
            at: row.get("at")?,
            actor: row.get("actor")?,
            action: row.get("action")?,
            outcome: row.get("outcome")?,
            reason: row.get("reason")?,
            request_id: row.get("request_id")?,
            details: row.get("details")?,
            position: row.get("position")?,
            hash: row.get("hash")?,
        })
    }
}

/// The hash before position 1.
pub(super) fn beginning(deployment: &str, organization: &str) -> [u8; 32] {
    let mut bytes = BEGINNING.to_vec();
    text(&mut bytes, deployment);
    text(&mut bytes, organization);
    sha256(&bytes)
}

/// The hash of an event at a position, given the hash before it.
pub(super) fn hash(before: &[u8; 32], position: i64, event: &Recorded) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(256 + event.details.len());
    bytes.extend(EVENT);
    bytes.extend(before);
    bytes.extend(position.to_be_bytes());
    text(&mut bytes, &event.organization);
    bytes.extend(event.at.micros().to_be_bytes());
    text(&mut bytes, &event.actor);
    text(&mut bytes, &event.action);
    text(&mut bytes, &event.outcome);
    match &event.reason {
        Some(reason) => {
            bytes.push(1);
            text(&mut bytes, reason);
        }
        None => bytes.push(0),
    }
    text(&mut bytes, &event.request_id);
    text(&mut bytes, &event.details);
    sha256(&bytes)
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u32).to_be_bytes());
    bytes.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Recorded {
        Recorded {
            seq: 9,
            organization: "acme".into(),
            at: Timestamp::from_micros(1),
            actor: "user/ada".into(),
            action: "tool.called".into(),
            outcome: "denied".into(),
            reason: Some("no policy".into()),
            request_id: "r1".into(),
            details: "{}".into(),
            position: None,
            hash: None,
        }
    }

    #[test]
    fn the_hash_covers_every_field() {
        let before = beginning("d", "acme");
        let original = hash(&before, 1, &event());
        let changes: [fn(&mut Recorded); 8] = [
            |e| e.organization = "beta".into(),
            |e| e.at = Timestamp::from_micros(2),
            |e| e.actor = "user/bob".into(),
            |e| e.action = "tool.listed".into(),
            |e| e.outcome = "allowed".into(),
            |e| e.reason = None,
            |e| e.request_id = "r2".into(),
            |e| e.details = "{ }".into(),
        ];
        for change in changes {
            let mut changed = event();
            change(&mut changed);
            assert_ne!(hash(&before, 1, &changed), original, "{changed:?}");
        }
        assert_ne!(hash(&before, 2, &event()), original);
        assert_ne!(hash(&beginning("e", "acme"), 1, &event()), original);
        assert_ne!(beginning("d", "acme"), beginning("da", "cme"));
    }

    #[test]
    fn the_encoding_does_not_change() {
        // An independent implementation of the table above gave this value.
        let found = hash(&beginning("deployment", "acme"), 1, &event());
        assert_eq!(
            symbolon_protocol::digest::base64url(&found),
            "Mnced_yjWaw5Dw5_P7kvvtusEWuB3Htv_bd-caMZEkQ"
        );
    }
}
