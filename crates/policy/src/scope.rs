//! What must hold before a policy can apply to a request, or fail.
//!
//! That is its scope, and the `principal in …` and `resource in …` with which its conditions begin:
//! clauses and `&&` are evaluated from the left and stop at the first false, and `in` with literals
//! cannot fail. As long as nothing else came before, such a test is as good as a scope.

use cedar_policy::pst::{
    ActionConstraint, BinaryOp, Clause, EntityOrSlot, EntityType, EntityUID, Expr, Literal,
    PrincipalConstraint, ResourceConstraint, Template, Var,
};

use crate::entity::Kind;
use crate::request::Action;

/// One thing that a principal or resource may be or be in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ScopeKey {
    /// Anything.
    Any,
    /// An entity of a type.
    Kind(Kind),
    /// An entity, or what it contains.
    Entity(Kind, String),
}

/// A set of actions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Actions(u8);

impl Actions {
    const ALL: Self = Self((1 << Action::ALL.len()) - 1);

    fn one(action: Action) -> Self {
        Self(1 << action as u8)
    }

    /// These actions.
    pub(crate) fn of(actions: &[Action]) -> Self {
        Self(
            actions
                .iter()
                .fold(0, |all, &action| all | Self::one(action).0),
        )
    }

    pub(crate) fn contains(self, action: Action) -> bool {
        self.0 & Self::one(action).0 != 0
    }
}

/// What must hold before a policy can apply or fail: one key of each list, and the action.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Scope {
    pub(crate) principals: Vec<ScopeKey>,
    pub(crate) actions: Actions,
    pub(crate) resources: Vec<ScopeKey>,
}

impl Scope {
    /// Reads the scope of a policy and the beginning of its conditions.
    pub(crate) fn of(policy: &Template) -> Self {
        let mut scope = Self {
            principals: vec![principal(&policy.principal)],
            actions: actions(&policy.action),
            resources: vec![resource(&policy.resource)],
        };
        let (principals, resources) = opening(policy.clauses());
        narrow(&mut scope.principals, principals);
        narrow(&mut scope.resources, resources);
        scope
    }
}

/// A scope that names an entity is kept; a wider one gives way to the opening of the conditions.
fn narrow(keys: &mut Vec<ScopeKey>, opening: Option<Vec<ScopeKey>>) {
    let is_wide = !matches!(keys.as_slice(), [ScopeKey::Entity(..)]);
    if let Some(opening) = opening.filter(|_| is_wide) {
        *keys = opening;
    }
}

fn principal(constraint: &PrincipalConstraint) -> ScopeKey {
    match constraint {
        PrincipalConstraint::Eq(EntityOrSlot::Entity(uid))
        | PrincipalConstraint::In(EntityOrSlot::Entity(uid))
        | PrincipalConstraint::IsIn(_, EntityOrSlot::Entity(uid)) => key(uid),
        PrincipalConstraint::Is(kind) | PrincipalConstraint::IsIn(kind, _) => type_key(kind),
        _ => ScopeKey::Any,
    }
}

fn resource(constraint: &ResourceConstraint) -> ScopeKey {
    match constraint {
        ResourceConstraint::Eq(EntityOrSlot::Entity(uid))
        | ResourceConstraint::In(EntityOrSlot::Entity(uid))
        | ResourceConstraint::IsIn(_, EntityOrSlot::Entity(uid)) => key(uid),
        ResourceConstraint::Is(kind) | ResourceConstraint::IsIn(kind, _) => type_key(kind),
        _ => ScopeKey::Any,
    }
}

fn actions(constraint: &ActionConstraint) -> Actions {
    let named = |uid: &EntityUID| Action::named(&uid.eid).map_or(Actions::default(), Actions::one);
    match constraint {
        ActionConstraint::Any => Actions::ALL,
        ActionConstraint::Eq(uid) => named(uid),
        // The schema has no groups of actions, so `in` is a choice of actions.
        ActionConstraint::In(uids) => {
            Actions(uids.iter().map(named).fold(0, |all, one| all | one.0))
        }
    }
}

/// An entity of a type the schema does not have stays in every slice; validation refuses it anyway.
fn key(uid: &EntityUID) -> ScopeKey {
    match Kind::named(uid.ty.0.id.as_str()) {
        Some(kind) => ScopeKey::Entity(kind, uid.eid.to_string()),
        None => ScopeKey::Any,
    }
}

fn type_key(kind: &EntityType) -> ScopeKey {
    Kind::named(kind.0.id.as_str()).map_or(ScopeKey::Any, ScopeKey::Kind)
}

type Keys = Option<Vec<ScopeKey>>;

/// The tests of principal and resource with which the conditions begin.
fn opening(clauses: &[Clause]) -> (Keys, Keys) {
    let mut keys = (None, None);
    for clause in clauses {
        let Clause::When(condition) = clause else {
            break;
        };
        if !open(condition, &mut keys) {
            break;
        }
    }
    keys
}

