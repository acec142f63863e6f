//! Tool arguments that are mirrored into `Mcp-Param-*` headers by an `x-mcp-header` annotation
//! (MCP 2026-07-28 `streamable-http#custom-headers-from-tool-parameters`; RS-67, N-212).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::agreement::Disagreement;
use super::headers::{Field, Headers, decoded};

/// The largest integer that every JSON reader keeps exactly.
const MAX_SAFE: i64 = (1 << 53) - 1;

/// One annotated parameter of a tool.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParameterHeader {
    /// What follows `Mcp-Param-`.
    pub name: String,
    /// The keys that lead to the argument.
    pub path: Vec<String>,
}

/// An `x-mcp-header` annotation that breaks the rules; clients leave such a tool out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAnnotation {
    /// Not a header name.
    #[error("x-mcp-header is not a header name")]
    Name,
    /// Two parameters with one header.
    #[error("two parameters have the same x-mcp-header")]
    Duplicate,
    /// Not a string, integer or boolean, or not reachable by `properties` alone.
    #[error("x-mcp-header stands where it is not allowed")]
    Place,
}

/// Finds the annotations of a tool's `inputSchema`.
///
/// # Errors
/// [`InvalidAnnotation`] for the first that breaks the rules.
pub fn parameter_headers(schema: &Value) -> Result<Vec<ParameterHeader>, InvalidAnnotation> {
    let mut found = Vec::new();
    if schema.get(ANNOTATION).is_some() {
        return Err(InvalidAnnotation::Place);
    }
    collect(schema, &mut Vec::new(), &mut found)?;
    let mut names = HashSet::new();
    if found
        .iter()
        .all(|header| names.insert(header.name.to_ascii_lowercase()))
    {
        Ok(found)
    } else {
        Err(InvalidAnnotation::Duplicate)
    }
}

const ANNOTATION: &str = "x-mcp-header";

fn collect(
    schema: &Value,
    path: &mut Vec<String>,
    found: &mut Vec<ParameterHeader>,
) -> Result<(), InvalidAnnotation> {
    let Some(keywords) = schema.as_object() else {
        return Ok(());
    };
    for (keyword, value) in keywords {
        match (keyword.as_str(), value.as_object()) {
            ("properties", Some(properties)) => {
                for (key, property) in properties {
                    path.push(key.clone());
                    found.extend(annotation(property, path)?);
                    collect(property, path, found)?;
                    path.pop();
                }
            }
            // Data, not schemas: what looks like an annotation there is none.
            ("const" | "default" | "enum" | "examples", _) => {}
            _ if mentions_annotation(value) => return Err(InvalidAnnotation::Place),
            _ => {}
        }
    }
    Ok(())
}

fn annotation(
    property: &Value,
    path: &[String],
) -> Result<Option<ParameterHeader>, InvalidAnnotation> {
    let Some(name) = property.get(ANNOTATION) else {
        return Ok(None);
    };
    let name = name
        .as_str()
        .filter(|name| is_header_name(name))
        .ok_or(InvalidAnnotation::Name)?;
    let kind = property.get("type").and_then(Value::as_str);
    if !matches!(kind, Some("string" | "integer" | "boolean")) {
        return Err(InvalidAnnotation::Place);
    }
    Ok(Some(ParameterHeader {
        name: name.to_owned(),
        path: path.to_vec(),
    }))
}

fn mentions_annotation(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.contains_key(ANNOTATION) || members.values().any(mentions_annotation)
        }
        Value::Array(items) => items.iter().any(mentions_annotation),
        _ => false,
    }
}

fn is_header_name(name: &str) -> bool {
    let is_tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(is_tchar)
}

/// Checks the `Mcp-Param-*` headers of a modern `tools/call` against its arguments.
///
/// Headers that no annotation asks for are none of our business.
///
/// # Errors
/// [`Disagreement`] −32020 for a header that is missing, repeated, malformed, different from the
/// argument, or there without an argument.
pub fn agree_parameters(
    headers: &Headers<'_>,
    annotated: &[ParameterHeader],
    arguments: Option<&Map<String, Value>>,
) -> Result<(), Disagreement> {
    for parameter in annotated {
        let argument = arguments.and_then(|arguments| find(arguments, &parameter.path));
        let agrees = match (headers.parameter(&parameter.name), argument) {
            (Field::Absent, None) => true,
            (Field::Once(value), Some(argument)) => {
                decoded(value).is_some_and(|value| is_same(&value, argument))
            }
            _ => false,
        };
        if !agrees {
            let text = "an Mcp-Param header does not match request body";
            return Err(Disagreement::mismatch(text));
        }
    }
    Ok(())
}

/// The argument at a path; `null` is as good as absent.
fn find<'a>(arguments: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let start = arguments.get(first)?;
    let found = rest
        .iter()
        .try_fold(start, |value, key| value.as_object()?.get(key))?;
    (!found.is_null()).then_some(found)
}

fn is_same(header: &str, argument: &Value) -> bool {
    match argument {
        Value::String(text) => header == text,
        Value::Bool(value) => header == if *value { "true" } else { "false" },
        Value::Number(number) => {
            let safe = |value: &i64| (-MAX_SAFE..=MAX_SAFE).contains(value);
            let argument = number
                .as_i64()
                .or_else(|| number.as_f64().and_then(integer));
            argument
                .filter(safe)
                .is_some_and(|argument| parse_integer(header) == Some(argument))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Integers compare as numbers: `42.0` is `42`.
fn parse_integer(header: &str) -> Option<i64> {
    let is_numeric = header
        .bytes()
        .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    header
        .parse()
        .ok()
        .or_else(|| header.parse().ok().filter(|_| is_numeric).and_then(integer))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "in safe range"
)]
fn integer(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() <= MAX_SAFE as f64).then_some(value as i64)
}
