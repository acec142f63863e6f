//! `symbolon demo`: start, walk, and stay up with addresses to click.

use std::process::ExitCode;

use anyhow::Result;

use super::narrator::{Narrator, say};
use super::scenario::Scenario;
use super::walk::{Http, Walk};

/// Runs the demonstration; with `once` it ends after the walk.
///
/// # Errors
/// The first step that did not do what it says.
pub async fn run(once: bool) -> Result<ExitCode> {
    say("Symbolon: the identity provider you have, for every MCP client and server.");
    say("Everything below happens on this machine's loopback; nothing else is contacted.");
    let scenario = Scenario::start().await?;
    let walk = Walk::new(&scenario, Http::loopback()?, Narrator::new());
    let outcome = walk.run().await;
    if outcome.is_ok() && !once {
        stay(&scenario).await?;
    }
    scenario.stop().await?;
    outcome.map(|()| {
        say("\nEvery step did what it says.");
        ExitCode::SUCCESS
    })
}

async fn stay(scenario: &Scenario) -> Result<()> {
    say("\nStill running. Click around:");
    say(&format!(
        "   start page                {}/",
        scenario.public_url()
    ));
    say(&format!(
        "   sign-in metadata          {}/.well-known/openid-configuration",
        scenario.idp()
    ));
    say(&format!(
        "   the MCP server            {}",
        scenario.resource()
    ));
    say(&format!(
        "   its identity provider     {}",
        scenario.identity_provider_url()
    ));
    say(&format!(
        "   the server behind it      {}",
        scenario.sample_server_url()
    ));
    let config = scenario.directory().join("symbolon.toml");
    say("\nThe command line works on it too, for example:");
    say(&format!(
        "   symbolon --config {} grant list",
        config.display()
    ));
    say(&format!(
        "   symbolon --config {} audit list",
        config.display()
    ));
    say("\nPress Ctrl-C to stop.");
    tokio::signal::ctrl_c().await?;
    Ok(())
}
