//! The issues.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{answer::Failure, tools};

/// An issue of the project.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Issue {
    pub(super) id: &'static str,
    title: &'static str,
    status: Status,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Open,
    Closed,
}

/// The issues of the project, in memory.
pub(super) struct Tracker(Mutex<Vec<Issue>>);

impl Default for Tracker {
    fn default() -> Self {
        let issue = |id, title, status| Issue { id, title, status };
        Self(Mutex::new(vec![
            issue("TR-1", "Sign-in asks for a second account", Status::Open),
            issue(
                "TR-2",
                "Tokens outlive the people they belong to",
                Status::Open,
            ),
            issue("TR-3", "Nobody knows who called which tool", Status::Open),
            issue("TR-4", "Say hello", Status::Closed),
        ]))
    }
}

impl Tracker {
    /// `list_issues`.
    pub(super) fn list(
        &self,
        arguments: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let wanted = match arguments.get("status").map(Value::as_str) {
            None => None,
            Some(Some("open")) => Some(Status::Open),
            Some(Some("closed")) => Some(Status::Closed),
            Some(_) => return Ok(tools::refused("status must be \"open\" or \"closed\"")),
        };
        let mut issues = self.all();
        issues.retain(|issue| wanted.is_none_or(|wanted| issue.status == wanted));
        Ok(tools::structured(&json!({ "issues": issues })))
    }

    /// `close_issue`.
    pub(super) fn close(
        &self,
        arguments: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let id = arguments.get("id").and_then(Value::as_str);
        let id = id.ok_or(Failure::invalid_params("arguments.id is missing"))?;
        let mut issues = self.lock();
        let Some(issue) = issues.iter_mut().find(|issue| issue.id == id) else {
            return Ok(tools::refused(
                "there is no issue with this id: list_issues names them",
            ));
        };
        issue.status = Status::Closed;
        Ok(tools::structured(&json!({ "issue": issue })))
    }

    /// Every issue.
    pub(super) fn all(&self) -> Vec<Issue> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Issue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
