//! Values that are kept while a body is walked.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::walk::Walk;

/// What a member holds, as far as an envelope cares; `T` are the picked members of an object.
pub(super) enum Leaf<T = ()> {
    Null,
    Integer(i64),
    Text(String),
    Object(T),
    Array,
    Other,
}

/// How to pick the members of one kind of object.
pub(super) trait Pick {
    /// Reads the value of the member `name`, once.
    fn pick<'de, A: MapAccess<'de>>(
        &mut self,
        walk: Walk<'_>,
        name: &str,
        members: &mut A,
    ) -> Result<(), A::Error>;
}

/// Nothing of the object is kept.
impl Pick for () {
    fn pick<'de, A: MapAccess<'de>>(
        &mut self,
        walk: Walk<'_>,
        _: &str,
        members: &mut A,
    ) -> Result<(), A::Error> {
        members.next_value_seed(walk)
    }
}

/// Reads a value into a [`Leaf`], starting from an empty `T`.
pub(super) struct Keep<'w, T>(pub(super) Walk<'w>, pub(super) T);

impl<'de, T: Pick> DeserializeSeed<'de> for Keep<'_, T> {
    type Value = Leaf<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Leaf<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Pick> Visitor<'de> for Keep<'_, T> {
    type Value = Leaf<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Leaf<T>, E> {
        Ok(Leaf::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Leaf<T>, E> {
        Ok(Leaf::Other)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Leaf<T>, E> {
        Ok(Leaf::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Leaf<T>, E> {
        Ok(i64::try_from(value).map_or(Leaf::Other, Leaf::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Leaf<T>, E> {
        Ok(Leaf::Other)
    }

    fn visit_str<E>(self, value: &str) -> Result<Leaf<T>, E> {
        Ok(Leaf::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Leaf<T>, A::Error> {
        self.0.visit_seq(items).map(|()| Leaf::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Leaf<T>, A::Error> {
        let Self(walk, mut picked) = self;
        walk.object(members, |inner, name, members| {
            picked.pick(inner, name, members)
        })?;
        Ok(Leaf::Object(picked))
    }
}
