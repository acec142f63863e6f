//! `symbolon user`: people, and cutting somebody off.

use std::path::Path;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use symbolon_net::{Clock, SystemClock};
use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::audit::{self, Action, AuditEvent, By};
use symbolon_storage::revocation::{self, Revoked, Subject};
use symbolon_storage::user::{self, User as Person};
use symbolon_storage::{Connection, Page, StorageError, Store, Transaction};

use super::open::{self, Migration};
use super::output::{Output, table};
use super::person;
use crate::config::Environment;

/// People read at once.
const PAGE: u16 = 500;

const DISABLED: Action = Action::named("user.disabled");
const ENABLED: Action = Action::named("user.enabled");

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Print the people of an organization.
    List {
        /// Which one.
        #[arg(long, value_name = "ID")]
        organization: OrganizationId,
    },
    /// Cut a person off: no sign-in any more, and every session, grant and refresh token ends.
    Revoke {
        #[command(flatten)]
        person: Named,
        /// Why, for the audit trail.
        #[arg(long, value_name = "TEXT", default_value = "revoked by an operator")]
        reason: String,
    },
    /// Let a person sign in again; what was ended stays ended.
    Enable {
        #[command(flatten)]
        person: Named,
    },
}

#[derive(Args, Debug)]
pub(super) struct Named {
    /// A user id, or an email address.
    #[arg(value_name = "USER")]
    name: String,
    /// Look in this organization only.
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
}

impl Named {
    async fn find(&self, store: &Store) -> Result<Person> {
        person::find(store, self.organization.as_ref(), &self.name).await
    }
}

impl User {
    pub(super) async fn run(
        self,
        path: &Path,
        environment: &Environment,
        output: &Output,
    ) -> Result<()> {
        let (_, store) = open::deployment(path, environment, Migration::Configured).await?;
        let by = open::operator(environment);
        let done = match self {
            Self::List { organization } => list(&store, organization, output).await,
            Self::Revoke { person, reason } => {
                revoke(&store, person.find(&store).await?, reason, by, output).await
            }
            Self::Enable { person } => enable(&store, person.find(&store).await?, by, output).await,
        };
        store.close().await;
        done
    }
}

async fn list(store: &Store, organization: OrganizationId, output: &Output) -> Result<()> {
    let read = store.read(move |c| Box::pin(async move { read(c, &organization).await }));
    let people = read.await?;
    let answer: Vec<Value> = people.iter().map(as_json).collect();
    output.print(&json!({ "users": answer }), || match people.is_empty() {
        true => "Nobody yet: people appear when they first sign in.".to_owned(),
        false => table(&HEADING, &people.iter().map(row).collect::<Vec<_>>()),
    })
}

async fn read(
    connection: &mut Connection,
    organization: &OrganizationId,
) -> Result<Vec<Person>, StorageError> {
    let mut people: Vec<Person> = Vec::new();
    loop {
        let after = people.last().map(|person| person.id.clone());
        let page = user::list(connection, organization, &Page { after, rows: PAGE }).await?;
        let is_last = page.len() < usize::from(PAGE);
        people.extend(page);
        if is_last {
            return Ok(people);
        }
    }
}

async fn revoke(
    store: &Store,
    person: Person,
    reason: String,
    by: By,
    output: &Output,
) -> Result<()> {
    let name = person::describe(&person);
    let answer_id = person.id.clone();
    let now = SystemClock.now();
    let revoked = store
        .write(move |tx| Box::pin(async move { cut_off(tx, &person, &reason, &by, now).await }))
        .await?;
    let answer = json!({
        "user": answer_id,
        "state": "disabled",
        "grants": revoked.grants,
        "sessions": revoked.sessions,
    });
    output.print(&answer, || {
        format!(
            "Cut off {name}: {} grants and {} sessions ended. Every gateway refuses within a \
             second;\nservers that check tokens themselves, when their tokens expire.",
            revoked.grants, revoked.sessions
        )
    })
}

/// Ends everything with the operator's reason, then disables; all in one transaction.
async fn cut_off(
    tx: &mut Transaction,
    person: &Person,
    reason: &str,
    by: &By,
    now: Timestamp,
) -> Result<Revoked, StorageError> {
    let subject = Subject::User(person.id.clone());
    let revoked = revocation::revoke(tx, &subject, reason, by, now).await?;
    if user::disable(tx, &person.organization, &person.id, by, now).await? {
        let event = event(DISABLED, person, by, now).with("reason", reason);
        audit::append(tx, &event).await?;
    }
    Ok(revoked)
}

async fn enable(store: &Store, person: Person, by: By, output: &Output) -> Result<()> {
    let name = person::describe(&person);
    let answer = json!({ "user": person.id, "state": "active" });
    let now = SystemClock.now();
    let is_changed = store
        .write(move |tx| {
            Box::pin(async move {
                let is_changed = user::enable(tx, &person.organization, &person.id).await?;
                if is_changed {
                    audit::append(tx, &event(ENABLED, &person, &by, now)).await?;
                }
                Ok::<_, StorageError>(is_changed)
            })
        })
        .await?;
    ensure!(
        is_changed,
        "{name} is not disabled: there is nothing to enable"
    );
    output.print(&answer, || format!("{name} may sign in again."))
}

fn event(action: Action, person: &Person, by: &By, now: Timestamp) -> AuditEvent {
    AuditEvent::new(action, by, now)
        .of(&person.organization)
        .with_text("user", &person.id)
}

const HEADING: [&str; 5] = ["user", "email", "name", "state", "since"];

fn row(person: &Person) -> Vec<String> {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    vec![
        person.id.to_string(),
        or_dash(&person.email),
        or_dash(&person.name),
        person.state.to_string(),
        person.created_at.to_string(),
    ]
}

fn as_json(person: &Person) -> Value {
    json!({
        "id": person.id,
        "organization": person.organization,
        "email": person.email,
        "name": person.name,
        "state": person.state.as_str(),
        "created_at": person.created_at,
    })
}
