//! What the demonstration says: each step in plain words, with the decoded token beside it.

use std::io::{self, Write};

use serde_json::Value;

use super::walk::Answer;

/// Widest line of prose, in characters.
const WIDTH: usize = 92;

/// Writes to standard output; a reader that went away is nobody's problem.
pub(super) struct Narrator {
    steps: usize,
}

impl Narrator {
    pub(super) fn new() -> Self {
        Self { steps: 0 }
    }

    /// Begins a step.
    pub(super) fn step(&mut self, title: &str, text: &str) {
        self.steps += 1;
        say(&format!("\n{}. {title}\n", self.steps));
        say(&wrap(text));
    }

    /// Shows the claims of a token.
    pub(super) fn token(&self, name: &str, claims: &Value) {
        let pretty = serde_json::to_string_pretty(claims).unwrap_or_default();
        say(&format!("\n   {name}"));
        for line in pretty.lines() {
            say(&format!("   │ {line}"));
        }
    }

    /// Shows a status and what came with it.
    pub(super) fn answer(&self, answer: &Answer) {
        say(&format!("\n   → {}", answer.status));
        if let Some(challenge) = answer.header("www-authenticate") {
            say(&format!("   │ WWW-Authenticate: {challenge}"));
        }
        let json = answer.json();
        let shown = match json
            .pointer("/result/content/0/text")
            .and_then(Value::as_str)
        {
            Some(text) => text.to_owned(),
            None if json.is_null() => String::new(),
            None => json.to_string(),
        };
        for line in shown.lines().take(20) {
            say(&format!("   │ {line}"));
        }
    }

    /// Adds a remark.
    pub(super) fn note(&self, text: &str) {
        say(&format!("   · {text}"));
    }
}

/// Prints one or more lines.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn wrap(text: &str) -> String {
    let mut lines = vec![String::from("   ")];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.chars().count() + word.chars().count() > WIDTH {
            lines.push(format!("   {word}"));
        } else {
            if line.trim().is_empty() {
                line.push_str(word)
            } else {
                line.push_str(&format!(" {word}"))
            }
        }
    }
    lines.join("\n")
}
