//! JSON read in the one way that no two readers can disagree about ([RFC 8259]).
//!
//! A document that names a member twice means one thing to a parser that keeps the first and another
//! to one that keeps the last (requirements N-214; RFC 8725 §2.4). Here it means nothing: it is
//! refused, at every depth. So is a document that nests deeper than the caller expects.
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a text was not read as JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Not one JSON value in UTF-8.
    #[error("not a JSON document")]
    Malformed,
    /// An object, at any depth, has two members of one name.
    #[error("an object names a member twice")]
    DuplicateMember,
    /// Arrays and objects nest deeper than the caller allows.
    #[error("nested too deeply")]
    TooDeep,
    /// The document is JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
}

/// Reads one JSON value that fills `bytes`, whose arrays and objects nest at most `max_depth` deep
/// (a number or a string alone has depth 0; more than 100 is not supported).
///
/// # Errors
/// [`JsonError::Malformed`], [`JsonError::DuplicateMember`] or [`JsonError::TooDeep`].
pub fn parse_strict(bytes: &[u8], max_depth: usize) -> Result<Value, JsonError> {
    let refusal = Cell::new(JsonError::Malformed);
    let strict = Strict {
        depth_left: max_depth,
        refusal: &refusal,
    };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = strict.deserialize(&mut reader).map_err(|_| refusal.get())?;
    reader.end().map_err(|_| JsonError::Malformed)?;
    Ok(value)
}

/// Reads one JSON object, under the rules of [`parse_strict`].
///
/// # Errors
/// Those of [`parse_strict`], and [`JsonError::NotAnObject`].
pub fn parse_object(bytes: &[u8], max_depth: usize) -> Result<Map<String, Value>, JsonError> {
    match parse_strict(bytes, max_depth)? {
        Value::Object(members) => Ok(members),
        _ => Err(JsonError::NotAnObject),
    }
}

/// Reads a value and leaves in `refusal` what the error type of serde cannot carry.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth_left: usize,
    refusal: &'a Cell<JsonError>,
}

impl Strict<'_> {
    fn refuse<E: de::Error>(self, refusal: JsonError) -> E {
        self.refusal.set(refusal);
        E::custom(refusal)
    }

    fn inner<E: de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(self.refuse(JsonError::TooDeep)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("not a finite number"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.refuse(JsonError::DuplicateMember));
            }
            object.insert(name, members.next_value_seed(inner)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// N-214.
    #[test]
    fn a_member_named_twice_is_refused_at_every_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"b":2,"a":3}}"#,
            r#"[[{"a":null,"a":null}]]"#,
        ] {
            assert_eq!(
                parse_strict(text.as_bytes(), 8),
                Err(JsonError::DuplicateMember),
                "{text}"
            );
        }
        assert!(parse_strict(br#"{"a":{"a":1},"A":1}"#, 8).is_ok());
    }

    #[test]
    fn depth_is_counted_in_arrays_and_objects() {
        assert_eq!(parse_strict(b"1", 0), Ok(json!(1)));
        assert_eq!(parse_strict(b"[]", 0), Err(JsonError::TooDeep));
        assert_eq!(parse_strict(br#"{"a":[1]}"#, 2), Ok(json!({"a": [1]})));
        assert_eq!(parse_strict(br#"{"a":[[1]]}"#, 2), Err(JsonError::TooDeep));
        assert_eq!(
            parse_strict("[".repeat(100_000).as_bytes(), 64),
            Err(JsonError::TooDeep)
        );
    }

    #[test]
    fn only_one_utf8_document_is_read() {
        let malformed: [&[u8]; 8] = [
            b"",
            b"{",
            b"{} {}",
            b"{'a':1}",
            b"\xEF\xBB\xBF{}",
            b"\"\xFF\"",
            b"NaN",
            b"\"\\ud800\"",
        ];
        for bytes in malformed {
            assert_eq!(
                parse_strict(bytes, 8),
                Err(JsonError::Malformed),
                "{bytes:?}"
            );
        }
        assert_eq!(parse_object(b"[]", 8), Err(JsonError::NotAnObject));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, depth in 0usize..100) {
            let _ = parse_strict(&bytes, depth);
        }

        #[test]
        fn what_is_read_is_what_serde_reads(text in r#"[\[\]{}",:0-9.eE+\-a-c\\ ]{0,40}"#) {
            if let Ok(value) = parse_strict(text.as_bytes(), 100) {
                prop_assert_eq!(value, serde_json::from_str::<Value>(&text).expect("read before"));
            }
        }
    }
}
