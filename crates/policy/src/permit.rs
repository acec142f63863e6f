//! A permit that an assignment implies: as text, and as the scope under which it is indexed.
//!
//! The text is what administrators are shown and what is evaluated. It is parsed when a request
//! needs it for the first time, so that ten thousand assignments cost nothing until then; that its
//! scope is the one it is indexed under is what a property test checks.

use std::fmt::Write as _;

use cedar_policy::EntityUid;

use crate::entity::{self, Kind};
use crate::request::Action;
use crate::scope::{Actions, Scope, ScopeKey};

/// Who a permit is for.
#[derive(Clone, Debug)]
pub(crate) enum Principals {
    /// All people of an organization.
    Everyone(EntityUid),
    /// These and the members of these; at least one.
    Named(Vec<EntityUid>),
}

/// What a permit opens.
#[derive(Clone, Debug)]
pub(crate) enum Opens {
    /// What is in an entity.
    In(EntityUid),
    /// One entity.
    Only(EntityUid),
    /// Whatever scopes the conditions name.
    Scopes(Vec<EntityUid>),
}

/// A Cedar permit.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    pub(crate) id: String,
    pub(crate) principals: &'a Principals,
    pub(crate) actions: &'a [Action],
    pub(crate) opens: Opens,
    pub(crate) conditions: Vec<String>,
}

impl Permit<'_> {
    /// The permit as Cedar.
    pub(crate) fn cedar(&self) -> String {
        let (principal, test) = match self.principals {
            Principals::Everyone(organization) => {
                (format!("principal is User in {organization}"), None)
            }
            Principals::Named(entities) => match entities.as_slice() {
                [one] => (format!("principal {} {one}", relation(one)), None),
                several => ("principal".to_owned(), Some(membership(several))),
            },
        };
        let (resource, inside) = match &self.opens {
            Opens::In(uid) => (format!("resource in {uid}"), None),
            Opens::Only(uid) => (format!("resource == {uid}"), None),
            Opens::Scopes(scopes) => (
                "resource is Scope".to_owned(),
                Some(format!("resource in {}", set(scopes))),
            ),
        };
        let action = match self
            .actions
            .iter()
            .map(|one| entity::action(*one))
            .collect::<Vec<_>>()
        {
            actions if actions.len() == 1 => format!("action == {}", actions[0]),
            actions => format!("action in {}", set(&actions)),
        };
        let id = self.id.escape_debug();
        let mut text =
            format!("@id(\"{id}\")\npermit (\n  {principal},\n  {action},\n  {resource}\n)");
        for condition in test.iter().chain(&inside).chain(&self.conditions) {
            let _ = write!(text, "\nwhen {{ {condition} }}");
        }
        text.push_str(";\n");
        text
    }

    /// The scope of that text.
    pub(crate) fn scope(&self) -> Scope {
        let principals = match self.principals {
            Principals::Everyone(organization) => vec![key(organization)],
            Principals::Named(entities) => entities.iter().map(key).collect(),
        };
        let resources = match &self.opens {
            Opens::In(uid) | Opens::Only(uid) => vec![key(uid)],
            Opens::Scopes(scopes) => scopes.iter().map(key).collect(),
        };
        Scope {
            principals,
            actions: Actions::of(self.actions),
            resources,
        }
    }
}

fn key(uid: &EntityUid) -> ScopeKey {
    match Kind::of(uid) {
        Some(kind) => ScopeKey::Entity(kind, uid.id().unescaped().to_owned()),
        None => ScopeKey::Any,
    }
}

/// People and clients are themselves; the rest contains them.
fn relation(uid: &EntityUid) -> &'static str {
    match Kind::of(uid) {
        Some(Kind::User | Kind::Client) => "==",
        _ => "in",
    }
}

/// A set holds entities of one type only.
fn membership(entities: &[EntityUid]) -> String {
    let mut by_type: Vec<Vec<EntityUid>> = Vec::new();
    for uid in entities {
        let same = by_type
            .iter_mut()
            .find(|set| set[0].type_name() == uid.type_name());
        match same {
            Some(set) => set.push(uid.clone()),
            None => by_type.push(vec![uid.clone()]),
        }
    }
    let tests = by_type
        .iter()
        .map(|entities| format!("principal in {}", set(entities)));
    tests.collect::<Vec<_>>().join(" || ")
}

/// Entities as a Cedar set.
pub(crate) fn set(entities: &[EntityUid]) -> String {
    let names = entities.iter().map(ToString::to_string).collect::<Vec<_>>();
    format!("[{}]", names.join(", "))
}

#[cfg(test)]
mod tests {
    use cedar_policy::{Policy, pst};
    use proptest::prelude::*;

    use super::*;

    fn any_entities(kinds: &'static [Kind]) -> impl Strategy<Value = Vec<EntityUid>> {
        let kind = prop::sample::select(kinds);
        let entity = (kind, "\\PC{0,8}").prop_map(|(kind, id)| kind.entity(&id));
        prop::collection::vec(entity, 1..4)
    }

    fn any_opens() -> impl Strategy<Value = Opens> {
        prop_oneof![
            any_entities(&[Kind::McpServer]).prop_map(|uids| Opens::In(uids[0].clone())),
            any_entities(&[Kind::McpServer]).prop_map(|uids| Opens::Only(uids[0].clone())),
            any_entities(&[Kind::Scope]).prop_map(Opens::Scopes),
        ]
    }

    fn any_principals() -> impl Strategy<Value = Principals> {
        let people = &[Kind::EmailAddress, Kind::User];
        prop_oneof![
            any_entities(&[Kind::Organization]).prop_map(|o| Principals::Everyone(o[0].clone())),
            any_entities(&[Kind::Group]).prop_map(Principals::Named),
            any_entities(people).prop_map(Principals::Named),
        ]
    }

    fn sorted(scope: &Scope) -> (Vec<String>, Actions, Vec<String>) {
        let names = |keys: &[ScopeKey]| {
            let mut names: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
            names.sort();
            names
        };
        (
            names(&scope.principals),
            scope.actions,
            names(&scope.resources),
        )
    }

    proptest! {
        #[test]
        fn the_text_has_the_scope_it_is_indexed_under(
            id in "\\PC*",
            principals in any_principals(),
            actions in prop::sample::subsequence(&Action::ALL[..], 1..=7),
            opens in any_opens(),
        ) {
            let conditions = vec!["context.x".to_owned()];
            let (principals, actions) = (&principals, actions.as_slice());
            let permit = Permit { id: id.clone(), principals, actions, opens, conditions };

            let policy = Policy::parse(None, permit.cedar()).unwrap();

            prop_assert_eq!(policy.annotation("id"), Some(id.as_str()));
            let pst::Policy::Static(tree) = policy.to_pst().unwrap() else { panic!("a template") };
            prop_assert_eq!(sorted(&Scope::of(tree.body())), sorted(&permit.scope()));
        }
    }
}
