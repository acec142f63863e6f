//! How deeply a text could nest, found before it is parsed.
//!
//! Cedar's parser and validator descend into a text recursively, and a text that nests a thousand
//! times ends the process. The text of one organization must not do that to the others, so a bound
//! on its depth is counted from its tokens alone: brackets, and operators in a row. The bound is
//! never too low; it starts anew at each comma and each policy, because what stands beside each
//! other does not nest.

/// Deepest text that is parsed. A third of it, as brackets, fills half of a thread's usual stack in
/// a debug build.
const MAX_DEPTH: usize = 300;
/// A bracket leads the parser through every level of precedence.
const BRACKET: usize = 5;

/// Where a text nests too deeply: the byte offset.
pub(crate) fn find_too_deep(text: &str) -> Option<usize> {
    let mut depth = Depth { levels: vec![0] };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = token(rest, first);
        depth.take(&rest[..length], first);
        if depth.total() > MAX_DEPTH {
            return Some(text.len() - rest.len());
        }
        rest = &rest[length..];
    }
    None
}

struct Depth {
    /// Operators so far, in each bracket that is open.
    levels: Vec<usize>,
}

impl Depth {
    fn total(&self) -> usize {
        self.levels.iter().sum::<usize>() + self.levels.len() * BRACKET
    }

    fn take(&mut self, token: &str, first: char) {
        match first {
            '(' | '[' | '{' => {
                self.add(1);
                self.levels.push(0);
            }
            ')' | ']' | '}' if self.levels.len() > 1 => {
                self.levels.pop();
            }
            ',' => self
                .levels
                .last_mut()
                .into_iter()
                .for_each(|level| *level = 0),
            ';' => self.levels = vec![0],
            '!' | '-' | '+' | '*' | '.' | '<' | '>' | '=' | '&' | '|' | '%' | '/' => {
                self.add(usize::from(!token.starts_with("//")));
            }
            _ => self.add(usize::from(is_operator(token))),
        }
    }

    fn add(&mut self, operators: usize) {
        self.levels
            .last_mut()
            .into_iter()
            .for_each(|level| *level += operators);
    }
}

fn is_operator(word: &str) -> bool {
    matches!(
        word,
        "if" | "then" | "else" | "has" | "like" | "in" | "is" | "when" | "unless"
    )
}

/// The length of the token at the start of a text: a comment, string, word or single character.
fn token(text: &str, first: char) -> usize {
    let end = |found: Option<usize>| found.unwrap_or(text.len());
    match first {
        '/' if text.starts_with("//") => end(text.find('\n')),
        '"' => string(text),
        '&' | '|' | '=' | '<' | '>' | '!' => {
            let is_pair = ["&&", "||", "==", "<=", ">=", "!="]
                .iter()
                .any(|op| text.starts_with(op));
            1 + usize::from(is_pair)
        }
        _ if is_word(first) => end(text.find(|c| !is_word(c))),
        _ => first.len_utf8(),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn string(text: &str) -> usize {
    let mut is_escaped = false;
    for (offset, c) in text.char_indices().skip(1) {
        match c {
            '"' if !is_escaped => return offset + 1,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_each_other_does_not_nest() {
        let groups = vec!["Group::\"acme-oidc/(((!!!\""; 1000].join(", ");
        let policy = format!("permit(principal in [{groups}], action, resource);\n// ((((\n");

        assert_eq!(find_too_deep(&policy.repeat(3)), None);
    }

    #[test]
    fn every_way_to_nest_is_counted() {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("{", "}"),
            ("!", ""),
            ("-", ""),
            ("true&&", ""),
            ("1+", ""),
            ("a.", ""),
            ("a[\"b\"]", ""),
            ("if a then ", ""),
            ("a has b||", ""),
            ("when{a}", ""),
            ("a==b", ""),
            ("a!=b", ""),
            ("\"\\\"\"||", ""),
            ("a.b(c)", ""),
        ] {
            let text = format!("{}x{}", open.repeat(400), close.repeat(400));
            assert!(find_too_deep(&text).is_some(), "{open}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_counted(text in "\\PC*") {
            let _ = find_too_deep(&text);
        }
    }
}
