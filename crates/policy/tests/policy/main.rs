//! What the policy engine promises, asked through its public functions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arguments;
mod assignments;
mod decisions;
mod explanations;
mod isolation;
mod manual;
mod problems;
mod scale;
mod step_up;
mod unknown_facts;
mod whole_set;
mod world;
