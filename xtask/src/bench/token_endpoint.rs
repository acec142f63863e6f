//! Token requests: redemption of ID-JAGs at `/as`, exchange of ID tokens at `/idp/acme`, and both
//! reduced to their cryptography and one durable write.

use std::fs;

use anyhow::Result;

use super::deployment::{CLIENT_CREDENTIALS, Deployment};
use super::load::{Load, Measured, show};
use super::target::Target;
use crate::process;

/// More requests a second than any target answers: an ID-JAG is used once.
const MOST: f64 = 8_000.0;
/// Every load begins with a second that does not count.
const WARMUP: f64 = 1.0;
/// Access tokens that the gateway is called with in turn.
const OWN_TOKENS: usize = 2_000;

/// One round.
pub(super) struct TokenRound {
    pub(super) redemption_floor: Measured,
    pub(super) redemption_floor_without_store: Measured,
    pub(super) redemption: Measured,
    pub(super) exchange_floor: Measured,
    pub(super) exchange: Measured,
    pub(super) idle: f64,
    pub(super) start: f64,
}

/// Measures floors and product, each alone.
pub(super) fn measure(deployment: &Deployment, seconds: f64) -> Result<TokenRound> {
    let bench = Bench {
        deployment,
        seconds,
    };
    let redemption_floor = bench.floor("redemption", true)?;
    show("floor: redemption", &redemption_floor);
    let redemption_floor_without_store = bench.floor("redemption", false)?;
    show(
        "floor: redemption, no store",
        &redemption_floor_without_store,
    );
    let server = Target::product(deployment)?;
    let redemption = bench.redemption(&server, "/as/token", true)?;
    show("symbolon: redemption", &redemption);
    let (idle, start) = (server.idle, server.start);
    drop(server);
    let exchange_floor = bench.floor("exchange", true)?;
    show("floor: exchange", &exchange_floor);
    let server = Target::product(deployment)?;
    let exchange = bench.exchange(&server, "/idp/acme/token", &deployment.id_token)?;
    show("symbolon: exchange", &exchange);
    Ok(TokenRound {
        redemption_floor,
        redemption_floor_without_store,
        redemption,
        exchange_floor,
        exchange,
        idle,
        start,
    })
}

struct Bench<'a> {
    deployment: &'a Deployment,
    seconds: f64,
}

impl Bench<'_> {
    fn floor(&self, grant: &str, is_durable: bool) -> Result<Measured> {
        let directory = self.deployment.directory().display().to_string();
        for end in ["", "-wal", "-shm"] {
            // It is there from the second round on.
            let _ = fs::remove_file(self.deployment.file(&format!("floor.db{end}")));
        }
        let mut arguments = vec!["--key", &directory, "--grant", grant];
        if is_durable {
            arguments.extend(["--database", "floor.db"]);
        }
        let port = process::free_port()?;
        let floor = Target::program(self.deployment, "asfloor", port, &arguments)?;
        if grant == "redemption" {
            return self.redemption(&floor, "/token", false);
        }
        let id_token = fs::read_to_string(self.deployment.mint("id-token", 1, "id-token.txt")?)?;
        self.exchange(&floor, "/token", id_token.trim())
    }

    fn redemption(&self, target: &Target, path: &str, keeps: bool) -> Result<Measured> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some thousands"
        )]
        let count = ((self.seconds + WARMUP) * MOST) as usize;
        let bodies = self.deployment.mint("redemptions", count, "bodies.txt")?;
        let load = form().with_file("--bodies", &bodies);
        let kept = self.deployment.file("own-tokens.txt");
        let load = match keeps {
            true => load.with_file("--keep", &kept),
            false => load,
        };
        let measured = load.run(
            target,
            path,
            &[("--seconds", self.seconds), ("--warmup", WARMUP)],
        )?;
        if keeps {
            let tokens = fs::read_to_string(&kept)?;
            let some: Vec<&str> = tokens.lines().take(OWN_TOKENS).collect();
            fs::write(kept, some.join("\n"))?;
        }
        Ok(measured)
    }

    fn exchange(&self, target: &Target, path: &str, id_token: &str) -> Result<Measured> {
        let body = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
             &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid-jag\
             &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token\
             &subject_token={id_token}&audience={public_url}/as&resource={resource}\
             &scope=tools%3Ause",
            public_url = self.deployment.public_url,
            resource = self.deployment.resource(),
        );
        let load = form()
            .with("--body", &body)
            .with("--header", &format!("Authorization: {CLIENT_CREDENTIALS}"));
        load.run(
            target,
            path,
            &[("--seconds", self.seconds), ("--warmup", WARMUP)],
        )
    }
}

fn form() -> Load {
    Load::new("access_token").with(
        "--header",
        "Content-Type: application/x-www-form-urlencoded",
    )
}
