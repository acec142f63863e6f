//! An MCP server as a client meets it: challenge, resource metadata, authorization server metadata,
//! and whether enterprise sign-in (an ID-JAG) would be accepted (requirements CL-01 to CL-07).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use anyhow::{Context, Result};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, StatusCode};
use ipnet::IpNet;
use serde_json::json;
use symbolon_net::client::limit;
use symbolon_net::{HttpClient, NetConfig, Response, UrlClass, discovery};
use symbolon_protocol::challenge::Challenge;
use symbolon_protocol::issuer::{Issuer, is_loopback};
use symbolon_protocol::metadata::{ID_JAG_PROFILE, ProtectedResourceMetadata, ProviderMetadata};
use symbolon_protocol::resource::ResourceIndicator;
use url::{Position, Url};

use super::finding::{Findings, causes};
use super::{probe, reach};
use crate::config::{Config, Environment};

/// The grant that redeems an ID-JAG (RFC 7523).
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Walks an MCP server.
///
/// # Errors
/// The text is not the URL of one.
pub(super) async fn server(text: &str, path: &Path, environment: &Environment) -> Result<Findings> {
    let resource = ResourceIndicator::parse(text)
        .with_context(|| format!("{text:?} cannot be an MCP server"))?;
    let url = resource.to_url();
    let client = HttpClient::new(net(&url, path, environment))?;
    let mut walk = Walk {
        client,
        resource,
        url,
        findings: Findings::default(),
    };
    if let Some(metadata) = walk.discover().await {
        walk.authorization_servers(&metadata).await;
    }
    Ok(walk.findings)
}

/// What may be reached: what the configuration says, if there is one, and loopback from loopback.
fn net(url: &Url, path: &Path, environment: &Environment) -> NetConfig {
    let config = path
        .exists()
        .then(|| Config::load(path, environment).ok())
        .flatten();
    let mut allow = config.map(|config| config.net.allow).unwrap_or_default();
    if is_loopback(url) {
        let loopback = [
            IpAddr::from(Ipv4Addr::LOCALHOST),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ];
        allow.extend(loopback.map(IpNet::from));
    }
    NetConfig {
        allow,
        ..NetConfig::default()
    }
}

/// Fetches protected resource metadata (RFC 9728).
pub(super) async fn resource_metadata(
    client: &HttpClient,
    url: &Url,
) -> Result<ProtectedResourceMetadata> {
    let answer = client
        .get(UrlClass::DeploymentAdmin, url, limit::METADATA)
        .await;
    let answer = answer.and_then(Response::ok)?;
    serde_json::from_slice(&answer.body).with_context(|| format!("{url} is not resource metadata"))
}

struct Walk {
    client: HttpClient,
    resource: ResourceIndicator,
    url: Url,
    findings: Findings,
}

impl Walk {
    /// From the refused request to the metadata of the resource.
    async fn discover(&mut self) -> Option<ProtectedResourceMetadata> {
        let named = self.challenge().await?;
        let places = match named {
            // CL-01: what the challenge names is the only place.
            Some(url) => vec![(url, self.resource.as_str().to_owned())],
            None => self.well_known(),
        };
        let last = places.len() - 1;
        for (index, (url, expected)) in places.into_iter().enumerate() {
            match resource_metadata(&self.client, &url).await {
                Ok(metadata) => return self.accept(&url, &expected, metadata),
                Err(_) if index < last => {}
                Err(error) => self.findings.problem(
                    format!("resource metadata at {url}: {error:#}"),
                    "the server must publish RFC 9728 metadata there, as JSON with status 200",
                ),
            }
        }
        None
    }

    /// Asks without a token. `None` ends the walk; `Some(None)`: no metadata was named.
    async fn challenge(&mut self) -> Option<Option<Url>> {
        let head = match probe::send(&self.client, &self.url, Some(initialize())).await {
            Ok(head) => head,
            Err(error) => {
                let change = "check the URL; special-use networks need [net] allow in --config";
                self.findings
                    .problem(format!("{} cannot be asked: {error:#}", self.url), change);
                return None;
            }
        };
        if head.status != StatusCode::UNAUTHORIZED {
            self.unchallenged(head.status);
            return None;
        }
        let Some(challenge) = bearer(&head.headers) else {
            self.findings.problem(
                "the 401 has no readable Bearer challenge",
                "add WWW-Authenticate: Bearer resource_metadata=\"…\" (RFC 9728 §5.1)",
            );
            return Some(None);
        };
        self.findings
            .ok("a request without a token is answered with a Bearer challenge");
        Some(self.named(&challenge))
    }

    fn unchallenged(&mut self, status: StatusCode) {
        let (what, change) = match status {
            status if status.is_success() => (
                "the server answers without a token".to_owned(),
                "nothing protects it: put it behind the gateway, or let it answer 401",
            ),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => (
                format!("a request without a token is answered {status}"),
                "this is not the MCP endpoint: check the path",
            ),
            status => (
                format!("a request without a token is answered {status}, not 401"),
                "the server must answer 401 with a Bearer challenge before anything else",
            ),
        };
        self.findings.problem(what, change);
    }

