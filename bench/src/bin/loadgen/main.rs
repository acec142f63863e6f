//! Load on one URL: a closed loop (saturation) or an open loop (`--rate`), one line of JSON at the end.
//!
//! `loadgen --url http://127.0.0.1:PORT/PATH [--connections 32] [--seconds 3] [--warmup 1] [--rate N]
//! [--header 'K: V']… (--body TEXT | --bodies FILE) [--tokens FILE] --contains TEXT [--pid P]
//! [--keep FILE]`
//!
//! An answer counts if its status is 200 and its body contains `--contains`; anything else is `bad`.
//! `--bodies` and `--tokens` are files with one a line; their lines go round. `--keep` writes the
//! `access_token` of each counted answer.

mod closed;
mod connection;
mod open;
mod process;
mod tally;

use std::time::Duration;

use serde_json::json;
use symbolon_bench::arguments::Arguments;

use crate::tally::Tally;

/// What is sent, and what has to come back.
pub(crate) struct Plan {
    address: String,
    head: String,
    bodies: Vec<String>,
    tokens: Vec<String>,
    contains: Vec<u8>,
    connections: usize,
    warmup: Duration,
    counted: Duration,
    keeps: bool,
}

/// What a loop found.
pub(crate) struct Outcome {
    tally: Tally,
    cpu: Duration,
    own_cpu: Duration,
    memory: f64,
    seconds: f64,
}

impl Plan {
    fn read(arguments: &Arguments) -> Self {
        let url = arguments.required("--url");
        let rest = url.strip_prefix("http://").expect("an http URL");
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut head = format!("POST /{path} HTTP/1.1\r\nHost: {address}\r\n");
        for header in arguments.all("--header") {
            head.push_str(header);
            head.push_str("\r\n");
        }
        let lines = |name| {
            let file = arguments.value(name)?;
            let text = std::fs::read_to_string(file).expect("a readable file");
            Some(text.lines().map(str::to_owned).collect::<Vec<_>>())
        };
        let body = arguments.value("--body").map(|body| vec![body.to_owned()]);
        let seconds = |name, otherwise| Duration::from_secs_f64(arguments.number(name, otherwise));
        Self {
            address: address.to_owned(),
            head,
            bodies: body
                .or_else(|| lines("--bodies"))
                .expect("--body or --bodies"),
            tokens: lines("--tokens").unwrap_or_default(),
            contains: arguments.required("--contains").as_bytes().to_vec(),
            connections: arguments.number("--connections", 32),
            warmup: seconds("--warmup", 1.0),
            counted: seconds("--seconds", 3.0),
            keeps: arguments.value("--keep").is_some(),
        }
    }

    /// The bytes of one request.
    fn request(&self, number: usize) -> Vec<u8> {
        let body = &self.bodies[number % self.bodies.len()];
        let mut request = self.head.clone();
        if !self.tokens.is_empty() {
            request.push_str("Authorization: Bearer ");
            request.push_str(&self.tokens[number % self.tokens.len()]);
            request.push_str("\r\n");
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        request.into_bytes()
    }

    fn is_right(&self, status: u16, body: &[u8]) -> bool {
        let wanted = &self.contains[..];
        status == 200 && body.windows(wanted.len()).any(|part| part == wanted)
    }
}

fn main() {
    let arguments = Arguments::read();
    let plan = Plan::read(&arguments);
    let pid = arguments.value("--pid").map(str::to_owned);
    let rate = arguments.number("--rate", 0.0);
    let outcome = if rate > 0.0 {
        open::run(plan, rate, pid.as_deref())
    } else {
        closed::run(plan, pid)
    };
    let tally = &outcome.tally;
    if let Some(file) = arguments.value("--keep") {
        std::fs::write(file, tally.kept.join("\n")).expect("a writable file");
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
    let requests = (tally.right + tally.bad).max(1) as f64;
    let each = |time: Duration| time.as_secs_f64() * 1e6 / requests;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
    let rate = tally.right as f64 / outcome.seconds;
    let report = json!({
        "rate": rate, "right": tally.right, "bad": tally.bad, "lost": tally.lost,
        "p50_us": tally.quantile(0.5), "p99_us": tally.quantile(0.99),
        "cpu_us": each(outcome.cpu), "own_cpu_us": each(outcome.own_cpu),
        "cores": outcome.cpu.as_secs_f64() / outcome.seconds, "memory_mib": outcome.memory,
        "first_bad": tally.first_bad,
    });
    println!("{report}");
}
