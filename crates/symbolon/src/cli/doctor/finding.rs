//! What the doctor found: a line each, `ok|warning|problem: what - what to change`.

use std::error::Error;
use std::fmt;

use serde::Serialize;

/// Everything that was found, in order.
#[derive(Debug, Default, Serialize)]
pub(super) struct Findings {
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Finding {
    level: Level,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warning,
    Problem,
}

impl Findings {
    pub(super) fn ok(&mut self, what: impl Into<String>) {
        self.findings.push(Finding {
            level: Level::Ok,
            what: what.into(),
            change: None,
        });
    }

    /// Something works, but not as well as it could.
    pub(super) fn warning(&mut self, what: impl Into<String>, change: impl Into<String>) {
        let (what, change) = (what.into(), Some(change.into()));
        self.findings.push(Finding {
            level: Level::Warning,
            what,
            change,
        });
    }

    /// Something does not work.
    pub(super) fn problem(&mut self, what: impl Into<String>, change: impl Into<String>) {
        let (what, change) = (what.into(), Some(change.into()));
        self.findings.push(Finding {
            level: Level::Problem,
            what,
            change,
        });
    }

    /// Something does not work, and its error says what to change.
    pub(super) fn error(&mut self, error: &anyhow::Error) {
        let what = format!("{error:#}");
        self.findings.push(Finding {
            level: Level::Problem,
            what,
            change: None,
        });
    }

    pub(super) fn has_problem(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.level == Level::Problem)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (
            index,
            Finding {
                level,
                what,
                change,
            },
        ) in self.findings.iter().enumerate()
        {
            let level = match level {
                Level::Ok => "ok",
                Level::Warning => "warning",
                Level::Problem => "problem",
            };
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{level}: {what}")?;
            if let Some(change) = change {
                write!(f, " - {change}")?;
            }
        }
        Ok(())
    }
}

/// An error with its causes in one line, each said once.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let more = current.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = current.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_with_what_to_change() {
        let mut findings = Findings::default();
        findings.ok("the database opens");
        findings.problem("the key is readable by others", "chmod 600 symbolon.kek");

        assert_eq!(
            findings.to_string(),
            "ok: the database opens\n\
             problem: the key is readable by others - chmod 600 symbolon.kek"
        );
        assert!(findings.has_problem());
    }

    #[test]
    fn a_warning_is_no_problem() {
        let mut findings = Findings::default();
        findings.warning("no keys yet", "start `symbolon serve`");

        assert!(!findings.has_problem());
    }
}
