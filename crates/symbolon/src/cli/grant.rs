//! `symbolon grant`: who lets which client use which server, and ending that.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use symbolon_net::{Clock, SystemClock};
use symbolon_protocol::ids::{ClientId, GrantId, OrganizationId, UserId};
use symbolon_storage::grant::{self, Grant as StoredGrant, GrantFilter};
use symbolon_storage::revocation::{self, Subject};
use symbolon_storage::{Connection, Page, StorageError, Store, user};

use super::open::{self, Migration};
use super::output::{Output, table};
use super::person;
use crate::config::Environment;

/// Grants read at once.
const PAGE: u16 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum Grant {
    /// Print grants, the newest first.
    List(List),
    /// End a grant: its refresh tokens at once, its access tokens within a second.
    Revoke {
        /// The grant, as `symbolon grant list` prints it.
        #[arg(value_name = "GRANT")]
        id: GrantId,
        /// Why, for the audit trail.
        #[arg(long, value_name = "TEXT", default_value = "revoked by an operator")]
        reason: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct List {
    /// Only grants of people of this organization.
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// Only grants of this person: a user id or an email address.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only grants to this client.
    #[arg(long, value_name = "ID")]
    client: Option<ClientId>,
    /// Revoked ones as well.
    #[arg(long)]
    all: bool,
}

impl Grant {
    pub(super) async fn run(
        self,
        path: &Path,
        environment: &Environment,
        output: &Output,
    ) -> Result<()> {
        let (_, store) = open::deployment(path, environment, Migration::Configured).await?;
        let done = match self {
            Self::List(list) => list.run(&store, output).await,
            Self::Revoke { id, reason } => revoke(&store, id, reason, environment, output).await,
        };
        store.close().await;
        done
    }
}

impl List {
    async fn run(self, store: &Store, output: &Output) -> Result<()> {
        let user = match &self.user {
            Some(name) => Some(
                person::find(store, self.organization.as_ref(), name)
                    .await?
                    .id,
            ),
            None => None,
        };
        let filter = GrantFilter {
            organization: self.organization,
            user,
            client: self.client,
            live_only: !self.all,
        };
        let read = store.read(move |c| Box::pin(async move { read(c, &filter).await }));
        let (grants, emails) = read.await?;
        let answer: Vec<Value> = grants.iter().map(|grant| as_json(grant, &emails)).collect();
        output.print(&json!({ "grants": answer }), || match grants.is_empty() {
            true => "No grants.".to_owned(),
            false => {
                let rows: Vec<_> = grants.iter().map(|grant| row(grant, &emails)).collect();
                table(&HEADING, &rows)
            }
        })
    }
}

/// Email addresses of people, where they have one.
type Emails = HashMap<UserId, String>;

async fn read(
    connection: &mut Connection,
    filter: &GrantFilter,
) -> Result<(Vec<StoredGrant>, Emails), StorageError> {
    let mut grants: Vec<StoredGrant> = Vec::new();
    loop {
        let after = grants.last().map(|grant| grant.id.clone());
        let page = grant::list(connection, filter, &Page { after, rows: PAGE }).await?;
        let is_last = page.len() < usize::from(PAGE);
        grants.extend(page);
        if is_last {
            break;
        }
    }
    let mut emails = Emails::new();
    for id in grants.iter().filter_map(|grant| grant.user.as_ref()) {
        if !emails.contains_key(id)
            && let Some(email) = user::find_anywhere(connection, id)
                .await?
                .and_then(|u| u.email)
        {
            emails.insert(id.clone(), email);
        }
    }
    Ok((grants, emails))
}

async fn revoke(
    store: &Store,
    id: GrantId,
    reason: String,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let wanted = id.clone();
    let found = store
        .read(move |c| Box::pin(async move { grant::find(c, &wanted).await }))
        .await?;
    let grant = found
        .with_context(|| format!("there is no grant {id}: `symbolon grant list` prints them"))?;
    if let Some(at) = grant.revoked_at {
        let answer = json!({ "grant": id, "revoked_at": at });
        return output.print(&answer, || {
            format!("Grant {id} was revoked already, at {at}.")
        });
    }
    let (subject, by) = (Subject::Grant(id.clone()), open::operator(environment));
    let now = SystemClock.now();
    let revoked = store
        .write(move |tx| {
            Box::pin(async move { revocation::revoke(tx, &subject, &reason, &by, now).await })
        })
        .await?;
    let answer = json!({ "grant": id, "revoked_at": revoked.at });
    output.print(&answer, || {
        format!(
            "Revoked grant {id}: {} may not use {} through it any more.",
            grant.client, grant.resource
        )
    })
}

const HEADING: [&str; 8] = [
    "grant",
    "user",
    "client",
    "issuer",
    "resource",
    "scopes",
    "last used",
    "state",
];

fn row(grant: &StoredGrant, emails: &Emails) -> Vec<String> {
    let user = match &grant.user {
        Some(id) => emails.get(id).cloned().unwrap_or_else(|| id.to_string()),
        None => "(the client itself)".to_owned(),
    };
    let state = match grant.revoked_at {
        Some(at) => format!("revoked {at}"),
        None => "live".to_owned(),
    };
    vec![
        grant.id.to_string(),
        user,
        grant.client.to_string(),
        grant.role.to_string(),
        grant.resource.clone(),
        grant.scopes.to_string(),
        grant.last_used_at.to_string(),
        state,
    ]
}

fn as_json(grant: &StoredGrant, emails: &Emails) -> Value {
    json!({
        "id": grant.id,
        "issuer": grant.role,
        "organization": grant.organization,
        "user": grant.user,
        "email": grant.user.as_ref().and_then(|id| emails.get(id)),
        "client": grant.client,
        "resource": grant.resource,
        "scopes": grant.scopes.iter().collect::<Vec<_>>(),
        "origin": grant.origin.as_str(),
        "created_at": grant.created_at,
        "last_used_at": grant.last_used_at,
        "revoked_at": grant.revoked_at,
    })
}
