//! Who may do what: one Cedar schema, one decision function.
//!
//! The paved path: build an [`Engine`] from a [`PolicyInput`], ask it a [`Request`], act on
//! [`Decision::Allow`] and on nothing else. `docs/policy.md` is the guide for administrators.
//!
//! What is guaranteed (design §4 rules 2 and 10 to 13):
//! - What nobody allows is denied; a forbid wins; a policy that cannot be evaluated denies.
//! - Owner and offer are checked in code before any policy is asked. An organization's policies are
//!   asked about its own principals only, and cannot grant `administer`.
//! - A fact that a policy needs and nobody knows denies.
//! - Only policies that can matter are evaluated, with the same answer as all of them.

mod arguments;
mod assignment;
mod case;
mod context;
mod decide;
mod decision;
mod depth;
mod engine;
mod entity;
mod explain;
mod facts;
mod input;
mod names;
mod offer;
mod permit;
mod principal;
mod problem;
mod reads;
mod remembered;
mod request;
mod resource;
mod schema;
mod scope;
mod set;
mod slice;
mod statement;
mod step_up;

pub use decision::{Decision, DenyReason, UnknownFact};
pub use engine::Engine;
pub use explain::{Examination, Examined, Explanation, PolicyEffect};
pub use input::{
    AssignmentInput, AssignmentTarget, ClientInput, ForeignResourceInput, OfferInput,
    OrganizationInput, PolicyInput, PolicyText, ServerInput, Who,
};
pub use problem::PolicyProblem;
pub use request::{Action, Context, Groups, Principal, Request, Resource, Target};
pub use schema::SCHEMA;
pub use set::{Compiled, Origin};
