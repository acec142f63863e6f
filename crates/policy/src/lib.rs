//! Who may do what: one Cedar schema, one decision function.
#![doc = ""]

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
