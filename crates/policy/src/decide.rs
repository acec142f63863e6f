//! The one function that says yes (design §4 rule 2).
//!
//! Order: does the organization exist, are client and resource offered to it, which policies can
//! matter, are their facts known, what do they say, would another sign-in help.

use crate::case::{self, Case};
use crate::decision::{Decision, DenyReason, UnknownFact};
use crate::engine::Engine;
use crate::principal::Asker;
use crate::reads::Reads;
use crate::remembered::Key;
use crate::request::{Principal, Request, Resource};
use crate::resource::Offered;
use crate::set::PolicyBook;
use crate::statement::{Ready, Statement};
use crate::step_up;

/// Policies named in a denial for want of a fact, at most.
const MAX_NAMED: usize = 8;

impl Engine {
    /// Decides a request. Whatever is not explicitly allowed is denied.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        match self.open(request) {
            Ok((book, asker)) => self.decide_for(book, &asker, request),
            Err(reason) => Decision::deny(reason),
        }
    }

    /// Decides the same request for several tools of one server, as when a list is filtered.
    ///
    /// `request` names the server in its resource; a tool named there is ignored. A tool that
    /// would need another sign-in is not allowed.
    #[must_use]
    pub fn decide_tools(&self, request: &Request<'_>, names: &[&str]) -> Vec<bool> {
        let (Resource::Tool { server, .. } | Resource::Server { server, .. }) = request.resource
        else {
            return vec![false; names.len()];
        };
        let Ok((book, asker)) = self.open(request) else {
            return vec![false; names.len()];
        };
        let is_allowed = |name: &&str| {
            let request = Request {
                resource: Resource::Tool { server, name },
                ..*request
            };
            self.decide_for(book, &asker, &request).is_allow()
        };
        names.iter().map(is_allowed).collect()
    }

    /// The policies that decide for the organization, and the principal as they see it.
    pub(crate) fn open<'a>(
        &'a self,
        request: &Request<'a>,
    ) -> Result<(&'a PolicyBook, Asker<'a>), DenyReason> {
        let organization = request.organization;
        let book = self.books.get(organization);
        let book = book.ok_or_else(|| DenyReason::UnknownOrganization(organization.clone()))?;
        if book.is_unreadable {
            return Err(DenyReason::Unreadable(organization.clone()));
        }
        self.offers.admit_clients(request)?;
        Ok((book, Asker::new(request, &self.offers, &book.index)))
    }

    fn decide_for(&self, book: &PolicyBook, asker: &Asker<'_>, request: &Request<'_>) -> Decision {
        let resource = match Offered::find(&self.offers, request) {
            Ok(resource) => resource,
            Err(reason) => return Decision::deny(reason),
        };
        let slice = match slice(book, asker, request, &resource) {
            Ok(slice) => slice,
            Err(denied) => return denied,
        };
        if slice.is_empty() {
            return Decision::deny(DenyReason::NothingAllows);
        }
        if case::reads(&slice).intersects(Reads::VOLATILE) {
            return evaluate(asker, request, &resource, slice);
        }
        let key = Key::of(request, asker, &resource);
        if let Some(known) = self.remembered.find(&key) {
            return known;
        }
        let decision = evaluate(asker, request, &resource, slice);
        self.remembered.insert(key, &decision);
        decision
    }
}

/// The policies that can matter. If it is not known which groups the principal is in, it may be in
/// any of them.
pub(crate) fn candidates<'a>(
    book: &'a PolicyBook,
    asker: &Asker<'_>,
    request: &Request<'_>,
    resource: &Offered<'_>,
) -> Vec<&'a Statement> {
    let keys = book.index.keys(resource.kind(), &resource.path);
    let mut numbers = book.index.slice(&asker.keys, request.action, &keys);
    if asker.has_unknown_groups {
        numbers.extend(book.index.for_groups(request.action, &keys));
        numbers.sort_unstable();
        numbers.dedup();
    }
    numbers
        .into_iter()
        .map(|number| &book.statements[number])
        .collect()
}

/// The same, ready to be evaluated: none of them depends on groups that are unknown.
///
/// # Errors
/// [`DenyReason::UnknownFacts`] with the policies that do.
pub(crate) fn slice<'a>(
    book: &'a PolicyBook,
    asker: &Asker<'_>,
    request: &Request<'_>,
    resource: &Offered<'_>,
) -> Result<Vec<Ready<'a>>, Decision> {
    let candidates = candidates(book, asker, request, resource);
    if asker.has_unknown_groups {
        let asking = candidates.iter().filter(|one| one.needs_groups);
        let policies: Vec<String> = asking.take(MAX_NAMED).map(|one| one.id.clone()).collect();
        if !policies.is_empty() {
            let reason = DenyReason::UnknownFacts(UnknownFact::Groups);
            return Err(Decision::Deny { reason, policies });
        }
    }
    candidates.into_iter().map(ready).collect()
}

fn ready(statement: &Statement) -> Result<Ready<'_>, Decision> {
    match statement.body() {
        Ok(body) => Ok(Ready { statement, body }),
        Err(message) => {
            let (policy, message) = (statement.id.clone(), message.to_owned());
            Err(Decision::deny(DenyReason::Evaluation { policy, message }))
        }
    }
}

fn evaluate(
    asker: &Asker<'_>,
    request: &Request<'_>,
    resource: &Offered<'_>,
    slice: Vec<Ready<'_>>,
) -> Decision {
    let case = match Case::new(request, asker, resource, slice) {
        Ok(case) => case,
        Err(reason) => return Decision::deny(reason),
    };
    let outcomes = match case.outcomes(case.sign_in()) {
        Ok(outcomes) => outcomes,
        Err(reason) => return Decision::deny(reason),
    };
    let decision = case.conclude(&outcomes);
    // A client that acts for itself has no sign-in to repeat.
    let is_person = matches!(request.principal, Principal::User { .. });
    match is_person && !decision.is_allow() {
        true => step_up::find(&case, &outcomes).unwrap_or(decision),
        false => decision,
    }
}
