//! Enterprise-managed authorization with the official Rust client, `rmcp`, ending in a tool result.
//!
//! ```sh
//! cargo run --example ema_rmcp -- SETTINGS_JSON ID_TOKEN
//! ```
//!
//! The settings name the MCP server (`mcp`), both issuers (`idp`, `as`), the client's registration at
//! each, a `scope` and a `tool` with its `arguments`.

use anyhow::{Context, Result, ensure};
use oauth2::ClientSecret;
use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, ClientConfig};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::default_oauth_http_client;
use rmcp::transport::auth::enterprise::{
    EmaAuthorizationServer, EmaClientAuthentication, EmaExchangeRequest,
};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::Value;

#[tokio::main]
#[expect(
    clippy::print_stdout,
    reason = "the result is for the person who runs the example"
)]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let settings = arguments
        .next()
        .context("the first argument is the settings as JSON")?;
    let id_token = arguments
        .next()
        .context("the second argument is an ID token")?;
    let settings: Value = serde_json::from_str(&settings)?;
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .ok();
    let token = access_token(&settings, &id_token).await?;
    let config = StreamableHttpClientTransportConfig::with_uri(text(&settings, "mcp"));
    let transport = StreamableHttpClientTransport::from_config(config.auth_header(token));
    let client = ClientConfig::default().serve(transport).await?;
    let tool = text(&settings, "tool");
    let tools = client.list_all_tools().await?;
    ensure!(
        tools.iter().any(|listed| listed.name == tool),
        "{tool} is not listed"
    );
    let mut call = CallToolRequestParams::new(tool);
    call.arguments = settings["arguments"].as_object().cloned();
    let result = client.call_tool(call).await?;
    ensure!(result.is_error != Some(true), "the tool failed: {result:?}");
    println!("tool result: {}", serde_json::to_string(&result.content)?);
    client.cancel().await?;
    Ok(())
}

/// ID token → ID-JAG → access token.
async fn access_token(settings: &Value, id_token: &str) -> Result<String> {
    let http = default_oauth_http_client()?;
    let server = |issuer: &str, client: &str, secret: &str| {
        let issuer = text(settings, issuer);
        let secret = ClientSecret::new(text(settings, secret));
        EmaAuthorizationServer::new(&issuer, format!("{issuer}/token"), text(settings, client))
            .with_client_authentication(EmaClientAuthentication::ClientSecretBasic(secret))
    };
    let resource = text(settings, "mcp");
    let request = EmaExchangeRequest::new_with_id_token(
        server("idp", "idp_client", "idp_secret"),
        server("as", "as_client", "as_secret"),
        &resource,
        id_token,
    );
    let scope = text(settings, "scope");
    let exchanged = request
        .with_scopes([scope.as_str()])
        .exchange(&http, &http)
        .await?;
    Ok(exchanged.access_token.secret().to_string())
}

fn text(settings: &Value, name: &str) -> String {
    settings[name].as_str().unwrap_or_default().to_owned()
}
