//! Scopes in words: what a person reads on the consent page (AS-41).
//!
//! A scope is a name that a server's maintainer chose. Names of the common form `thing:verb` become
//! a sentence; every other one is shown as it is. The scope itself always stands beside its words.

/// The words for a scope.
pub(crate) fn words(scope: &str) -> String {
    if let Some(words) = standard(scope) {
        return words.to_owned();
    }
    let parts: Vec<&str> = scope
        .split([':', '.', '/'])
        .filter(|part| !part.is_empty())
        .collect();
    let plain = |part: &&str| {
        part.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if !parts.iter().all(plain) {
        return format!("Use “{scope}”");
    }
    match parts.as_slice() {
        [things @ .., last] if !things.is_empty() => match verb(last) {
            Some(verb) => format!("{verb} {}", spaced(things)),
            None => match things {
                [first, rest @ ..] if verb(first).is_some() => {
                    let things: Vec<&str> = rest.iter().chain([last]).copied().collect();
                    format!("{} {}", verb(first).unwrap_or_default(), spaced(&things))
                }
                _ => format!("Use “{scope}”"),
            },
        },
        [only] => match verb(only) {
            Some(verb) => format!("{verb} everything it offers"),
            None => format!("Use “{scope}”"),
        },
        _ => format!("Use “{scope}”"),
    }
}

fn standard(scope: &str) -> Option<&'static str> {
    Some(match scope {
        "openid" => "Who you are, and that you signed in",
        "email" => "Your email address",
        "profile" => "Your name",
        "offline_access" => "All this also while you are away",
        _ => return None,
    })
}

fn verb(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "read" | "view" | "readonly" | "get" | "list" => "Read",
        "write" | "update" | "edit" | "modify" => "Create and change",
        "create" | "add" => "Create",
        "delete" | "remove" => "Delete",
        "comment" => "Comment on",
        "search" => "Search",
        "send" => "Send",
        "execute" | "run" | "call" | "invoke" => "Run",
        "admin" | "manage" | "full" => "Administer",
        _ => return None,
    })
}

fn spaced(parts: &[&str]) -> String {
    parts.join(" ").replace(['-', '_'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_names_become_sentences() {
        for (scope, expected) in [
            ("issues:read", "Read issues"),
            ("issues:write", "Create and change issues"),
            (
                "repo.pull_requests.comment",
                "Comment on repo pull requests",
            ),
            ("read:user-profiles", "Read user profiles"),
            ("admin", "Administer everything it offers"),
            ("openid", "Who you are, and that you signed in"),
        ] {
            assert_eq!(words(scope), expected, "{scope}");
        }
    }

    #[test]
    fn other_names_are_shown_as_they_are() {
        for scope in [
            "mcp:tools",
            "sync",
            "https://api.example/mail.read?x",
            "a:b:c",
            ":",
        ] {
            assert_eq!(words(scope), format!("Use “{scope}”"), "{scope}");
        }
    }
}