/// Whether the whole expression is such tests.
fn open(expression: &Expr, keys: &mut (Keys, Keys)) -> bool {
    if let Expr::BinaryOp {
        op: BinaryOp::And,
        left,
        right,
    } = expression
    {
        return open(left, keys) && open(right, keys);
    }
    if let Some(found) = test(expression, &Var::Principal) {
        keys.0.get_or_insert(found);
        return true;
    }
    if let Some(found) = test(expression, &Var::Resource) {
        keys.1.get_or_insert(found);
        return true;
    }
    false
}

/// The keys of `variable in literal`, `variable in [literal, …]`, `variable == literal` and of
/// several of them joined by `||`.
fn test(expression: &Expr, variable: &Var) -> Keys {
    let Expr::BinaryOp { op, left, right } = expression else {
        return None;
    };
    match (op, left.as_ref(), right.as_ref()) {
        (BinaryOp::Or, left, right) => {
            let mut keys = test(left, variable)?;
            keys.extend(test(right, variable)?);
            Some(keys)
        }
        (
            BinaryOp::Eq | BinaryOp::In,
            Expr::Var(tested),
            Expr::Literal(Literal::EntityUID(uid)),
        ) if tested == variable => Some(vec![key(uid)]),
        (BinaryOp::In, Expr::Var(tested), Expr::Set(elements)) if tested == variable => {
            elements.iter().map(|element| literal(element)).collect()
        }
        _ => None,
    }
}

fn literal(element: &Expr) -> Option<ScopeKey> {
    match element {
        Expr::Literal(Literal::EntityUID(uid)) => Some(key(uid)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use cedar_policy::{Policy, pst};

    use super::*;

    /// Principals and resources of a policy with that scope and those conditions.
    fn keys(scope: &str, conditions: &str) -> (Vec<String>, Vec<String>) {
        let policy = Policy::parse(None, format!("permit ({scope}) {conditions};")).unwrap();
        let pst::Policy::Static(tree) = policy.to_pst().unwrap() else {
            panic!("a template")
        };
        let scope = Scope::of(tree.body());
        let name = |key: &ScopeKey| match key {
            ScopeKey::Any => "any".to_owned(),
            ScopeKey::Kind(kind) => format!("{kind:?}"),
            ScopeKey::Entity(_, id) => id.clone(),
        };
        let names = |keys: &[ScopeKey]| keys.iter().map(name).collect();
        (names(&scope.principals), names(&scope.resources))
    }

    const ANY: &str = "principal, action, resource";

    #[test]
    fn the_opening_of_the_conditions_is_as_good_as_a_scope() {
        for (conditions, principals, resources) in [
            (
                "when { principal in [User::\"a\", User::\"b\"] }",
                "a b",
                "any",
            ),
            (
                "when { principal == User::\"a\" || principal in Group::\"g\" }",
                "a g",
                "any",
            ),
            (
                "when { principal in Group::\"g\" && resource in [Tool::\"t\"] }",
                "g",
                "t",
            ),
            (
                "when { resource == Tool::\"t\" } when { principal in Group::\"g\" }",
                "g",
                "t",
            ),
            (
                "when { principal in Group::\"g\" && context.x } when { false }",
                "g",
                "any",
            ),
        ] {
            let found = keys(ANY, conditions);
            assert_eq!(
                (found.0.join(" ").as_str(), found.1.join(" ").as_str()),
                (principals, resources)
            );
        }
    }

    #[test]
    fn a_test_behind_anything_that_could_fail_does_not_narrow() {
        for conditions in [
            "when { context.x && principal in Group::\"g\" }",
            "when { context.x } when { principal in Group::\"g\" }",
            "when { resource in Tool::\"t\" || principal in Group::\"g\" }",
            "when { principal in Group::\"g\" || context.x }",
            "when { !(principal in Group::\"g\") }",
            "when { principal in context.groups }",
            "when { principal in [Group::\"g\", context.group] }",
            "when { context.client in Group::\"g\" }",
            "unless { principal in Group::\"g\" }",
            "unless { context.x } when { principal in Group::\"g\" }",
            "when { if context.x then principal in Group::\"g\" else true }",
        ] {
            let any = vec!["any".to_owned()];
            assert_eq!(keys(ANY, conditions), (any.clone(), any), "{conditions}");
        }
    }

    #[test]
    fn a_scope_that_names_an_entity_is_kept() {
        let group = "principal is User in Group::\"g\", action, resource is Tool";
        let conditions = "when { principal in [User::\"a\"] && resource in McpServer::\"s\" }";

        let found = keys(group, conditions);

        assert_eq!(found, (vec!["g".to_owned()], vec!["s".to_owned()]));
        let kinds = keys("principal is Client, action, resource is Tool", "");
        assert_eq!(kinds, (vec!["Client".to_owned()], vec!["Tool".to_owned()]));
    }
}
