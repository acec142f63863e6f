//! The audit trail: typed events, appended with what they describe, chained and signed afterwards.
//!
//! An event commits unchained with the transaction it describes ([`append`]) or goes to a bounded
//! journal ([`Journal`], for calls). One [`sealer`] chains the events of each organization in commit
//! order within a second and signs checkpoints; [`verify`] checks a chain without trusting the
//! database (design §4 rule 18 and §10).

mod append;
mod event;

pub use append::append;
pub use event::{Action, Actor, AuditEvent, By, Outcome};
