//! The engine: everything that decides, at one version of the definitions.

use std::collections::HashMap;

use symbolon_protocol::ids::OrganizationId;

use crate::input::PolicyInput;
use crate::offer::Offers;
use crate::problem::PolicyProblem;
use crate::remembered::Remembered;
use crate::set::{Compiled, PolicyBook};

/// Decides requests; immutable, replaced as a whole when definitions change.
#[derive(Debug)]
pub struct Engine {
    version: u64,
    pub(crate) offers: Offers,
    pub(crate) books: HashMap<OrganizationId, PolicyBook>,
    pub(crate) remembered: Remembered,
}

impl Engine {
    /// Builds an engine of definitions that must all be right: for `apply`, before it commits.
    ///
    /// # Errors
    /// Everything that is wrong, in every organization.
    pub fn build(input: PolicyInput) -> Result<Self, Vec<PolicyProblem>> {
        let (engine, problems) = Self::load(input);
        if problems.is_empty() {
            Ok(engine)
        } else {
            Err(problems)
        }
    }

    /// Builds an engine of definitions that are in force already, and says what is wrong with them.
    ///
    /// Where a policy of an organization cannot be read, that organization is denied everything until
    /// it is corrected, for it may have been a forbid. An assignment with a problem is left out: it
    /// could only have allowed. Other organizations are not touched by either.
    #[must_use]
    pub fn load(input: PolicyInput) -> (Self, Vec<PolicyProblem>) {
        let offers = Offers::new(&input);
        let mut assignments = by_organization(&input.assignments, |one| &one.organization);
        let mut policies = by_organization(&input.policies, |one| &one.organization);
        let mut books = HashMap::new();
        let mut problems = Vec::new();
        for organization in &input.organizations {
            let assignments = assignments.remove(&organization.id).unwrap_or_default();
            let policies = policies.remove(&organization.id).unwrap_or_default();
            let (book, found) = PolicyBook::load(organization, &assignments, &policies, &offers);
            books.insert(organization.id.clone(), book);
            problems.extend(found);
        }
        let engine = Self {
            version: input.version,
            offers,
            books,
            remembered: Remembered::default(),
        };
        (engine, problems)
    }

    /// Version of the definitions it was built from.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Every assignment and policy of an organization as the Cedar that is evaluated.
    #[must_use]
    pub fn compiled(&self, organization: &OrganizationId) -> Vec<Compiled> {
        self.books
            .get(organization)
            .map(PolicyBook::compiled)
            .unwrap_or_default()
    }
}

fn by_organization<'a, T>(
    items: &'a [T],
    organization: impl Fn(&'a T) -> &'a OrganizationId,
) -> HashMap<&'a OrganizationId, Vec<&'a T>> {
    let mut sorted: HashMap<_, Vec<_>> = HashMap::new();
    for item in items {
        sorted.entry(organization(item)).or_default().push(item);
    }
    sorted
}
