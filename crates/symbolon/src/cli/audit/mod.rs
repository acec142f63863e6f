//! `symbolon audit`: reading and verifying the audit trail (design §10).

mod line;
mod verify;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use serde_json::json;
use symbolon_protocol::ids::{OrganizationId, UserId};
use symbolon_storage::Store;
use symbolon_storage::audit::{self, Filter, Recorded, Scope};

use super::open::{self, Migration};
use super::output::Output;
use super::person;
use crate::config::Environment;

/// Events read at once.
const PAGE: u32 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Check that no event was changed, removed or inserted; exit code 1 on any fault.
    Verify {
        /// Only the chain of this organization.
        #[arg(long, value_name = "ID")]
        organization: Option<OrganizationId>,
    },
    /// Print events, the newest first.
    List(List),
}

#[derive(Args, Debug)]
pub(super) struct List {
    /// Only the events of this organization.
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// This many at most.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Only this action, such as access.revoked.
    #[arg(long, value_name = "NAME")]
    action: Option<String>,
    /// Only what this person did, or what was done to them: a user id or an email address.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

impl Audit {
    pub(super) async fn run(
        self,
        path: &Path,
        environment: &Environment,
        output: &Output,
    ) -> Result<ExitCode> {
        let (_, store) = open::deployment(path, environment, Migration::Configured).await?;
        let code = match self {
            Self::Verify { organization } => verify::run(&store, organization, output).await,
            Self::List(list) => list.run(&store, output).await,
        };
        store.close().await;
        code
    }
}

impl List {
    async fn run(self, store: &Store, output: &Output) -> Result<ExitCode> {
        let mut events = Vec::new();
        for filter in self.filters(store).await? {
            events.extend(read(store, filter, self.limit).await?);
        }
        events.sort_by_key(|event| std::cmp::Reverse(event.seq));
        events.dedup_by_key(|event| event.seq);
        events.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let answer: Vec<_> = events.iter().map(line::json).collect();
        output.print(&json!({ "events": answer }), || match events.is_empty() {
            true => "No events.".to_owned(),
            false => events.iter().map(line::text).collect::<Vec<_>>().join("\n"),
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// One filter; for a person two: as the one who acts, and as the one it is about.
    async fn filters(&self, store: &Store) -> Result<Vec<Filter>> {
        let organization = self.organization.clone();
        let base = Filter {
            scope: organization.map_or(Scope::Everything, Scope::Organization),
            action: self.action.clone(),
            ..Filter::default()
        };
        let Some(user) = &self.user else {
            return Ok(vec![base]);
        };
        // Somebody who was deleted still has a past, so an id need not exist.
        let id = match UserId::parse(user) {
            Ok(id) => id,
            Err(_) => {
                person::find(store, self.organization.as_ref(), user)
                    .await?
                    .id
            }
        };
        let acting = Filter {
            actor: Some(format!("user/{id}")),
            ..base.clone()
        };
        Ok(vec![
            acting,
            Filter {
                mentions: Some(id.to_string()),
                ..base
            },
        ])
    }
}

/// The trail of an organization as readable lines, the oldest first, and how many events verify.
///
/// # Errors
/// The chain has a fault, or the database cannot be read.
pub(crate) async fn trail(
    store: &Store,
    organization: &OrganizationId,
) -> Result<(Vec<String>, u64)> {
    let report = verify::chain(store, organization.as_str()).await?;
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    ensure!(
        faults.is_empty(),
        "the audit trail of {organization}: {}",
        faults.join("; ")
    );
    let scope = Scope::Organization(organization.clone());
    let events = read(
        store,
        Filter {
            scope,
            ..Filter::default()
        },
        u32::MAX,
    )
    .await?;
    Ok((events.iter().rev().map(line::text).collect(), report.events))
}

/// Reads up to `limit` events, the newest first, page by page.
async fn read(store: &Store, filter: Filter, limit: u32) -> Result<Vec<Recorded>> {
    let mut events: Vec<Recorded> = Vec::new();
    let mut after = None;
    loop {
        let wanted = limit.saturating_sub(u32::try_from(events.len()).unwrap_or(u32::MAX));
        let (filter, rows) = (filter.clone(), wanted.min(PAGE));
        let list = store
            .read(move |c| Box::pin(async move { audit::list(c, &filter, after, rows).await }));
        let page = list.await?;
        events.extend(page.events);
        after = page.next;
        if after.is_none() || wanted <= PAGE {
            return Ok(events);
        }
    }
}
