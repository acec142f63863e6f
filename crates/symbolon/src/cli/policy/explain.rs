//! `symbolon policy explain`: asks the engine that `serve` asks, about the facts in the database.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Map, Value, json};
use symbolon_net::{Clock, SystemClock};
use symbolon_policy::{Context as Circumstances, Explanation, Groups, Principal, Request};
use symbolon_protocol::ids::{ClientId, OrganizationId};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::Store;
use symbolon_storage::group::{self, Groups as KnownGroups};
use symbolon_storage::user::User;

use super::Decider;
use super::question::{Asked, Question};
use crate::cli::output::{Output, table};
use crate::cli::person;

#[derive(Args, Debug)]
pub(in crate::cli) struct Explain {
    /// Whose policies decide.
    #[arg(long, value_name = "ID")]
    organization: OrganizationId,
    /// Who asks: a user id or an email address; without it, the client for itself.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Through which client.
    #[arg(long, value_name = "ID")]
    client: ClientId,
    /// Where the client is registered: as (the default), or idp/ORGANIZATION.
    #[arg(long, value_name = "ISSUER")]
    issuer: Option<IssuerRole>,
    #[command(flatten)]
    asked: Asked,
    /// Authentication context class of the sign-in.
    #[arg(long, value_name = "CLASS")]
    acr: Option<String>,
    /// How long ago the person signed in.
    #[arg(long, value_name = "SECONDS")]
    auth_age: Option<u64>,
    /// Arguments of the tool call, as a JSON object; without them they count as unknown.
    #[arg(long, value_name = "JSON", value_parser = object)]
    arguments: Option<Map<String, Value>>,
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))
}

/// A person with what is known about their groups.
struct Known {
    user: User,
    groups: KnownGroups,
}

impl Explain {
    pub(super) async fn run(&self, store: &Store, output: &Output) -> Result<ExitCode> {
        let now = SystemClock.now();
        let decider = Decider::load(store).await?;
        decider.check_organization(&self.organization)?;
        let person = self.person(store, now).await?;
        let at_idp = matches!(self.issuer, Some(IssuerRole::Idp(_)));
        let questions = self
            .asked
            .questions(&decider.directory, &self.organization, at_idp)?;
        ensure!(
            !questions.is_empty(),
            "there is nothing to ask: it has no scopes and no tools"
        );
        let answers: Vec<(Question, Explanation)> = questions
            .into_iter()
            .map(|question| {
                let explanation = self.ask(&decider, person.as_ref(), &question, now);
                (question, explanation)
            })
            .collect();
        let is_allowed = answers
            .iter()
            .any(|(_, explanation)| explanation.decision.is_allow());
        output.print(&self.json(person.as_ref(), &answers, is_allowed), || {
            self.text(person.as_ref(), &answers)
        })?;
        Ok(if is_allowed {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    async fn person(&self, store: &Store, now: Timestamp) -> Result<Option<Known>> {
        let Some(name) = &self.user else {
            return Ok(None);
        };
        let user = person::find(store, Some(&self.organization), name).await?;
        let id = user.id.clone();
        let read = store.read(move |c| Box::pin(async move { group::facts(c, &id, now).await }));
        let groups = read.await.context("the groups of the person")?.groups;
        Ok(Some(Known { user, groups }))
    }

    fn ask(
        &self,
        decider: &Decider,
        person: Option<&Known>,
        question: &Question,
        now: Timestamp,
    ) -> Explanation {
        let issuer = self.issuer(question);
        let client = decider.directory.client(&issuer, &self.client);
        decider.engine.explain(&Request {
            organization: &self.organization,
            principal: principal(person, &self.client),
            action: question.action,
            resource: question.resource(),
            context: Circumstances {
                client: Some((&issuer, &self.client)),
                client_authentication: client.map(|client| client.authentication.as_str()),
                scopes: &question.scopes,
                acr: self.acr.as_deref(),
                amr: &[],
                auth_time: self.auth_age.map(|age| now.minus(Duration::from_secs(age))),
                source_address: None,
                sender_constraint: None,
                arguments: self.arguments.as_ref(),
            },
            now,
        })
    }

    /// Only an `idp` decides about what a foreign authorization server grants.
    fn issuer(&self, question: &Question) -> IssuerRole {
        match (&self.issuer, question.is_foreign()) {
            (Some(issuer), _) => issuer.clone(),
            (None, true) => IssuerRole::Idp(self.organization.clone()),
            (None, false) => IssuerRole::As,
        }
    }

    fn who(&self, person: Option<&Known>) -> String {
        match person {
            Some(Known { user, .. }) => {
                format!("{} through {}", person::describe(user), self.client)
            }
            None => format!("{} of {} for itself", self.client, self.organization),
        }
    }

    fn text(&self, person: Option<&Known>, answers: &[(Question, Explanation)]) -> String {
        let mut lines = vec![self.who(person)];
        lines.extend(person.and_then(remark));
        match answers {
            [(question, explanation)] => {
                lines.push(format!(
                    "{} on {}",
                    question.action.as_str(),
                    question.subject()
                ));
                lines.push(explanation.to_string().trim_end().to_owned());
            }
            several => {
                let row = |(question, explanation): &(Question, Explanation)| {
                    let action = question.action.as_str().to_owned();
                    vec![action, question.subject(), explanation.decision.to_string()]
                };
                let rows: Vec<_> = several.iter().map(row).collect();
                lines.push(table(&["action", "on", "answer"], &rows));
            }
        }
        lines.join("\n")
    }

    fn json(
        &self,
        person: Option<&Known>,
        answers: &[(Question, Explanation)],
        is_allowed: bool,
    ) -> Value {
        let answer = |(question, explanation): &(Question, Explanation)| {
            json!({
                "action": question.action.as_str(),
                "on": question.subject(),
                "explanation": explanation,
            })
        };
        json!({
            "organization": self.organization,
            "user": person.map(|known| &known.user.id),
            "client": self.client,
            "allowed": is_allowed,
            "answers": answers.iter().map(answer).collect::<Vec<_>>(),
        })
    }
}

fn principal<'a>(person: Option<&'a Known>, client: &'a ClientId) -> Principal<'a> {
    match person {
        Some(Known { user, groups }) => Principal::User {
            id: &user.id,
            email: user.email.as_deref(),
            groups: match groups {
                KnownGroups::Known(groups) => Groups::Known(groups),
                KnownGroups::Unknown => Groups::Unknown,
            },
        },
        None => Principal::Client { id: client },
    }
}

/// What policy does not see, or an administrator would wonder about.
fn remark(person: &Known) -> Option<String> {
    if !person.user.is_active() {
        return Some(
            "note: this person is disabled, so nothing is issued whatever policy says".into(),
        );
    }
    match &person.groups {
        KnownGroups::Unknown => Some(
            "note: no unexpired sign-in tells the groups of this person; they sign in again, or \
             the connection needs groups_claim"
                .to_owned(),
        ),
        KnownGroups::Known(groups) => {
            let groups: Vec<String> = groups
                .iter()
                .map(|key| format!("{} ({})", key.external_id, key.source))
                .collect();
            Some(format!(
                "groups: {}",
                if groups.is_empty() {
                    "none".into()
                } else {
                    groups.join(", ")
                }
            ))
        }
    }
}
