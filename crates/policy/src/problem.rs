//! What is wrong with a definition, where, and what to change.

use std::fmt;

use cedar_policy::ffi::DetailedError;
use symbolon_protocol::ids::OrganizationId;

/// Why a policy or an assignment was not accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub struct PolicyProblem {
    /// The organization it belongs to.
    pub organization: OrganizationId,
    /// Which one: `policy no-writes-at-night`, `assignment engineering-tracker`.
    pub subject: String,
    /// Line of the Cedar text, from 1; `None` where no line is to blame.
    pub line: Option<usize>,
    /// What is wrong and what to change.
    pub message: String,
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.subject, self.organization)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// A line of a text, and what is wrong there.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) line: Option<usize>,
    pub(crate) message: String,
}

impl Finding {
    /// Somewhere in the text.
    pub(crate) fn anywhere(message: impl Into<String>) -> Self {
        Self {
            line: None,
            message: message.into(),
        }
    }

    /// On the line on which byte `offset` lies.
    pub(crate) fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let line = text
            .bytes()
            .take(offset)
            .filter(|&byte| byte == b'\n')
            .count()
            + 1;
        Self {
            line: Some(line),
            message: message.into(),
        }
    }

    /// What Cedar says, with its advice.
    pub(crate) fn from_cedar(text: &str, error: &DetailedError) -> Self {
        let said = error
            .message
            .strip_prefix("for policy `")
            .and_then(|rest| rest.split_once("`, "));
        let mut message = said
            .map_or(error.message.as_str(), |(_, message)| message)
            .to_owned();
        if let Some(help) = &error.help {
            message.push_str("; ");
            message.push_str(help);
        }
        match error.source_locations.first() {
            Some(label) => Self::at(text, label.loc.start, message),
            None => Self::anywhere(message),
        }
    }

    pub(crate) fn of(self, organization: &OrganizationId, subject: &str) -> PolicyProblem {
        PolicyProblem {
            organization: organization.clone(),
            subject: subject.to_owned(),
            line: self.line,
            message: self.message,
        }
    }
}
