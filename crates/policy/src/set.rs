//! The policies of one organization, loaded: assignments first, then free Cedar.

use std::collections::HashSet;
use std::ops::Range;

use serde::Serialize;
use symbolon_protocol::ids::OrganizationId;

use crate::assignment;
use crate::input::{AssignmentInput, OrganizationInput, PolicyText};
use crate::names;
use crate::offer::Offers;
use crate::problem::{Finding, PolicyProblem};
use crate::slice::Index;
use crate::statement::{self, Statement};

/// Where Cedar text comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Compiled from an assignment.
    Assignment,
    /// Written by an administrator.
    Policy {
        /// Version of the text.
        version: u64,
    },
}

/// An assignment or policy as the Cedar that is evaluated.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Compiled {
    /// `assignment:…` or `policy:…`; ids in decisions begin with it.
    pub id: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The text.
    pub cedar: String,
}

/// What decides for one organization.
#[derive(Debug, Default)]
pub(crate) struct PolicyBook {
    pub(crate) statements: Vec<Statement>,
    pub(crate) index: Index,
    sources: Vec<Source>,
    /// A policy could not be read, so nobody of the organization may do anything: it may have been
    /// a forbid. (An assignment that makes no sense is left out: it could only have allowed.)
    pub(crate) is_unreadable: bool,
}

/// What statements come from.
#[derive(Debug)]
struct Source {
    id: String,
    origin: Origin,
    /// The text with its comments, where an administrator wrote it.
    written: Option<String>,
    statements: Range<usize>,
}

impl PolicyBook {
    /// Loads everything that belongs to an organization, and says what is wrong with it.
    pub(crate) fn load(
        organization: &OrganizationInput,
        assignments: &[&AssignmentInput],
        policies: &[&PolicyText],
        offers: &Offers,
    ) -> (Self, Vec<PolicyProblem>) {
        let mut loader = Loader {
            organization,
            offers,
            book: Self::default(),
            problems: Vec::new(),
        };
        for assignment in assignments {
            loader.assignment(assignment);
        }
        for policy in policies {
            loader.policy(policy);
        }
        loader.refuse_duplicates();
        (loader.book, loader.problems)
    }
}

impl PolicyBook {
    /// Every assignment and policy as Cedar.
    pub(crate) fn compiled(&self) -> Vec<Compiled> {
        let compiled = self.sources.iter().map(|source| {
            let statements = &self.statements[source.statements.clone()];
            let cedar = || {
                statements
                    .iter()
                    .map(|one| one.cedar.as_str())
                    .collect::<Vec<_>>()
            };
            Compiled {
                id: source.id.clone(),
                origin: source.origin,
                cedar: source.written.clone().unwrap_or_else(|| cedar().join("\n")),
            }
        });
        compiled.collect()
    }
}

struct Loader<'a> {
    organization: &'a OrganizationInput,
    offers: &'a Offers,
    book: PolicyBook,
    problems: Vec<PolicyProblem>,
}

impl Loader<'_> {
    fn assignment(&mut self, assignment: &AssignmentInput) {
        let subject = format!("assignment {}", assignment.id);
        let id = format!("assignment:{}", assignment.id);
        match assignment::compile(assignment, self.offers, &self.organization.connections) {
            Ok(statements) => self.add(id, Origin::Assignment, None, statements),
            Err(found) => self.report(&subject, found.into_iter().map(Finding::anywhere)),
        }
    }

    fn policy(&mut self, policy: &PolicyText) {
        let subject = format!("policy {}", policy.id);
        let id = format!("policy:{}", policy.id);
        let name = |own: Option<&str>, position: usize, count: usize| match own {
            _ if count == 1 => id.clone(),
            Some(own) => format!("{id}#{own}"),
            None => format!("{id}#{}", position + 1),
        };
        match statement::parse(&policy.cedar, name) {
            Ok(statements) => {
                self.report(&subject, self.wrong_names(&policy.cedar, &statements));
                let origin = Origin::Policy {
                    version: policy.version,
                };
                self.add(id, origin, Some(policy.cedar.clone()), statements);
            }
            Err(findings) => {
                self.book.is_unreadable = true;
                self.report(&subject, findings);
            }
        }
    }

    fn wrong_names(&self, text: &str, statements: &[Statement]) -> Vec<Finding> {
        let entities = statements.iter().flat_map(|statement| &statement.entities);
        let wrong = entities.filter_map(|uid| {
            let message = names::find_wrong(uid, self.organization, self.offers)?;
            Some(Finding::at(
                text,
                text.find(&uid.to_string()).unwrap_or(0),
                message,
            ))
        });
        wrong.collect()
    }

    fn add(
        &mut self,
        id: String,
        origin: Origin,
        written: Option<String>,
        statements: Vec<Statement>,
    ) {
        let first = self.book.statements.len();
        for statement in statements {
            self.book.index.add(&statement.scope, &statement.entities);
            self.book.statements.push(statement);
        }
        let statements = first..self.book.statements.len();
        self.book.sources.push(Source {
            id,
            origin,
            written,
            statements,
        });
    }

    fn report(&mut self, subject: &str, findings: impl IntoIterator<Item = Finding>) {
        let organization: &OrganizationId = &self.organization.id;
        let problems = findings
            .into_iter()
            .map(|finding| finding.of(organization, subject));
        self.problems.extend(problems);
    }

    /// Two policies of one name could not be told apart in the audit log.
    fn refuse_duplicates(&mut self) {
        let mut known = HashSet::new();
        let twice = self
            .book
            .sources
            .iter()
            .filter(|source| !known.insert(&source.id));
        let twice: Vec<String> = twice.map(|source| source.id.clone()).collect();
        for id in twice {
            let finding = Finding::anywhere("there are two of this id: rename one");
            self.report(&id.replacen(':', " ", 1), [finding]);
        }
    }
}