    fn named(&mut self, challenge: &Challenge) -> Option<Url> {
        let Some(text) = challenge.parameter("resource_metadata") else {
            self.findings.warning(
                "the challenge names no resource_metadata, so clients guess where it is",
                "add resource_metadata=\"…\" to the challenge (RFC 9728 §5.1)",
            );
            return None;
        };
        let url = Url::parse(text).ok();
        if url.is_none() {
            self.findings.problem(
                format!("the challenge's resource_metadata {text:?} is not a URL"),
                "write the absolute https URL of the metadata",
            );
        }
        url
    }

    /// CL-02: the path-inserted place, then the root; each with the identifier it stands for.
    fn well_known(&self) -> Vec<(Url, String)> {
        let origin = self.url[..Position::BeforePath].to_owned();
        let own = (
            self.resource.metadata_url(),
            self.resource.as_str().to_owned(),
        );
        let root = (
            format!("{origin}/.well-known/oauth-protected-resource"),
            origin,
        );
        let mut places = vec![own];
        if places[0].0 != root.0 {
            places.push(root);
        }
        places
            .into_iter()
            .filter_map(|(url, id)| Some((Url::parse(&url).ok()?, id)))
            .collect()
    }

    /// CL-03: metadata for another resource ends the walk.
    fn accept(
        &mut self,
        url: &Url,
        expected: &str,
        metadata: ProtectedResourceMetadata,
    ) -> Option<ProtectedResourceMetadata> {
        let found = metadata.resource.as_str();
        let is_root = expected != self.resource.as_str();
        if found != expected && !(is_root && found == format!("{expected}/")) {
            self.findings.problem(
                format!("the resource metadata at {url} is for {found:?}, not for {expected:?}"),
                "both must be equal byte for byte: clients stop here (RFC 9728 §3.3)",
            );
            return None;
        }
        self.findings
            .ok(format!("resource metadata at {url} is for {found}"));
        Some(metadata)
    }

    async fn authorization_servers(&mut self, metadata: &ProtectedResourceMetadata) {
        if metadata.authorization_servers.is_empty() {
            self.findings.problem(
                "the resource metadata names no authorization server",
                "add authorization_servers with the issuer that protects it",
            );
        }
        for issuer in &metadata.authorization_servers {
            self.authorization_server(issuer).await;
        }
    }

    async fn authorization_server(&mut self, issuer: &Issuer) {
        let class = UrlClass::DeploymentAdmin;
        match discovery::fetch::<ProviderMetadata>(&self.client, class, issuer).await {
            Ok(found) => {
                self.findings
                    .ok(format!("authorization server {issuer} answers as itself"));
                self.sign_in(issuer, &found.metadata);
                self.id_jag(issuer, &found.metadata);
            }
            Err(error) => {
                let what = format!("authorization server: {}", causes(&error));
                self.findings.problem(what, reach::advice(&error));
            }
        }
    }

    /// The browser's way: authorization code with PKCE.
    fn sign_in(&mut self, issuer: &Issuer, metadata: &ProviderMetadata) {
        if metadata.token_endpoint().is_err() {
            let what = format!("sign-in at {issuer}: its metadata has no token_endpoint");
            self.findings
                .problem(what, "the authorization server must publish token_endpoint");
        }
        if metadata.advertises_s256() {
            self.findings
                .ok(format!("sign-in at {issuer}: PKCE with S256 is advertised"));
        } else {
            self.findings.problem(
                format!("sign-in at {issuer}: code_challenge_methods_supported does not list S256"),
                "MCP clients refuse: the authorization server must advertise S256",
            );
        }
    }

    /// Enterprise sign-in: its second leg, at the server's authorization server.
    fn id_jag(&mut self, issuer: &Issuer, metadata: &ProviderMetadata) {
        let profiles = &metadata.authorization_grant_profiles_supported;
        let has_profile = profiles.iter().any(|profile| profile == ID_JAG_PROFILE);
        let has_grant = metadata
            .grant_types_supported
            .iter()
            .any(|grant| grant == JWT_BEARER);
        let leg = format!("enterprise sign-in, second leg at {issuer}");
        match (has_profile, has_grant) {
            (true, true) => self.findings.ok(format!("{leg}: ID-JAGs are redeemed")),
            (true, false) => self.findings.problem(
                format!("{leg}: the ID-JAG profile is advertised without the jwt-bearer grant"),
                format!("add {JWT_BEARER} to grant_types_supported"),
            ),
            (false, _) => self.findings.warning(
                format!("{leg}: the metadata does not advertise {ID_JAG_PROFILE}"),
                "people sign in with a browser at every server, unless it stands behind a gateway \
                 whose authorization server redeems ID-JAGs",
            ),
        }
    }
}

/// The first request of every MCP client.
fn initialize() -> String {
    json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "symbolon doctor", "version": env!("CARGO_PKG_VERSION") },
        },
    })
    .to_string()
}

/// The Bearer challenge of an answer, among others perhaps (CL-01).
fn bearer(headers: &HeaderMap) -> Option<Challenge> {
    let values = headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let challenges = values
        .filter_map(|value| Challenge::parse_all(value).ok())
        .flatten();
    challenges
        .into_iter()
        .find(|challenge| challenge.is("Bearer"))
}
