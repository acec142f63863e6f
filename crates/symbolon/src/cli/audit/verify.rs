//! `symbolon audit verify`: every chain, recomputed, against its signed checkpoints.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};
use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::jose::JwkSet;
use symbolon_storage::audit::{self, Filter, Report};
use symbolon_storage::directory::Directory;
use symbolon_storage::signing_key::{self, DEPLOYMENT, KeyPurpose, StoredKey};
use symbolon_storage::{Connection, StorageError, Store, instance};

use super::PAGE;
use crate::cli::output::Output;

/// Verifies one chain or all of them, the deployment's included.
pub(super) async fn run(
    store: &Store,
    organization: Option<OrganizationId>,
    output: &Output,
) -> Result<ExitCode> {
    let chains = match organization {
        Some(id) => BTreeSet::from([id.to_string()]),
        None => store.read(|c| Box::pin(chains(c))).await?,
    };
    let mut reports = Vec::new();
    for name in chains {
        let report = chain(store, &name).await?;
        reports.push((name, report));
    }
    let is_intact = reports.iter().all(|(_, report)| report.faults.is_empty());
    let answer: Vec<Value> = reports
        .iter()
        .map(|(name, report)| as_json(name, report))
        .collect();
    output.print(&json!({ "intact": is_intact, "chains": answer }), || {
        let lines: Vec<String> = reports
            .iter()
            .map(|(name, report)| text(name, report))
            .collect();
        lines.join("\n")
    })?;
    Ok(if is_intact {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Verifies the chain of an organization; the empty name is the deployment's.
pub(super) async fn chain(store: &Store, organization: &str) -> Result<Report> {
    let organization = organization.to_owned();
    let verify = store.read(move |c| {
        Box::pin(async move {
            let deployment = instance::load(c).await?.id;
            let keys = audit_keys(&signing_key::list(c).await?);
            audit::verify(c, &deployment, &organization, &keys, None).await
        })
    });
    let report: Result<Report, StorageError> = verify.await;
    Ok(report?)
}

/// The public keys that may have signed a checkpoint.
fn audit_keys(keys: &[StoredKey]) -> JwkSet {
    let is_audit =
        |key: &&StoredKey| key.usage.role == DEPLOYMENT && key.usage.purpose == KeyPurpose::Audit;
    JwkSet::from_keys(keys.iter().filter(is_audit).map(|key| key.key.jwk()))
}

/// Every chain there is: also those of organizations that were removed.
async fn chains(connection: &mut Connection) -> Result<BTreeSet<String>, StorageError> {
    let (directory, _) = Directory::load(connection).await?;
    let defined = directory
        .organizations()
        .map(|organization| organization.id.to_string());
    let mut chains: BTreeSet<String> = defined.chain([String::new()]).collect();
    let mut after = None;
    loop {
        let page = audit::list(connection, &Filter::default(), after, PAGE).await?;
        chains.extend(page.events.into_iter().map(|event| event.organization));
        after = page.next;
        if after.is_none() {
            return Ok(chains);
        }
    }
}

fn label(name: &str) -> &str {
    if name.is_empty() {
        "the deployment"
    } else {
        name
    }
}

fn text(name: &str, report: &Report) -> String {
    let Report {
        events,
        checkpoints,
        waiting,
        faults,
    } = report;
    let verdict = if faults.is_empty() {
        "intact"
    } else {
        "NOT INTACT"
    };
    let mut lines = vec![format!(
        "{}: {verdict}, {events} events, {checkpoints} signed checkpoints",
        label(name)
    )];
    if *waiting > 0 {
        lines.push(format!(
            "  note: {waiting} events are not chained yet; a running `symbolon serve` does it \
             within a second"
        ));
    }
    lines.extend(faults.iter().map(|fault| format!("  fault: {fault}")));
    lines.join("\n")
}

fn as_json(name: &str, report: &Report) -> Value {
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    json!({
        "organization": Some(name).filter(|name| !name.is_empty()),
        "events": report.events,
        "checkpoints": report.checkpoints,
        "waiting": report.waiting,
        "faults": faults,
    })
}

#[cfg(test)]
mod tests {
    use symbolon_storage::audit::Fault;

    use super::*;

    #[test]
    fn a_fault_names_the_chain_and_the_position() {
        let report = Report {
            events: 4,
            faults: vec![Fault::Changed(3)],
            ..Report::default()
        };

        assert_eq!(
            text("acme", &report),
            "acme: NOT INTACT, 4 events, 0 signed checkpoints\n  \
             fault: the event at position 3 was changed"
        );
    }
}
