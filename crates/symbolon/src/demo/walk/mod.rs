//! The walk of the demonstration: each step does what a real participant does, over the wire, and
//! fails loudly if the product does not do what the step says.

mod browser;
mod http;
mod mcp;
mod oauth;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use symbolon_protocol::digest::from_base64url;

pub use self::browser::Browser;
pub use self::http::{Answer, Http};
pub use self::mcp::Mcp;
pub use self::oauth::{Endpoints, Tokens};
use super::narrator::Narrator;
use super::scenario::{CLIENT, Scenario};

/// Everything the participants know when the walk begins.
pub(super) struct Walk<'a> {
    scenario: &'a Scenario,
    http: Http,
    narrator: Narrator,
}

impl<'a> Walk<'a> {
    pub(super) fn new(scenario: &'a Scenario, http: Http, narrator: Narrator) -> Self {
        Self {
            scenario,
            http,
            narrator,
        }
    }

    /// Runs every step; the first that does not hold ends the walk.
    pub(super) async fn run(mut self) -> Result<()> {
        let id_token = self.sign_in("ada").await?;
        let id_jag = self.exchange(&id_token).await?;
        let access_token = self.redeem(&id_jag).await?;
        self.replay(&id_jag).await?;
        self.call(&access_token).await?;
        self.what_the_server_sees(&access_token).await?;
        self.refused_tool(&access_token).await?;
        self.refused_person().await?;
        self.revocation(&access_token).await?;
        self.audit().await
    }

