//! `symbolon policy`: what is allowed, and why (design §7).

mod explain;
mod question;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::json;
use symbolon_policy::{Compiled, Engine, PolicyProblem};
use symbolon_protocol::ids::OrganizationId;
use symbolon_storage::Store;
use symbolon_storage::directory::Directory;

use super::open::{self, Migration};
use super::output::Output;
use crate::config::Environment;
use crate::snapshot;

#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Say whether somebody may do something, and which policies say so; exit code 1 when denied.
    Explain(Box<explain::Explain>),
    /// Print every assignment and policy of an organization as the Cedar that decides.
    Show {
        /// Which organization.
        #[arg(long, value_name = "ID")]
        organization: OrganizationId,
    },
}

impl Policy {
    pub(super) async fn run(
        self,
        path: &Path,
        environment: &Environment,
        output: &Output,
    ) -> Result<ExitCode> {
        let (_, store) = open::deployment(path, environment, Migration::Configured).await?;
        let code = match self {
            Self::Explain(explain) => explain.run(&store, output).await,
            Self::Show { organization } => show(&store, &organization, output).await,
        };
        store.close().await;
        code
    }
}

/// What decides at this moment, as `serve` loads it.
struct Decider {
    directory: Directory,
    engine: Engine,
    problems: Vec<PolicyProblem>,
}

impl Decider {
    async fn load(store: &Store) -> Result<Self> {
        let (directory, _) = store.read(|c| Box::pin(Directory::load(c))).await?;
        let (engine, problems) = Engine::load(snapshot::policy_input(&directory));
        Ok(Self {
            directory,
            engine,
            problems,
        })
    }

    fn check_organization(&self, id: &OrganizationId) -> Result<()> {
        let known = || {
            let ids = self.directory.organizations().map(|one| one.id.to_string());
            ids.collect::<Vec<_>>().join(", ")
        };
        self.directory.organization(id).map(drop).with_context(|| {
            format!(
                "there is no organization {id}; those there are: {}",
                known()
            )
        })
    }
}

async fn show(store: &Store, organization: &OrganizationId, output: &Output) -> Result<ExitCode> {
    let decider = Decider::load(store).await?;
    decider.check_organization(organization)?;
    let compiled = decider.engine.compiled(organization);
    let own = decider
        .problems
        .iter()
        .filter(|problem| problem.organization == *organization);
    let problems: Vec<String> = own.map(ToString::to_string).collect();
    output.print(
        &json!({ "policies": compiled, "problems": problems }),
        || text(&compiled, &problems),
    )?;
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn text(compiled: &[Compiled], problems: &[String]) -> String {
    let problems = problems
        .iter()
        .map(|problem| format!("// problem: {problem}\n"));
    let policies = compiled
        .iter()
        .map(|one| format!("// {}\n{}\n", one.id, one.cedar.trim_end()));
    let parts: Vec<String> = problems.chain(policies).collect();
    match parts.is_empty() {
        true => "// No assignment and no policy: nobody may do anything.".to_owned(),
        false => parts.join("\n").trim_end().to_owned(),
    }
}
