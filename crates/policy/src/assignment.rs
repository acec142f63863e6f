//! What an assignment implies, as Cedar.
//!
//! Up to three permits, one for each kind of step: `#grant` (the ID-JAG and the access token, for
//! its scopes), `#call` (listing and calling tools) and `#read` (resources and prompts).
//!
//! An assignment with `tools` opens exactly those, and neither resources nor prompts.
//!
//! An assignment without `tools` opens the tools that need no scope beyond its own, provided that
//! the token carries what they need: a token that was widened by another assignment does not widen
//! this one.

mod principals;

use std::collections::BTreeSet;

use cedar_policy::EntityUid;
use symbolon_protocol::ids::{ClientId, ConnectionId, ServerId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::time::Timestamp;

use crate::entity;
use crate::input::{AssignmentInput, AssignmentTarget, Who};
use crate::offer::{ForeignResource, Offers, Server};
use crate::permit::{Opens, Permit, set};
use crate::request::Action;
use crate::statement::Statement;

/// Compiles an assignment.
///
/// # Errors
/// Each thing it names that does not exist or is ambiguous, with the choices.
pub(crate) fn compile(
    assignment: &AssignmentInput,
    offers: &Offers,
    connections: &[ConnectionId],
) -> Result<Vec<Statement>, Vec<String>> {
    let compiler = Compiler { assignment, offers };
    let principals = principals::resolve(assignment, offers, connections);
    let limits = compiler.limits();
    let steps = compiler.steps();
    match (principals, limits, steps) {
        (Ok(principals), Ok(limits), Ok(steps)) => {
            let permits = steps.into_iter().map(|step| {
                let id = format!("assignment:{}#{}", assignment.id, step.name);
                let conditions = step.condition.into_iter().chain(limits.clone()).collect();
                let (actions, opens) = (step.actions, step.opens);
                Permit {
                    id,
                    principals: &principals,
                    actions,
                    opens,
                    conditions,
                }
            });
            Ok(permits
                .map(|permit| Statement::of_permit(&permit))
                .collect())
        }
        (principals, limits, steps) => {
            let problems = [principals.err(), limits.err(), steps.err()];
            Err(problems.into_iter().flatten().flatten().collect())
        }
    }
}

/// What one of the permits has for itself.
struct Step {
    name: &'static str,
    actions: &'static [Action],
    opens: Opens,
    condition: Option<String>,
}

struct Compiler<'a> {
    assignment: &'a AssignmentInput,
    offers: &'a Offers,
}

