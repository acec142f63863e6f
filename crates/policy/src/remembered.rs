//! Decisions that need not be made twice (design §4 rule 13, §7).
//!
//! A decision is remembered when its slice reads nothing that differs from call to call. The key
//! holds, in full, everything else it can depend on: the principal with its facts, the action, the
//! resource and the standing circumstances. An engine lives for one version of the policies, and
//! its memory with it.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::decision::Decision;
use crate::principal::Asker;
use crate::request::Request;
use crate::resource::Offered;

/// Most decisions that are kept; then all are forgotten.
const MAX_DECISIONS: usize = 16_384;
/// Longest key that is kept: names of tools come from callers.
const MAX_KEY: usize = 4096;

/// What a decision depends on.
pub(crate) struct Key(Vec<u8>);

impl Key {
    pub(crate) fn of(request: &Request<'_>, asker: &Asker<'_>, resource: &Offered<'_>) -> Self {
        let context = &request.context;
        let mut key = Self(Vec::with_capacity(512));
        key.part(request.organization.as_str());
        key.part(request.action.as_str());
        key.list([asker.uid(), resource.uid()].map(|uid| uid.type_name().basename()));
        key.list(asker.path.iter().map(|uid| uid.id().unescaped()));
        key.part(if asker.has_unknown_groups { "?" } else { "" });
        key.list(asker.email);
        key.list(resource.path.iter().map(|uid| uid.id().unescaped()));
        key.list(context.client.map(|(_, id)| id.as_str()));
        key.part(
            &context
                .client
                .map(|(issuer, _)| issuer.to_string())
                .unwrap_or_default(),
        );
        key.list(context.client_authentication);
        key.list(context.scopes.iter());
        key.list(context.acr);
        key.list(context.amr.iter().map(String::as_str));
        key.list(context.sender_constraint);
        key
    }

    /// Lengths come first, so that no two lists read the same.
    fn part(&mut self, text: &str) {
        self.0.extend(text.len().to_le_bytes());
        self.0.extend(text.as_bytes());
    }

    fn list<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        for text in texts {
            self.part(text);
        }
        self.0.extend(usize::MAX.to_le_bytes());
    }
}

/// A bounded memory of decisions.
#[derive(Debug, Default)]
pub(crate) struct Remembered(RwLock<HashMap<Box<[u8]>, Decision>>);

impl Remembered {
    pub(crate) fn find(&self, key: &Key) -> Option<Decision> {
        let decisions = self.0.read().unwrap_or_else(PoisonError::into_inner);
        decisions.get(key.0.as_slice()).cloned()
    }

    pub(crate) fn insert(&self, key: Key, decision: &Decision) {
        if key.0.len() > MAX_KEY {
            return;
        }
        let mut decisions = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if decisions.len() >= MAX_DECISIONS {
            decisions.clear();
        }
        decisions.insert(key.0.into(), decision.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        let mut key = Key(Vec::new());
        key.part(text);
        key
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (remembered, decision) = (Remembered::default(), Decision::Allow { policies: vec![] });

        for number in 0..=MAX_DECISIONS {
            remembered.insert(key(&number.to_string()), &decision);
        }
        remembered.insert(key(&"x".repeat(MAX_KEY)), &decision);

        assert_eq!(remembered.0.read().unwrap().len(), 1);
        assert_eq!(
            remembered.find(&key(&MAX_DECISIONS.to_string())),
            Some(decision)
        );
        assert_eq!(remembered.find(&key("0")), None);
    }

    #[test]
    fn two_lists_never_read_the_same() {
        let keys = [
            &[&["a", "b"][..], &[]],
            &[&["a"], &["b"]],
            &[&["ab"], &[]],
            &[&["a b"], &[]],
        ];

        let bytes = keys.map(|lists: &[&[&str]; 2]| {
            let mut key = Key(Vec::new());
            lists.iter().for_each(|list| key.list(list.iter().copied()));
            key.0
        });

        for (number, one) in bytes.iter().enumerate() {
            assert!(!bytes[number + 1..].contains(one));
        }
    }
}
