//! The audit trail: typed events, appended with what they describe, chained and signed afterwards.
//!
//! An event commits unchained with the transaction it describes ([`append`]) or goes to a bounded
//! journal ([`Journal`], for calls). One [`sealer`] chains the events of each organization in commit
//! order within a second and signs checkpoints; [`verify`] checks a chain without trusting the
//! database (design §4 rule 18 and §10).

mod aggregate;
mod append;
mod chain;
mod checkpoint;
mod event;
mod journal;
mod list;
pub mod sealer;
#[cfg(test)]
mod tests;
mod verify;

pub use aggregate::StrangerFailures;
pub use append::append;
pub use chain::Recorded;
pub use checkpoint::Checkpoint;
pub use event::{Action, Actor, AuditEvent, By, Outcome};
pub use journal::{CAPACITY, Journal, JournalFull};
pub use list::{Filter, Page, Scope, list};
pub use verify::{Fault, Report, Verifier, verify};
