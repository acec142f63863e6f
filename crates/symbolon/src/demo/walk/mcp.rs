//! MCP calls of protocol 2026-07-28: stateless, with the headers that repeat what the body says.

use std::time::Duration;

use anyhow::{Result, bail};
use hyper::Method;
use hyper::header::{self, HeaderName};
use serde_json::{Value, json};

use super::http::{Answer, Http};

const VERSION: &str = "2026-07-28";

/// A caller of one MCP endpoint.
pub struct Mcp<'a> {
    http: &'a Http,
    url: &'a str,
    token: Option<&'a str>,
}

impl<'a> Mcp<'a> {
    /// A caller with or without an access token.
    #[must_use]
    pub fn new(http: &'a Http, url: &'a str, token: Option<&'a str>) -> Self {
        Self { http, url, token }
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// When the endpoint does not answer; a refusal is an answer.
    pub async fn call_tool(&self, name: &str, arguments: Value) -> Result<Answer> {
        let params = json!({ "name": name, "arguments": arguments });
        self.send("tools/call", params, Some(name)).await
    }

    /// The names of the tools that this caller is shown.
    ///
    /// # Errors
    /// When the endpoint does not answer with a list.
    pub async fn tool_names(&self) -> Result<Vec<String>> {
        let answer = self.send("tools/list", json!({}), None).await?.json();
        let Some(tools) = answer.pointer("/result/tools").and_then(Value::as_array) else {
            bail!("no list of tools: {answer}");
        };
        Ok(tools
            .iter()
            .filter_map(|tool| tool["name"].as_str().map(str::to_owned))
            .collect())
    }

    /// Calls a tool until the answer is not a success: a revocation takes at most a second.
    ///
    /// # Errors
    /// When the call still succeeds after two seconds.
    pub async fn call_until_refused(&self, name: &str) -> Result<Answer> {
        for _ in 0..40 {
            let answer = self.call_tool(name, json!({})).await?;
            if !answer.status.is_success() {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{name} still succeeds two seconds after the revocation")
    }

    async fn send(&self, method: &str, mut params: Value, name: Option<&str>) -> Result<Answer> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientInfo": { "name": "desk-agent", "version": "1.0.0" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let own = HeaderName::from_static;
        let mut headers = vec![
            (header::CONTENT_TYPE, "application/json".to_owned()),
            (
                header::ACCEPT,
                "application/json, text/event-stream".to_owned(),
            ),
            (own("mcp-protocol-version"), VERSION.to_owned()),
            (own("mcp-method"), method.to_owned()),
        ];
        headers.extend(name.map(|name| (own("mcp-name"), name.to_owned())));
        headers.extend(
            self.token
                .map(|token| (header::AUTHORIZATION, format!("Bearer {token}"))),
        );
        self.http
            .send(Method::POST, self.url, &headers, body.to_string())
            .await
    }
}
