//! A JSON object whose members keep their order and their bytes ([RFC 8259] §4).
//!
//! The gateway changes one member of an upstream's message and must leave the others as they are:
//! numbers keep their digits and strings their escapes, because nothing else is parsed. An object
//! with a member twice is refused, since two readers could understand it differently.
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object.
#[derive(Debug, Default)]
pub(crate) struct RawObject<'a>(Vec<(String, &'a RawValue)>);

impl<'a> RawObject<'a> {
    /// Reads a text that is one JSON object; `None` for any other text.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// The value of a member.
    pub(crate) fn member(&self, name: &str) -> Option<&'a RawValue> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| *value)
    }

    /// Writes the object with some members replaced, or added at the end.
    pub(crate) fn with(&self, replaced: &[(&str, &str)]) -> String {
        let mut out = String::from("{");
        for (name, value) in &self.0 {
            let new = replaced.iter().find(|(new, _)| new == name);
            push_member(&mut out, name, new.map_or(value.get(), |(_, value)| value));
        }
        for (name, value) in replaced
            .iter()
            .filter(|(name, _)| self.member(name).is_none())
        {
            push_member(&mut out, name, value);
        }
        out.push('}');
        out
    }
}

fn push_member(out: &mut String, name: &str, value: &str) {
    if out.len() > 1 {
        out.push(',');
    }
    out.push_str(&serde_json::Value::from(name).to_string());
    out.push(':');
    out.push_str(value);
}

impl<'de: 'a, 'a> Deserialize<'de> for RawObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = RawObject<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = RawObject::default();
        while let Some(name) = map.next_key::<String>()? {
            if object.member(&name).is_some() {
                return Err(A::Error::custom("a member occurs twice"));
            }
            object.0.push((name, map.next_value()?));
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_members_keep_their_order_and_their_bytes() {
        let text = br#"{ "z": 1.0e400, "a\u0062": "\u00e9", "list": [1, 2] }"#;
        let object = RawObject::parse(text).unwrap();
        assert_eq!(
            object.with(&[("list", "[2]"), ("new", "true")]),
            r#"{"z":1.0e400,"ab":"\u00e9","list":[2],"new":true}"#
        );
    }

    #[test]
    fn a_member_that_occurs_twice_is_refused() {
        assert!(RawObject::parse(br#"{"a":1,"\u0061":2}"#).is_none());
        assert!(RawObject::parse(b"[]").is_none());
        assert!(RawObject::parse(b"{} {}").is_none());
    }
}
