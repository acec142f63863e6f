//! Reading JSON in one pass so that every reader reads the same (N-214, N-223).
//!
//! Refused at any depth: two members of one name, nesting beyond a limit, and what serde_json
//! refuses itself (invalid UTF-8, lone surrogates, numbers out of range, trailing data). Values
//! that nobody asked for are checked and dropped without being built.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::message::ParseFailure;

/// How deep the reader may still go, and where it notes why it stopped.
#[derive(Clone, Copy)]
pub(super) struct Walk<'w> {
    depth_left: u8,
    failure: &'w Cell<ParseFailure>,
}

impl<'w> Walk<'w> {
    pub(super) fn new(depth_left: u8, failure: &'w Cell<ParseFailure>) -> Self {
        Self {
            depth_left,
            failure,
        }
    }

    /// Stops reading for `failure`.
    pub(super) fn stop<E: de::Error>(self, failure: ParseFailure) -> E {
        self.failure.set(failure);
        E::custom(failure)
    }

    /// The reader for what is inside an array or object.
    pub(super) fn inner<E: de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(self.stop(ParseFailure::TooDeep)),
        }
    }

    /// Reads an object: `member` is called with each name and must read the value.
    pub(super) fn object<'de, A: MapAccess<'de>>(
        self,
        mut members: A,
        mut member: impl FnMut(Self, &str, &mut A) -> Result<(), A::Error>,
    ) -> Result<(), A::Error> {
        let inner = self.inner()?;
        let mut names = Names::default();
        while let Some(name) = members.next_key_seed(Name)? {
            let Some(name) = names.insert(name) else {
                return Err(self.stop(ParseFailure::DuplicateMember));
            };
            member(inner, name, &mut members)?;
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        self.object(members, |inner, _, members| members.next_value_seed(inner))
    }
}

/// Reads a member's name, borrowed unless it has escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// The names one object has used. Few are compared one by one; many are hashed, so that a large
/// object costs no more than its size.
#[derive(Default)]
struct Names<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    const FEW: usize = 16;

    /// Notes a name and lends it; `None` if it was there.
    fn insert(&mut self, name: Cow<'de, str>) -> Option<&str> {
        if self.few.contains(&name) || self.many.contains(&name) {
            return None;
        }
        if self.few.len() < Self::FEW {
            self.few.push(name);
            return self.few.last().map(AsRef::as_ref);
        }
        self.many.insert(name.clone());
        self.many.get(&name).map(AsRef::as_ref)
    }
}