    fn endpoints(&self) -> Endpoints<'_> {
        Endpoints {
            http: &self.http,
            scenario: self.scenario,
        }
    }

    async fn sign_in(&mut self, login: &str) -> Result<String> {
        self.narrator.step(
            "Ada signs in at her company's identity provider",
            "The agent opens a browser at /idp/acme. Symbolon sends Ada on to the identity provider \
             that her company already has, checks what comes back, and gives the agent an ID token.",
        );
        let id_token = self.endpoints().sign_in(login).await?;
        let claims = claims(&id_token);
        ensure!(
            claims["aud"] == CLIENT,
            "the ID token is for {}, not the agent",
            claims["aud"]
        );
        self.narrator.token("ID token", &claims);
        Ok(id_token)
    }

    async fn exchange(&mut self, id_token: &str) -> Result<String> {
        self.narrator.step(
            "The agent exchanges the ID token for an ID-JAG",
            "Token exchange at /idp/acme: the admin's policy is asked whether Ada may use the tracker \
             through this agent. The answer is a permission slip for one authorization server, one \
             server and one client, good for a few minutes and for one use.",
        );
        let answer = self
            .endpoints()
            .exchange(id_token, "issues:read issues:write")
            .await?;
        ensure!(
            answer.status == 200,
            "the exchange was refused: {}",
            answer.body
        );
        let body = answer.json();
        ensure!(
            body["token_type"] == "N_A",
            "token_type is {}, not N_A",
            body["token_type"]
        );
        ensure!(
            body["scope"] == "issues:read",
            "granted {}, not issues:read",
            body["scope"]
        );
        let id_jag = text(&body["access_token"]);
        self.narrator.token("ID-JAG", &claims(&id_jag));
        self.narrator.note(
            "issues:write was asked for too; the assignment grants engineering issues:read only.",
        );
        Ok(id_jag)
    }

    async fn redeem(&mut self, id_jag: &str) -> Result<String> {
        self.narrator.step(
            "The agent redeems the ID-JAG for an access token",
            "The authorization server /as checks the issuer's signature, that the slip is for itself, \
             for this client and unused, asks policy again, and issues a token for the tracker only.",
        );
        let answer = self.endpoints().redeem(id_jag).await?;
        ensure!(
            answer.status == 200,
            "the redemption was refused: {}",
            answer.body
        );
        let body = answer.json();
        ensure!(
            body.get("refresh_token").is_none(),
            "an ID-JAG must not yield a refresh token"
        );
        let token = text(&body["access_token"]);
        let claims = claims(&token);
        ensure!(
            claims["aud"] == self.scenario.resource(),
            "the token is for {}",
            claims["aud"]
        );
        self.narrator.token("Access token", &claims);
        Ok(token)
    }

    async fn replay(&mut self, id_jag: &str) -> Result<()> {
        self.narrator.step(
            "A thief redeems the same ID-JAG again",
            "Single use is one conditional statement in the database, so even a hundred thieves at once, \
             on two nodes, would find one winner: the agent, which was first.",
        );
        let answer = self.endpoints().redeem(id_jag).await?;
        ensure!(
            answer.status == 400,
            "the replay was answered with {}",
            answer.status
        );
        self.narrator.answer(&answer);
        Ok(())
    }

    async fn call(&mut self, token: &str) -> Result<()> {
        self.narrator.step(
            "The agent calls a tool through the gateway",
            "The gateway checks the token, its audience and its revocation, compares headers with the \
             body, asks policy about this very tool, and streams the answer of the tracker.",
        );
        let mcp = Mcp::new(&self.http, self.scenario.resource(), Some(token));
        let answer = mcp.call_tool("list_issues", json!({})).await?;
        ensure!(
            answer.status == 200,
            "the call was answered with {}",
            answer.status
        );
        ensure!(
            answer.json().pointer("/result/content").is_some(),
            "no result: {}",
            answer.body
        );
        self.narrator.answer(&answer);
        Ok(())
    }

    async fn what_the_server_sees(&mut self, token: &str) -> Result<()> {
        self.narrator.step(
            "What the tracker sees of the caller",
            "The tool `whoami` returns the headers it received. The agent's token is not among them: \
             it ends at the gateway, which tells the server who calls in a signed header of its own.",
        );
        let mcp = Mcp::new(&self.http, self.scenario.resource(), Some(token));
        let answer = mcp.call_tool("whoami", json!({})).await?;
        ensure!(
            answer.status == 200,
            "the call was answered with {}",
            answer.status
        );
        ensure!(
            !answer.body.contains(token),
            "the access token reached the tracker"
        );
        self.narrator.answer(&answer);
        Ok(())
    }

    async fn refused_tool(&mut self, token: &str) -> Result<()> {
        self.narrator.step(
            "The agent tries a tool that policy does not allow",
            "`close_issue` needs issues:write, which nobody granted. The refusal says which scopes the \
             call needs, and the tool does not even appear in the list of tools.",
        );
        let mcp = Mcp::new(&self.http, self.scenario.resource(), Some(token));
        let answer = mcp
            .call_tool("close_issue", json!({ "id": "TR-1" }))
            .await?;
        ensure!(
            answer.status == 403,
            "the call was answered with {}",
            answer.status
        );
        self.narrator.answer(&answer);
        let names = mcp.tool_names().await?;
        ensure!(
            !names.iter().any(|name| name == "close_issue"),
            "close_issue is listed"
        );
        self.narrator
            .note(&format!("tools listed for Ada: {}", names.join(", ")));
        Ok(())
    }

    async fn refused_person(&mut self) -> Result<()> {
        self.narrator.step(
            "Bob, who is in sales, tries the same",
            "He signs in just as well, but no assignment gives his groups the tracker. The identity \
             provider role refuses to issue an ID-JAG; nothing ever reaches the tracker.",
        );
        let id_token = self.endpoints().sign_in("bob").await?;
        let answer = self.endpoints().exchange(&id_token, "issues:read").await?;
        ensure!(
            answer.status == 400,
            "Bob's exchange was answered with {}",
            answer.status
        );
        ensure!(
            answer.json()["error"] == "access_denied",
            "unexpected: {}",
            answer.body
        );
        self.narrator.answer(&answer);
        Ok(())
    }

    async fn revocation(&mut self, token: &str) -> Result<()> {
        self.narrator.step(
            "The admin cuts Ada off",
            "`symbolon user revoke` ends every session, grant and refresh token of Ada. Her access \
             token has minutes left, but the gateway asks the revocation index on each call.",
        );
        self.scenario.revoke(&text(&claims(token)["sub"])).await?;
        let mcp = Mcp::new(&self.http, self.scenario.resource(), Some(token));
        let refused = mcp.call_until_refused("list_issues").await?;
        ensure!(
            refused.status == 401,
            "after the revocation: {}",
            refused.status
        );
        self.narrator.answer(&refused);
        Ok(())
    }

    async fn audit(&mut self) -> Result<()> {
        self.narrator.step(
            "The audit trail",
            "Every decision above is in a chain in which each event holds the hash of the one before; \
             `symbolon audit verify` checks it offline.",
        );
        let (lines, verified) = self.scenario.audit().await?;
        for line in lines {
            self.narrator.note(&line);
        }
        ensure!(verified > 0, "the audit chain holds no verified event");
        self.narrator.note(&format!("{verified} events verified"));
        Ok(())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The claims of a JWT, for showing; nothing is decided by them here.
fn claims(jwt: &str) -> Value {
    let payload = jwt
        .split('.')
        .nth(1)
        .and_then(|part| from_base64url(part).ok());
    payload
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or(Value::Null)
}
