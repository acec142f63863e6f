//! Keys and tokens for one run; each token is used for the first time in it.
//!
//! - `mint keys --key FOLDER`
//! - `mint tokens --key FOLDER --count N --issuer I --audience A --client C --subjects FILE`:
//!   access tokens, one a line
//! - `mint redemptions`, as before with `--resource R`: bodies of token requests, one a line, each
//!   with an ID-JAG and a client assertion of five minutes
//! - `mint id-token`, as before: an ID token, for the floor of the exchange
//!
//! `--subjects` lists user ids, one a line; tokens go round them.

use std::io::Write as _;
use std::path::Path;

use serde_json::json;
use symbolon_bench::arguments::Arguments;
use symbolon_bench::jwt::{Key, fresh_id};
use symbolon_bench::now;

/// The longest life that Symbolon's defaults accept of an ID-JAG.
const ID_JAG_SECONDS: u64 = 300;
/// Foreign access tokens count for an hour.
const ACCESS_TOKEN_SECONDS: u64 = 3_600;

struct Mint<'a> {
    key: Key,
    issuer: &'a str,
    audience: &'a str,
    client: &'a str,
    resource: &'a str,
}

impl Mint<'_> {
    /// About 800 bytes, like an enterprise access token with groups.
    fn access_token(&self, subject: &str) -> String {
        let now = now();
        let groups = [
            "engineering",
            "platform-security",
            "oncall-emea",
            "beta-testers",
        ];
        let claims = json!({
            "iss": self.issuer, "sub": subject, "aud": self.audience, "client_id": self.client,
            "scope": "tools:use", "iat": now, "nbf": now, "exp": now + ACCESS_TOKEN_SECONDS,
            "jti": fresh_id(), "email": "someone@acme.example", "groups": groups,
            "tenant": "7a1d2c1e-39f0-4a4e-9a86-000000000001", "auth_time": now - 30,
            "acr": "urn:mace:incommon:iap:silver", "amr": ["pwd", "hwk"],
        });
        self.key.sign("at+jwt", &claims)
    }

    fn redemption(&self, subject: &str) -> String {
        let now = now();
        let exp = now + ID_JAG_SECONDS;
        let id_jag = json!({
            "iss": self.issuer, "sub": subject, "aud": self.audience, "client_id": self.client,
            "jti": fresh_id(), "iat": now, "exp": exp, "resource": self.resource,
            "scope": "tools:use", "auth_time": now - 30, "amr": ["pwd", "hwk"],
        });
        let client = json!({
            "iss": self.client, "sub": self.client, "aud": self.audience, "jti": fresh_id(),
            "iat": now, "exp": exp,
        });
        format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion={}",
            self.key.sign("oauth-id-jag+jwt", &id_jag),
            self.key.sign("JWT", &client),
        )
    }

    fn id_token(&self, subject: &str) -> String {
        let now = now();
        let claims = json!({
            "iss": self.issuer, "sub": subject, "aud": self.client, "iat": now, "exp": now + 3_600,
            "nonce": fresh_id(), "auth_time": now - 30, "sid": fresh_id(), "amr": ["pwd", "hwk"],
            "email": "someone@acme.example", "email_verified": true, "name": "Someone Else",
        });
        self.key.sign("JWT", &claims)
    }
}

fn main() -> std::io::Result<()> {
    let command = std::env::args().nth(1).unwrap_or_default();
    let arguments = Arguments::read();
    let folder = Path::new(arguments.required("--key"));
    if command == "keys" {
        Key::create(folder);
        return Ok(());
    }
    let mint = Mint {
        key: Key::load(folder),
        issuer: arguments.required("--issuer"),
        audience: arguments.required("--audience"),
        client: arguments.required("--client"),
        resource: arguments.value("--resource").unwrap_or_default(),
    };
    let subjects = std::fs::read_to_string(arguments.required("--subjects"))?;
    let subjects = subjects
        .lines()
        .cycle()
        .take(arguments.number("--count", 1));
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for subject in subjects {
        let line = match command.as_str() {
            "tokens" => mint.access_token(subject),
            "redemptions" => mint.redemption(subject),
            "id-token" => mint.id_token(subject),
            other => panic!("mint does not know {other:?}"),
        };
        writeln!(out, "{line}")?;
    }
    out.flush()
}
