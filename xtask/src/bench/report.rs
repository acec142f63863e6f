//! The tables, and their place in `docs/performance.md`.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::goal::{self, Goal, spread};
use super::load::Measured;
use super::{Options, Round};
use crate::process;

/// Between these lines everything is ours; around them people write.
const BEGIN: &str = "<!-- measured: written by `cargo xtask bench` -->\n";
const END: &str = "<!-- end of measured -->\n";

/// Everything between the two lines.
pub(super) fn text(options: &Options, rounds: &[Round], size: f64) -> Result<String> {
    let goals = goal::all(rounds, size);
    let mut text = conditions(options)?;
    text.push_str(&goals_table(&goals)?);
    text.push_str(&verdicts(&goals));
    text.push_str(&targets_table(rounds)?);
    text.push_str(&other_figures(rounds, size)?);
    Ok(text)
}

/// Replaces what the last run wrote.
///
/// # Errors
/// When the document has lost its marked lines.
pub(super) fn write(text: &str) -> Result<()> {
    let path = process::root().join("docs/performance.md");
    let document = fs::read_to_string(&path).with_context(|| format!("no {path:?}"))?;
    let lines = "docs/performance.md has lost the lines between which figures are written";
    let (before, rest) = document.split_once(BEGIN).context(lines)?;
    let (_, after) = rest.split_once(END).context(lines)?;
    fs::write(path, format!("{before}{BEGIN}\n{text}\n{END}{after}"))?;
    Ok(())
}

fn conditions(options: &Options) -> Result<String> {
    let (_, date) = process::output(Command::new("date").args(["--utc", "+%Y-%m-%d"]))?;
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let count = processors
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model
        .unwrap_or_default()
        .trim_matches(|c: char| c == ':' || c.is_whitespace());
    Ok(format!(
        "{date}: {rounds} rounds of {seconds} s a target, on {count} cores ({model}).\n\n",
        date = date.trim(),
        rounds = options.rounds,
        seconds = options.seconds,
    ))
}

fn goals_table(goals: &[Goal]) -> Result<String> {
    let mut text = "| | ratio | must | aim | min / median / max | |\n\
         | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for goal in goals {
        let ([must, aim], [least, median, most]) = (goal.bounds(), goal.spread());
        writeln!(
            text,
            "| {} | {} | {must} | {aim} | {least:.2} / **{median:.2}** / {most:.2} | {} |",
            goal.name,
            goal.what,
            goal.verdict(),
        )?;
    }
    text.push('\n');
    Ok(text)
}

fn verdicts(goals: &[Goal]) -> String {
    let over = |goal: &&Goal| goal.verdict().contains("over");
    let names: Vec<&str> = goals.iter().filter(over).map(|goal| goal.name).collect();
    match names.as_slice() {
        [] => "Every goal of the table is within its budget.\n\n".to_owned(),
        names => format!("Over budget: {}.\n\n", names.join(", ")),
    }
}

fn targets_table(rounds: &[Round]) -> Result<String> {
    let mut text = "| target | right answers/s | CPU µs | cores | p50 µs | p99 µs | MiB |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (name, of) in targets() {
        let figures = |figure: fn(&Measured) -> f64| -> Vec<f64> {
            rounds.iter().map(|round| figure(of(round))).collect()
        };
        writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} |",
            three(&figures(|m| m.rate), 0),
            three(&figures(|m| m.cpu_us), 1),
            three(&figures(|m| m.cores), 2),
            three(&figures(|m| m.p50_us), 0),
            three(&figures(|m| m.p99_us), 0),
            three(&figures(|m| m.memory_mib), 1),
        )?;
    }
    text.push('\n');
    Ok(text)
}

/// A figure of a round.
type Of = fn(&Round) -> &Measured;

fn targets() -> Vec<(&'static str, Of)> {
    vec![
        ("redemption, floor, SQLite FULL", |r| {
            &r.tokens.redemption_floor
        }),
        ("redemption, floor, no store", |r| {
            &r.tokens.redemption_floor_without_store
        }),
        ("**redemption, Symbolon**", |r| &r.tokens.redemption),
        ("exchange, floor, SQLite FULL", |r| &r.tokens.exchange_floor),
        ("**exchange, Symbolon**", |r| &r.tokens.exchange),
        ("call, bare proxy", |r| &r.gateway.plain.saturated),
        ("call, proxy, every token verified", |r| {
            &r.gateway.verifying_floor
        }),
        ("call, proxy, tokens remembered", |r| {
            &r.gateway.remembering_floor
        }),
        ("**call, Symbolon, no token twice**", |r| &r.gateway.fresh),
        ("**call, Symbolon, tokens repeat**", |r| {
            &r.gateway.repeated.saturated
        }),
        ("**call, Symbolon, its own tokens repeat**", |r| {
            &r.gateway.own
        }),
        ("one connection, bare proxy", |r| &r.gateway.plain.alone),
        ("**one connection, Symbolon**", |r| {
            &r.gateway.repeated.alone
        }),
        ("1,000 calls/s, bare proxy", |r| &r.gateway.plain.steady),
        ("**1,000 calls/s, Symbolon**", |r| {
            &r.gateway.repeated.steady
        }),
    ]
}

fn other_figures(rounds: &[Round], size: f64) -> Result<String> {
    let figures = |figure: fn(&Round) -> f64| -> Vec<f64> { rounds.iter().map(figure).collect() };
    let mut text = String::new();
    let memory = figures(|r| r.gateway.idle.min(r.tokens.idle));
    writeln!(
        text,
        "- Memory before the first request: {} MiB.",
        three(&memory, 1)
    )?;
    let memory = figures(goal::gateway_memory);
    writeln!(
        text,
        "- Memory of the gateway under load: {} MiB.",
        three(&memory, 1)
    )?;
    let memory = figures(|r| r.tokens.redemption.memory_mib);
    writeln!(
        text,
        "- Memory of the token endpoint under load: {} MiB.",
        three(&memory, 1)
    )?;
    let start = figures(|r| r.tokens.start);
    writeln!(text, "- Start to first answer: {} ms.", three(&start, 0))?;
    writeln!(text, "- Stripped binary: {size:.1} MiB.")?;
    let price =
        figures(|r| r.tokens.redemption_floor.rate / r.tokens.redemption_floor_without_store.rate);
    writeln!(
        text,
        "- G4, the price of durability: the product cannot leave its store out; the floor with its \
         store reaches {} of the floor without.",
        three(&price, 2),
    )?;
    Ok(text)
}

fn three(values: &[f64], digits: usize) -> String {
    spread(values)
        .map(|value| format!("{value:.digits$}"))
        .join(" / ")
}
