//! Outside judges: software that others wrote, on the other side of every interface.
//!
//! Each judge runs against a real `symbolon serve` with its own database and passes or fails as a
//! whole; what it counts itself is shown in its output.

mod authlib;
mod browser;
mod conformance;
mod demo;
mod deployment;
mod ema;
mod everything;
mod keycloak;

use anyhow::{Result, bail};

use crate::suite::Totals;

/// A judge's name and how to run it.
type Judge = (&'static str, fn() -> Result<()>);

/// In the order in which they run: the cheap ones first.
const JUDGES: &[Judge] = &[
    ("demo", demo::once),
    ("browser", browser::sign_in),
    ("conformance-authorization", conformance::authorization),
    ("ema-typescript", ema::typescript),
    ("ema-python", ema::python),
    ("ema-rust", ema::rust),
    ("server-everything", everything::through_the_gateway),
    (
        "conformance-server",
        conformance::server_through_the_gateway,
    ),
    ("authlib", authlib::accepts_our_id_jag),
    ("keycloak", keycloak::signs_in_and_accepts_our_id_jag),
];

/// Prints the names, one a line.
pub(crate) fn print_names() {
    for (name, _) in JUDGES {
        println!("{name}");
    }
}

/// Runs the named judges, or all of them when none is named.
pub(crate) fn run(names: &[String]) -> Result<Totals> {
    if let Some(unknown) = names
        .iter()
        .find(|name| JUDGES.iter().all(|(known, _)| known != name))
    {
        bail!("there is no judge {unknown:?}: `cargo xtask judge --list` prints them");
    }
    deployment::build()?;
    let mut totals = Totals::default();
    for (name, judge) in JUDGES {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            println!("\njudge {name}");
            totals.record(&format!("judge {name}"), judge());
        }
    }
    Ok(totals)
}
