//! oidc-provider in a real browser: sign-in and consent at `/as`, without JavaScript, by keyboard.

use anyhow::Result;

use super::deployment::{self, Deployment};
use crate::{process, tools};

/// The S256 challenge of RFC 7636 appendix B; nobody redeems the code.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Walks from `/as/authorize` back to the client.
pub(super) fn sign_in() -> Result<()> {
    let deployment = Deployment::start("browser", |url| {
        deployment::servers(url, &[("everything", "http://127.0.0.1:9/mcp".to_owned())])
    })?;
    let redirect_uri = format!("http://127.0.0.1:{}/callback", process::free_port()?);
    let start = format!(
        "{url}/as/authorize?response_type=code&client_id=conformance&redirect_uri={redirect_uri}\
         &code_challenge={CHALLENGE}&code_challenge_method=S256&state=s1&resource={url}/mcp/everything",
        url = deployment.public_url
    );
    let mut command = deployment::node("browser.mjs")?;
    command
        .arg(tools::chromium()?)
        .arg(start)
        .arg(redirect_uri)
        .arg(deployment.directory());
    process::run(&mut command)
}