impl Compiler<'_> {
    /// Conditions on client and time, which every permit of the assignment has.
    fn limits(&self) -> Result<Vec<String>, Vec<String>> {
        let mut limits = Vec::new();
        if let Some(ids) = &self.assignment.clients {
            let clients = set(&self.clients(ids)?);
            limits.push(format!("context has client && context.client in {clients}"));
        }
        if let Some(until) = self.assignment.until {
            // Whole seconds: rounding down ends an assignment early, never late.
            let until = Timestamp::from_unix_seconds(until.unix_seconds());
            limits.push(format!("context.now < datetime(\"{until}\")"));
        }
        Ok(limits)
    }

    /// A client's registrations: it may be known at the `as`, at the `idp`, or at both.
    fn clients(&self, ids: &[ClientId]) -> Result<Vec<EntityUid>, Vec<String>> {
        let organization = &self.assignment.organization;
        let issuers = [IssuerRole::As, IssuerRole::Idp(organization.clone())];
        let mut problems = Vec::new();
        let mut clients = Vec::new();
        for id in ids {
            let before = clients.len();
            clients.extend(issuers.iter().filter_map(|issuer| {
                self.offers
                    .client(organization, issuer, id)
                    .map(|_| entity::client(issuer, id))
            }));
            if clients.len() == before {
                problems.push(format!("client {id} is not offered to {organization}"));
            }
        }
        if ids.is_empty() {
            problems.push("clients is empty: leave it out to allow any client".to_owned());
        }
        if problems.is_empty() {
            Ok(clients)
        } else {
            Err(problems)
        }
    }

    fn steps(&self) -> Result<Vec<Step>, Vec<String>> {
        let organization = &self.assignment.organization;
        match &self.assignment.target {
            AssignmentTarget::Server(id) => match self.offers.server(organization, id) {
                Some(server) => self.server_steps(id, server),
                None => Err(vec![format!(
                    "mcp server {id} is not offered to {organization}"
                )]),
            },
            AssignmentTarget::Resource(resource) => {
                let foreign = self
                    .offers
                    .foreign(organization, resource)
                    .collect::<Vec<_>>();
                self.foreign_steps(resource, &foreign)
            }
        }
    }

    fn server_steps(&self, id: &ServerId, server: &Server) -> Result<Vec<Step>, Vec<String>> {
        self.check_scopes(id.as_str(), |scope| server.has_scope(scope))?;
        let scopes = self
            .assignment
            .scopes
            .iter()
            .flat_map(|scope| server.implied(scope));
        let scopes = scopes.collect::<BTreeSet<_>>();
        let entities = scopes
            .iter()
            .map(|scope| entity::scope(id, scope))
            .collect::<Vec<_>>();
        let inside = Opens::In(entity::server(id));
        let grant = (!scopes.is_empty()).then(|| Step {
            name: "grant",
            actions: match self.assignment.who {
                // An ID-JAG is about a person.
                Who::Services(_) => &[Action::GrantAccess],
                _ => &[Action::IssueIdJag, Action::GrantAccess],
            },
            opens: inside.clone(),
            condition: Some(format!("resource in {}", set(&entities))),
        });
        let call = self.tools(id, &scopes).map(|condition| Step {
            name: "call",
            actions: &[Action::ListTool, Action::CallTool],
            opens: inside,
            condition: Some(condition),
        });
        // An assignment that lists its tools opens these and nothing beside them.
        let read = self.assignment.tools.is_none().then(|| Step {
            name: "read",
            actions: &[Action::ReadResource, Action::GetPrompt],
            opens: Opens::Only(entity::server(id)),
            condition: None,
        });
        Ok(grant.into_iter().chain(call).chain(read).collect())
    }

    /// The condition on tools; `None` where there is none to open.
    fn tools(&self, id: &ServerId, scopes: &BTreeSet<&str>) -> Option<String> {
        match &self.assignment.tools {
            Some(names) if names.is_empty() => None,
            Some(names) => {
                let tools = names
                    .iter()
                    .map(|name| entity::tool(id, name))
                    .collect::<Vec<_>>();
                Some(format!("resource in {}", set(&tools)))
            }
            None => Some(within(scopes)),
        }
    }

    /// Access to a foreign resource is decided when the ID-JAG is issued; the rest is theirs.
    fn foreign_steps(
        &self,
        resource: &str,
        foreign: &[&ForeignResource],
    ) -> Result<Vec<Step>, Vec<String>> {
        if foreign.is_empty() {
            let message = "is not listed by any resource authorization server of the organization";
            return Err(vec![format!("resource {resource:?} {message}")]);
        }
        if let Who::Services(_) = self.assignment.who {
            return Err(vec![
                "services cannot reach a resource authorization server".to_owned(),
            ]);
        }
        self.check_scopes(resource, |scope| {
            foreign
                .iter()
                .any(|one| one.scopes.iter().any(|own| own == scope))
        })?;
        let scopes = self.assignment.scopes.iter();
        let scopes: Vec<_> = scopes
            .map(|name| entity::foreign_scope(resource, name))
            .collect();
        let grant = (!scopes.is_empty()).then_some(Step {
            name: "grant",
            actions: &[Action::IssueIdJag],
            opens: Opens::Scopes(scopes),
            condition: None,
        });
        Ok(grant.into_iter().collect())
    }

    fn check_scopes(&self, at: &str, exists: impl Fn(&str) -> bool) -> Result<(), Vec<String>> {
        let unknown = self.assignment.scopes.iter().filter(|scope| !exists(scope));
        let problems: Vec<_> = unknown
            .map(|scope| format!("scope {scope:?} does not exist at {at}"))
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }
}

/// The condition for tools that need no scope beyond these.
fn within(scopes: &BTreeSet<&str>) -> String {
    if scopes.is_empty() {
        return "context.scopes_sufficient && resource.scopes.isEmpty()".to_owned();
    }
    let names = scopes
        .iter()
        .map(|scope| format!("\"{}\"", scope.escape_debug()));
    let names = names.collect::<Vec<_>>().join(", ");
    format!("context.scopes_sufficient && [{names}].containsAll(resource.scopes)")
}
