//! Which policies can matter to a request (design §7).
//!
//! Cedar evaluates every policy it is handed, so policies are indexed by their [`Scope`]. A policy
//! outside the slice is false without an error for this request, so leaving it out changes nothing;
//! a property test compares with the whole set.

use std::collections::HashMap;

use cedar_policy::EntityUid;

use crate::entity::Kind;
use crate::request::Action;
use crate::scope::{Actions, Scope, ScopeKey};

/// A number for each entity that a policy of the organization mentions.
#[derive(Debug, Default)]
struct Symbols(HashMap<Kind, HashMap<Box<str>, u32>>);

/// Keys below this are [`ANY`] and the kinds.
const FIRST_SYMBOL: u32 = 16;
const ANY: u32 = 0;

impl Symbols {
    fn find(&self, kind: Kind, id: &str) -> Option<u32> {
        self.0.get(&kind)?.get(id).copied()
    }

    fn number(&mut self, key: &ScopeKey) -> u32 {
        match key {
            ScopeKey::Any => ANY,
            ScopeKey::Kind(kind) => kind_number(*kind),
            ScopeKey::Entity(kind, id) => {
                let count: usize = self.0.values().map(HashMap::len).sum();
                let next = FIRST_SYMBOL + u32::try_from(count).expect("fewer than 2^32 entities");
                *self
                    .0
                    .entry(*kind)
                    .or_default()
                    .entry(id.as_str().into())
                    .or_insert(next)
            }
        }
    }
}

const fn kind_number(kind: Kind) -> u32 {
    kind as u32 + 1
}

/// What a principal or resource is and is in, as numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyRing(Vec<u32>);

/// The index of one organization's policies.
#[derive(Debug, Default)]
pub(crate) struct Index {
    symbols: Symbols,
    actions: Vec<Actions>,
    buckets: HashMap<(u32, u32), Vec<u32>>,
    /// By resource: policies that only members of a group can match.
    for_groups: HashMap<u32, Vec<u32>>,
}

impl Index {
    /// Adds the next policy; they are numbered from 0. `mentioned` are all entities it names.
    pub(crate) fn add(&mut self, scope: &Scope, mentioned: &[EntityUid]) {
        let number = u32::try_from(self.actions.len()).expect("fewer than 2^32 policies");
        self.actions.push(scope.actions);
        let principals = self.numbers(&scope.principals);
        let resources = self.numbers(&scope.resources);
        for &resource in &resources {
            for &principal in &principals {
                self.buckets
                    .entry((principal, resource))
                    .or_default()
                    .push(number);
            }
            if scope
                .principals
                .iter()
                .any(|key| matches!(key, ScopeKey::Entity(Kind::Group, _)))
            {
                self.for_groups.entry(resource).or_default().push(number);
            }
        }
        for uid in mentioned {
            if let Some(kind) = Kind::of(uid) {
                self.symbols
                    .number(&ScopeKey::Entity(kind, uid.id().unescaped().to_owned()));
            }
        }
    }

    fn numbers(&mut self, keys: &[ScopeKey]) -> Vec<u32> {
        let mut numbers: Vec<u32> = keys.iter().map(|key| self.symbols.number(key)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Whether any policy mentions the entity: one that none mentions cannot change a decision.
    pub(crate) fn mentions(&self, kind: Kind, id: &str) -> bool {
        self.symbols.find(kind, id).is_some()
    }

    /// The keys of an entity: its own and those of everything it is in.
    pub(crate) fn keys<'a>(
        &self,
        kind: Kind,
        entities: impl IntoIterator<Item = &'a EntityUid>,
    ) -> KeyRing {
        let named = entities.into_iter().filter_map(|uid| {
            let kind = Kind::of(uid)?;
            self.symbols.find(kind, uid.id().unescaped())
        });
        KeyRing([ANY, kind_number(kind)].into_iter().chain(named).collect())
    }

    /// The policies whose scope may match, in the order in which they were added.
    pub(crate) fn slice(
        &self,
        principal: &KeyRing,
        action: Action,
        resource: &KeyRing,
    ) -> Vec<usize> {
        let pairs = resource.0.iter().flat_map(|&resource| {
            principal
                .0
                .iter()
                .filter_map(move |&principal| self.buckets.get(&(principal, resource)))
        });
        self.pick(pairs, action)
    }

    /// The policies that would be in the slice if the principal were in every group.
    pub(crate) fn for_groups(&self, action: Action, resource: &KeyRing) -> Vec<usize> {
        self.pick(
            resource
                .0
                .iter()
                .filter_map(|resource| self.for_groups.get(resource)),
            action,
        )
    }

    /// The policies that somebody would have in the slice, whoever that is.
    pub(crate) fn for_anybody(&self, action: Action, resource: &KeyRing) -> Vec<usize> {
        let for_resource = |&(key, _): &(&(u32, u32), _)| resource.0.contains(&key.1);
        self.pick(
            self.buckets
                .iter()
                .filter(for_resource)
                .map(|(_, bucket)| bucket),
            action,
        )
    }

    fn pick<'a>(
        &'a self,
        buckets: impl Iterator<Item = &'a Vec<u32>>,
        action: Action,
    ) -> Vec<usize> {
        let mut numbers: Vec<usize> = buckets
            .flatten()
            .map(|&number| number as usize)
            .filter(|&number| self.actions[number].contains(action))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}
