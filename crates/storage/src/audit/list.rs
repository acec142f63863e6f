//! Reading the audit trail, the newest event first, in pages.

use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::time::Timestamp;

use super::chain::Recorded;
use crate::engine::args;
use crate::{Connection, StorageError};

/// Events of one page at most.
const MAX_PAGE: u32 = 500;

/// Whose events are read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Scope {
    /// Those of every organization and of the deployment: for deployment administrators only.
    #[default]
    Everything,
    /// Those of the deployment itself.
    Deployment,
    /// Those of one organization.
    Organization(OrganizationId),
}

/// Which events are read; everything that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Whose.
    pub scope: Scope,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub before: Option<Timestamp>,
    /// Exactly this actor.
    pub actor: Option<String>,
    /// Exactly this action.
    pub action: Option<String>,
    /// `allowed`, `denied` or `done`.
    pub outcome: Option<String>,
    /// Of this request.
    pub request_id: Option<String>,
    /// This text occurs in the details, such as a user, client or grant id.
    pub mentions: Option<String>,
}

/// One page of events, the newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The events.
    pub events: Vec<Recorded>,
    /// Where the next page begins, if there is one; see [`list`].
    pub next: Option<i64>,
}

/// Reads a page: the first one, or the one that `after` (the `next` of a page) begins.
///
/// # Errors
/// [`StorageError`].
pub async fn list(
    connection: &mut Connection,
    filter: &Filter,
    after: Option<i64>,
    limit: u32,
) -> Result<Page, StorageError> {
    let limit = i64::from(limit.clamp(1, MAX_PAGE));
    let organization = match &filter.scope {
        Scope::Everything => None,
        Scope::Deployment => Some(""),
        Scope::Organization(id) => Some(id.as_str()),
    };
    let mut events: Vec<Recorded> = connection
        .fetch_all(
            "SELECT seq, organization, at, actor, action, outcome, reason, request_id, details,
                    position, hash
             FROM audit_event
             WHERE seq < $1
               AND ($2 IS NULL OR organization = $2)
               AND ($3 IS NULL OR at >= $3)
               AND ($4 IS NULL OR at < $4)
               AND ($5 IS NULL OR actor = $5)
               AND ($6 IS NULL OR action = $6)
               AND ($7 IS NULL OR outcome = $7)
               AND ($8 IS NULL OR request_id = $8)
               AND ($9 IS NULL OR details LIKE $9 ESCAPE '\\')
             ORDER BY seq DESC LIMIT $10",
            args![
                after.unwrap_or(i64::MAX),
                organization,
                filter.from,
                filter.before,
                filter.actor.as_deref(),
                filter.action.as_deref(),
                filter.outcome.as_deref(),
                filter.request_id.as_deref(),
                filter.mentions.as_deref().map(pattern),
                limit + 1,
            ],
        )
        .await?;
    let has_more = events.len() as i64 > limit;
    events.truncate(limit as usize);
    let next = events.last().filter(|_| has_more).map(|event| event.seq);
    Ok(Page { events, next })
}

/// The `LIKE` pattern of texts that contain this one.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
