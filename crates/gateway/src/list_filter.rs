//! Lists show what the caller may use (requirements RS-35, N-221).
//!
//! The result of `tools/list`, `resources/list`, `resources/templates/list` or `prompts/list` is
//! rewritten: entries that policy denies are left out and `cacheScope` becomes `private`. Every
//! other message stays as it is, byte for byte. A list that cannot be read is not passed on.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::raw_object::RawObject;

/// What the entries of a list are.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Entry {
    /// A tool, by `name`.
    Tool,
    /// A resource, by `uri`.
    Resource,
    /// A resource template, by `uriTemplate`.
    ResourceTemplate,
    /// A prompt, by `name`.
    Prompt,
}

/// The member of a result that is a list, and what it lists.
const LISTS: [(&str, Entry); 4] = [
    ("tools", Entry::Tool),
    ("resources", Entry::Resource),
    ("resourceTemplates", Entry::ResourceTemplate),
    ("prompts", Entry::Prompt),
];

/// A list in a form that we do not understand, or in two forms at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the list is not readable")]
pub(crate) struct UnreadableList;

/// An entry with the name under which policy knows it.
#[derive(Debug)]
pub(crate) struct Named<'a> {
    /// Its name or URI.
    pub(crate) name: String,
    /// The whole entry.
    pub(crate) entry: &'a RawValue,
}

/// Says for each entry of a list whether the caller sees it; an entry without answer is not seen.
pub(crate) type Show<'s> = dyn FnMut(Entry, &[Named<'_>]) -> Vec<bool> + 's;

/// The message with the entries that are shown; `None` when it carries no list.
///
/// # Errors
/// [`UnreadableList`]: do not pass the message on.
pub(crate) fn filter(
    message: &[u8],
    show: &mut Show<'_>,
) -> Result<Option<String>, UnreadableList> {
    // Cheap for the messages that are no lists, which is nearly all of an event stream.
    if !may_be_list(message) {
        return Ok(None);
    }
    let message = RawObject::parse(message).ok_or(UnreadableList)?;
    let Some(result) = message.member("result") else {
        return Ok(None);
    };
    let Some(result) = filter_result(result, show)? else {
        return Ok(None);
    };
    Ok(Some(message.with(&[("result", &result)])))
}

fn filter_result(result: &RawValue, show: &mut Show<'_>) -> Result<Option<String>, UnreadableList> {
    if !result.get().starts_with('{') {
        return Ok(None);
    }
    let result = RawObject::parse(result.get().as_bytes()).ok_or(UnreadableList)?;
    let mut replaced = vec![("cacheScope", r#""private""#.to_owned())];
    for (member, entry) in LISTS {
        let Some(list) = result.member(member) else {
            continue;
        };
        replaced.push((member, filter_list(list, entry, show)?));
    }
    if replaced.len() == 1 {
        return Ok(None);
    }
    let replaced: Vec<(&str, &str)> = replaced.iter().map(|(n, v)| (*n, v.as_str())).collect();
    Ok(Some(result.with(&replaced)))
}

fn filter_list(
    list: &RawValue,
    entry: Entry,
    show: &mut Show<'_>,
) -> Result<String, UnreadableList> {
    let entries: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(|_| UnreadableList)?;
    let named = |value| {
        Some(Named {
            name: name_of(entry, value)?,
            entry: value,
        })
    };
    let named: Vec<Named<'_>> = entries.into_iter().filter_map(named).collect();
    let shown = show(entry, &named);
    let mut out = String::with_capacity(list.get().len());
    out.push('[');
    for (named, _) in named.iter().zip(shown).filter(|(_, is_shown)| *is_shown) {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(named.entry.get());
    }
    out.push(']');
    Ok(out)
}

/// The name under which policy knows an entry; one without a name cannot be decided and falls.
fn name_of(entry: Entry, value: &RawValue) -> Option<String> {
    let member = match entry {
        Entry::Tool | Entry::Prompt => "name",
        Entry::Resource => "uri",
        Entry::ResourceTemplate => "uriTemplate",
    };
    let object = RawObject::parse(value.get().as_bytes())?;
    String::deserialize(object.member(member)?).ok()
}

/// Whether the text could hold a list: a name of one, written plainly or with an escape.
fn may_be_list(message: &[u8]) -> bool {
    message.contains(&b'\\')
        || LISTS.iter().any(|(name, _)| {
            message
                .windows(name.len())
                .any(|window| window == name.as_bytes())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(message: &str, allowed: &[&str]) -> Result<Option<String>, UnreadableList> {
        filter(message.as_bytes(), &mut |_, named| {
            named
                .iter()
                .map(|named| allowed.contains(&named.name.as_str()))
                .collect()
        })
    }

    /// RS-35, N-221.
    #[test]
    fn denied_tools_are_left_out_and_the_answer_is_private() {
        let message = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"read","n":1e400},{"name":"drop"}],"ttlMs":5,"cacheScope":"public","nextCursor":"c"}}"#;
        assert_eq!(
            run(message, &["read"]).unwrap().unwrap(),
            r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"read","n":1e400}],"ttlMs":5,"cacheScope":"private","nextCursor":"c"}}"#
        );
    }

    #[test]
    fn each_kind_of_list_has_its_name() {
        for (list, entry) in [
            ("resources", r#"{"uri":"x"}"#),
            ("resourceTemplates", r#"{"uriTemplate":"x"}"#),
            ("prompts", r#"{"name":"x"}"#),
        ] {
            let message = format!(r#"{{"result":{{"{list}":[{entry}]}}}}"#);
            let kept = format!(r#"{{"result":{{"{list}":[{entry}],"cacheScope":"private"}}}}"#);
            let none = format!(r#"{{"result":{{"{list}":[],"cacheScope":"private"}}}}"#);
            assert_eq!(run(&message, &["x"]).unwrap(), Some(kept));
            assert_eq!(run(&message, &[]).unwrap(), Some(none));
        }
    }

    #[test]
    fn other_messages_are_not_touched() {
        for message in [
            r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"tools"}]}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no tools"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"tools":[]}}"#,
        ] {
            assert_eq!(run(message, &[]), Ok(None), "{message}");
        }
    }

    #[test]
    fn what_cannot_be_read_or_named_is_not_shown() {
        for message in [
            r#"{"result":{"tools":[{"name":"a"}],"tools":[]}}"#,
            r#"{"result":{"tools":{"name":"a"}}}"#,
            r#"[{"result":{"tools":[{"name":"a"}]}}]"#,
            r#"{"result":{"tools":[{"name":"a"}]}"#,
        ] {
            assert_eq!(run(message, &["a"]), Err(UnreadableList), "{message}");
        }
        let unnamed = r#"{"result":{"tools":[{"name":1},{"title":"a"},{"name":"a","name":"b"}]}}"#;
        let empty = r#"{"result":{"tools":[],"cacheScope":"private"}}"#;
        assert_eq!(run(unnamed, &["a", "b", "1"]).unwrap().unwrap(), empty);
    }

    #[test]
    fn an_escaped_member_name_is_understood() {
        let message = r#"{"result":{"\u0074ools":[{"name":"\u0061"},{"name":"b"}]}}"#;
        let kept = r#"{"result":{"tools":[{"name":"\u0061"}],"cacheScope":"private"}}"#;
        assert_eq!(run(message, &["a"]).unwrap().unwrap(), kept);
    }
}
