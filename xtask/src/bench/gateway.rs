//! Calls of a tool: through the gateway, and through proxies that do less.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::deployment::Deployment;
use super::load::{Load, Measured, show};
use super::target::Target;
use crate::process;

/// More calls a second than any target passes on with each token verified.
const MOST: f64 = 15_000.0;
/// Every load begins with a second that does not count.
const WARMUP: f64 = 1.0;
/// Tokens that take turns where they repeat.
const REPEATED: usize = 2_000;
/// Calls a second of the open loop.
const RATE: f64 = 1_000.0;

/// A call of protocol 2026-07-28, which needs no session.
const CALL: &str = r#"{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"name":"echo","arguments":{"text":"the quick brown fox jumps over the lazy dog, again and again and again"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1.0.0"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#;
const HEADERS: [&str; 5] = [
    "Content-Type: application/json",
    "Accept: application/json, text/event-stream",
    "MCP-Protocol-Version: 2026-07-28",
    "Mcp-Method: tools/call",
    "Mcp-Name: echo",
];

/// Saturation, one connection, and an open loop.
pub(super) struct Detailed {
    pub(super) saturated: Measured,
    pub(super) alone: Measured,
    pub(super) steady: Measured,
}

/// One round.
pub(super) struct GatewayRound {
    pub(super) plain: Detailed,
    pub(super) verifying_floor: Measured,
    pub(super) remembering_floor: Measured,
    /// No token comes twice.
    pub(super) fresh: Measured,
    /// Tokens of the bench's issuer take turns.
    pub(super) repeated: Detailed,
    /// The product's own tokens take turns.
    pub(super) own: Measured,
    pub(super) idle: f64,
}

/// Measures floors and product, each alone in front of the same backend.
pub(super) fn measure(deployment: &Deployment, seconds: f64) -> Result<GatewayRound> {
    let _backend = Target::backend(deployment)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some thousands"
    )]
    let fresh = ((seconds + WARMUP) * MOST) as usize;
    let bench = Bench {
        deployment,
        seconds,
        fresh: deployment.mint("tokens", fresh, "fresh-tokens.txt")?,
        repeated: deployment.mint("tokens", REPEATED, "repeated-tokens.txt")?,
    };
    let plain = bench.detailed(&bench.proxy(&[])?, "/mcp", "proxy")?;
    let directory = deployment.directory().display().to_string();
    let verifying = bench.proxy(&["--key", &directory])?;
    let verifying_floor = bench.saturated(&verifying, "/mcp", &bench.repeated)?;
    show("proxy: every token verified", &verifying_floor);
    drop(verifying);
    let remembering = bench.proxy(&["--key", &directory, "--remember", "10000"])?;
    let remembering_floor = bench.saturated(&remembering, "/mcp", &bench.repeated)?;
    show("proxy: tokens remembered", &remembering_floor);
    drop(remembering);
    bench.product(plain, verifying_floor, remembering_floor)
}

struct Bench<'a> {
    deployment: &'a Deployment,
    seconds: f64,
    fresh: PathBuf,
    repeated: PathBuf,
}

impl Bench<'_> {
    fn product(
        &self,
        plain: Detailed,
        verifying_floor: Measured,
        remembering_floor: Measured,
    ) -> Result<GatewayRound> {
        let path = "/mcp/bench";
        let server = Target::product(self.deployment)?;
        let idle = server.idle;
        let fresh = self.saturated(&server, path, &self.fresh)?;
        show("symbolon: no token twice", &fresh);
        let repeated = self.detailed(&server, path, "symbolon")?;
        let own = self.saturated(&server, path, &self.deployment.file("own-tokens.txt"))?;
        show("symbolon: its own tokens", &own);
        Ok(GatewayRound {
            plain,
            verifying_floor,
            remembering_floor,
            fresh,
            repeated,
            own,
            idle,
        })
    }

    fn proxy(&self, arguments: &[&str]) -> Result<Target> {
        let to = format!("http://127.0.0.1:{}", self.deployment.backend_port);
        let mut all = vec!["--to", to.as_str()];
        all.extend(arguments);
        Target::program(self.deployment, "proxy", process::free_port()?, &all)
    }

    fn detailed(&self, target: &Target, path: &str, name: &str) -> Result<Detailed> {
        let saturated = self.saturated(target, path, &self.repeated)?;
        show(&format!("{name}: saturated"), &saturated);
        let load = call().with_file("--tokens", &self.repeated);
        let seconds = ("--seconds", self.seconds);
        let alone = load.run(target, path, &[("--connections", 1.0), seconds])?;
        show(&format!("{name}: one connection"), &alone);
        let steady = [("--connections", 8.0), ("--rate", RATE), seconds];
        let steady = load.run(target, path, &steady)?;
        show(&format!("{name}: {RATE} a second"), &steady);
        Ok(Detailed {
            saturated,
            alone,
            steady,
        })
    }

    fn saturated(&self, target: &Target, path: &str, tokens: &Path) -> Result<Measured> {
        let load = call().with_file("--tokens", tokens);
        load.run(
            target,
            path,
            &[("--seconds", self.seconds), ("--warmup", WARMUP)],
        )
    }
}

fn call() -> Load {
    let load = Load::new("quick brown").with("--body", CALL);
    HEADERS
        .iter()
        .fold(load, |load, header| load.with("--header", header))
}
