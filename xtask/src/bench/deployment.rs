//! The deployment that is measured: one organization, some people, one client, one MCP server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::program;
use super::target::Target;
use crate::process;

/// Issuer of the ID-JAGs and of the foreign access tokens; the bench has its key.
pub(super) const ISSUER: &str = "https://idp.example";
/// Audience of the foreign access tokens.
pub(super) const AUDIENCE: &str = "api://bench";
/// The client, at both of its registrations.
pub(super) const CLIENT: &str = "bench";
/// Its secret at `/idp/acme`; at `/as` it has a key.
const CLIENT_SECRET: &str = "bench-idp-secret-0123456789abcdef-012345678";
/// Both, as `client_secret_basic` presents them.
pub(super) const CLIENT_CREDENTIALS: &str =
    "Basic YmVuY2g6YmVuY2gtaWRwLXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVmLTAxMjM0NTY3OA==";
const CONNECTION_SECRET: &str = "bench-connection-secret-0123456789abcdef";
const REDIRECT_URI: &str = "http://127.0.0.1:3458/callback";
/// People whose tokens take turns.
const PEOPLE: u32 = 20;

/// A deployment that is not running.
pub(super) struct Deployment {
    directory: PathBuf,
    pub(super) port: u16,
    pub(super) backend_port: u16,
    pub(super) public_url: String,
    /// An ID token of one of the people, from a sign-in.
    pub(super) id_token: String,
}

impl Deployment {
    /// Writes and applies everything, and signs people in once.
    pub(super) fn prepare() -> Result<Self> {
        let directory = process::root().join("target/bench");
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        let port = process::free_port()?;
        let mut deployment = Self {
            directory,
            port,
            backend_port: process::free_port()?,
            public_url: format!("http://127.0.0.1:{port}"),
            id_token: String::new(),
        };
        let provider_port = process::free_port()?;
        deployment.write(provider_port)?;
        deployment.id_token = deployment.sign_in(provider_port)?;
        Ok(deployment)
    }

    /// Where everything of the run lies.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The MCP server's address, which is the resource of its tokens.
    pub(super) fn resource(&self) -> String {
        format!("{}/mcp/bench", self.public_url)
    }

    /// Runs `mint` and keeps its lines in a file.
    pub(super) fn mint(&self, what: &str, count: usize, to: &str) -> Result<PathBuf> {
        let issued_by_bench = ["--issuer", ISSUER, "--client", CLIENT];
        let audience = match what {
            "redemptions" => format!("{}/as", self.public_url),
            _ => AUDIENCE.to_owned(),
        };
        let mut command = Command::new(program("mint"));
        command
            .arg(what)
            .arg("--key")
            .arg(&self.directory)
            .args(issued_by_bench);
        command.args(["--audience", &audience, "--resource", &self.resource()]);
        command.arg("--subjects").arg(self.file("subjects.txt"));
        command.args(["--count", &count.to_string()]);
        let file = self.file(to);
        command.stdout(fs::File::create(&file)?);
        process::run(&mut command)?;
        Ok(file)
    }

    fn write(&self, provider_port: u16) -> Result<()> {
        let mut keys = Command::new(program("mint"));
        process::run(keys.arg("keys").arg("--key").arg(&self.directory))?;
        let internal = process::free_port()?;
        let symbolon = |arguments: &[&str]| {
            let mut command = Command::new(program("symbolon"));
            process::run(command.args(arguments).current_dir(&self.directory))
        };
        symbolon(&["init", "--public-url", &self.public_url])?;
        let configuration = format!(
            "public_url = \"{}\"\n[listen]\naddress = \"127.0.0.1:{}\"\n\
             internal = \"127.0.0.1:{internal}\"\n[net]\nallow = [\"127.0.0.0/8\"]\n",
            self.public_url, self.port,
        );
        fs::write(self.file("symbolon.toml"), configuration)?;
        fs::write(self.file("manifest.toml"), self.manifest(provider_port))?;
        fs::write(self.file("idp.secret"), CLIENT_SECRET)?;
        fs::write(self.file("connection.secret"), CONNECTION_SECRET)?;
        symbolon(&["apply", "manifest.toml"])
    }

    /// Signs people in; writes their ids to `subjects.txt` and returns an ID token.
    fn sign_in(&self, provider_port: u16) -> Result<String> {
        let server = Target::product(self)?;
        let example = process::root().join("target/debug/examples/sign_in");
        let mut command = Command::new(example);
        command
            .arg(server.url("/idp/acme"))
            .args([CLIENT, CLIENT_SECRET, REDIRECT_URI]);
        command.arg(format!("127.0.0.1:{provider_port}"));
        command.args([CONNECTION_SECRET, &PEOPLE.to_string()]);
        let (succeeded, tokens) = process::output(&mut command)?;
        ensure!(succeeded, "nobody could sign in");
        let subjects: Option<Vec<String>> = tokens.lines().map(subject).collect();
        let subjects = subjects.context("an ID token without subject")?;
        fs::write(self.file("subjects.txt"), subjects.join("\n"))?;
        let first = tokens.lines().next().context("no ID token")?;
        Ok(first.to_owned())
    }

    fn manifest(&self, provider_port: u16) -> String {
        include_str!("manifest.toml")
            .replace("{public_url}", &self.public_url)
            .replace("{provider}", &format!("http://127.0.0.1:{provider_port}"))
            .replace(
                "{upstream}",
                &format!("http://127.0.0.1:{}/mcp", self.backend_port),
            )
            .replace("{issuer}", ISSUER)
            .replace("{audience}", AUDIENCE)
            .replace("{redirect_uri}", REDIRECT_URI)
    }
}

/// `sub` of a JWT that we just got from its issuer.
fn subject(jwt: &str) -> Option<String> {
    let payload = decode(jwt.split('.').nth(1)?)?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    claims["sub"].as_str().map(str::to_owned)
}

/// Base64url without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut bits, mut width) = (Vec::new(), 0_u32, 0_u32);
    for character in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == character)?;
        bits = (bits << 6) | u32::try_from(value).ok()?;
        width += 6;
        if width >= 8 {
            width -= 8;
            bytes.push((bits >> width).to_le_bytes()[0]);
            bits &= (1 << width) - 1;
        }
    }
    Some(bytes)
}
