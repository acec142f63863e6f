//! Whether what the deployment depends on can be reached, and is what it says it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use symbolon_net::discovery::{self, DiscoveryError};
use symbolon_net::issuer_keys::KeySource as Source;
use symbolon_net::{HttpClient, IssuerKeys, IssuerRow, NetConfig, SystemClock, UrlClass};
use symbolon_protocol::ids::ServerId;
use symbolon_protocol::issuer::Issuer;
use symbolon_protocol::metadata::ProviderMetadata;
use symbolon_protocol::resource::ResourceIndicator;
use symbolon_storage::definition::{Definition, Kind};
use symbolon_storage::directory::{Connection, Directory, KeySource, McpServer};
use url::Url;

use super::finding::{Findings, causes};
use super::{probe, walk};
use crate::config::{Config, Role};

/// Everything of a deployment was written by its administrators.
const CLASS: UrlClass = UrlClass::DeploymentAdmin;

struct Reach<'a> {
    config: &'a Config,
    directory: &'a Directory,
    client: HttpClient,
    keys: IssuerKeys,
}

/// Examines everything that is reached over the network.
pub(super) async fn examine(
    config: &Config,
    directory: &Directory,
    definitions: &[Definition],
    findings: &mut Findings,
) {
    let net = NetConfig {
        allow: config.net.allow.clone(),
        ..NetConfig::default()
    };
    let client = match HttpClient::new(net) {
        Ok(client) => client,
        Err(error) => return findings.error(&anyhow::Error::from(error)),
    };
    let keys = IssuerKeys::new(client.clone(), Arc::new(SystemClock));
    let reach = Reach {
        config,
        directory,
        client,
        keys,
    };
    let mut connections: Vec<_> = directory.connections().collect();
    connections.sort_by(|a, b| a.id.cmp(&b.id));
    for connection in connections {
        reach.connection(connection, findings).await;
    }
    for row in reach.issuers(definitions) {
        reach.issuer(row, findings).await;
    }
    let mut servers: Vec<_> = directory.servers().collect();
    servers.sort_by(|a, b| a.id.cmp(&b.id));
    for server in servers {
        reach.upstream(server, findings).await;
    }
    reach.public_url(findings).await;
}

impl Reach<'_> {
    async fn connection(&self, connection: &Connection, findings: &mut Findings) {
        let Connection { id, issuer, .. } = connection;
        let client = match self.client.trusting(connection.ca_pem.as_deref()) {
            Ok(client) => client,
            Err(error) => {
                return findings.problem(
                    format!("connection {id}: {}", causes(&error)),
                    "put readable PEM certificates into ca_file and apply again",
                );
            }
        };
        match discovery::fetch::<ProviderMetadata>(&client, CLASS, issuer).await {
            Ok(found) => match lacking(&found.metadata) {
                None => findings.ok(format!("connection {id}: {issuer} answers as itself")),
                Some(endpoint) => findings.problem(
                    format!("connection {id}: the metadata of {issuer} has no {endpoint}"),
                    "use the issuer of an OpenID provider with the authorization code flow",
                ),
            },
            Err(error) => {
                findings.problem(
                    format!("connection {id}: {}", causes(&error)),
                    advice(&error),
                );
            }
        }
    }

    /// Each trusted issuer and access token issuer, with where its keys are.
    fn issuers(&self, definitions: &[Definition]) -> Vec<(String, IssuerRow)> {
        let named = |kind: Kind| -> BTreeSet<&str> {
            let own = definitions
                .iter()
                .filter(move |definition| definition.key.kind == kind);
            own.filter_map(|definition| definition.document.get("issuer")?.as_str())
                .collect()
        };
        let mut rows = Vec::new();
        for text in named(Kind::TrustedIssuer) {
            for one in self.directory.trusted_issuers_for(text) {
                let what = format!("trusted issuer {} of {}", one.issuer, one.organization);
                rows.push(row(what, &one.issuer, &one.keys, one.ca_pem.as_deref()));
            }
        }
        let servers: Vec<&ServerId> = self.directory.servers().map(|server| &server.id).collect();
        for text in named(Kind::AccessTokenIssuer) {
            let found = servers.iter().find_map(|id| {
                self.directory
                    .access_token_issuers_for(text, id)
                    .first()
                    .copied()
            });
            rows.extend(found.map(|one| {
                let what = format!("access token issuer {} of {}", one.issuer, one.organization);
                row(what, &one.issuer, &one.keys, one.ca_pem.as_deref())
            }));
        }
        rows
    }

    async fn issuer(&self, (what, row): (String, IssuerRow), findings: &mut Findings) {
        match self.keys.keys(&row).await {
            Ok(keys) if keys.is_empty() => findings.problem(
                format!("{what}: its key set has no key that can verify a signature"),
                "the issuer must publish an ES256, ES384, EdDSA, PS256 or RS256 key",
            ),
            Ok(_) => findings.ok(format!("{what}: its keys are there")),
            Err(error) => findings.problem(
                format!("{what}: {}", causes(&error)),
                "until then none of its tokens is accepted: correct issuer, jwks_uri or [net] allow",
            ),
        }
    }

    async fn upstream(&self, server: &McpServer, findings: &mut Findings) {
        let Some(upstream) = &server.upstream else {
            return;
        };
        let id = &server.id;
        let change = "start the server, or correct its upstream; special-use networks and plain \
                      http need [net] allow";
        let client = match self.client.trusting(upstream.ca_pem.as_deref()) {
            Ok(client) => client,
            Err(error) => {
                return findings.problem(format!("upstream of {id}: {}", causes(&error)), change);
            }
        };
        match probe::send(&client, &upstream.url, None).await {
            Ok(head) if head.status.is_server_error() || head.status == 404 => findings.warning(
                format!("upstream of {id} answers {}", head.status),
                "check that the path of upstream is its MCP endpoint",
            ),
            Ok(_) => findings.ok(format!("upstream of {id} answers")),
            Err(error) => findings.problem(format!("upstream of {id}: {error:#}"), change),
        }
    }

    /// What clients see from outside.
    async fn public_url(&self, findings: &mut Findings) {
        let base = &self.config.public_url;
        let mut issuers = Vec::new();
        if self.config.serves(Role::As) {
            issuers.push(format!("{base}/as"));
        }
        if self.config.serves(Role::Idp) {
            issuers.extend(
                self.directory
                    .organizations()
                    .map(|one| format!("{base}/idp/{}", one.id)),
            );
        }
        issuers.sort();
        for issuer in issuers {
            self.own_issuer(&issuer, findings).await;
        }
        if self.config.serves(Role::Gateway) {
            for server in self
                .directory
                .servers()
                .filter(|server| server.upstream.is_some())
            {
                self.own_resource(server, findings).await;
            }
        }
    }

    async fn own_issuer(&self, text: &str, findings: &mut Findings) {
        let issuer = match Issuer::parse(text) {
            Ok(issuer) => issuer,
            Err(error) => {
                return findings.problem(format!("{text}: {error}"), "correct public_url");
            }
        };
        match discovery::fetch::<ProviderMetadata>(&self.client, CLASS, &issuer).await {
            Ok(_) => findings.ok(format!("clients find {issuer}")),
            Err(error @ DiscoveryError::OtherIssuer { .. }) => findings.problem(
                causes(&error),
                "set public_url to exactly what clients use, and restart `symbolon serve`",
            ),
            Err(error) => findings.problem(
                causes(&error),
                "start `symbolon serve`, and route public_url (with /.well-known/) to it",
            ),
        }
    }

    async fn own_resource(&self, server: &McpServer, findings: &mut Findings) {
        let Ok(resource) = ResourceIndicator::parse(&server.resource) else {
            return;
        };
        let Ok(url) = Url::parse(&resource.metadata_url()) else {
            return;
        };
        match walk::resource_metadata(&self.client, &url).await {
            Ok(document) if document.resource == resource => {
                findings.ok(format!("clients find the metadata of {}", server.id));
            }
            Ok(document) => findings.problem(
                format!(
                    "the metadata at {url} is for {}, not for {resource}",
                    document.resource
                ),
                format!(
                    "set resource of mcp_server {} to the URL that clients use",
                    server.id
                ),
            ),
            Err(error) => findings.problem(
                format!("the metadata of {}: {error:#}", server.id),
                "its resource must be public_url with /mcp/ and its id, routed to `symbolon serve`",
            ),
        }
    }
}

fn row(
    what: String,
    issuer: &Issuer,
    keys: &KeySource,
    ca_pem: Option<&str>,
) -> (String, IssuerRow) {
    let source = match keys {
        KeySource::Discovery => Source::Discovery(issuer.clone()),
        KeySource::JwksUri(url) => Source::JwksUri(url.clone()),
        KeySource::Inline(text) => Source::Inline(text.as_str().into()),
    };
    let row = IssuerRow {
        id: what.clone(),
        class: CLASS,
        source,
        ca_pem: ca_pem.map(Arc::from),
    };
    (what, row)
}

/// What a sign-in needs and the metadata does not have.
fn lacking(metadata: &ProviderMetadata) -> Option<&'static str> {
    let found = [
        (
            "authorization_endpoint",
            metadata.authorization_endpoint().is_ok(),
        ),
        ("token_endpoint", metadata.token_endpoint().is_ok()),
        ("jwks_uri", metadata.jwks_uri().is_ok()),
    ];
    found
        .into_iter()
        .find(|(_, is_there)| !is_there)
        .map(|(name, _)| name)
}

/// What to change when an issuer has no metadata for us.
pub(super) fn advice(error: &DiscoveryError) -> &'static str {
    match error {
        DiscoveryError::OtherIssuer { .. } => {
            "write issuer exactly as the document says it, trailing slash included"
        }
        DiscoveryError::Malformed { .. } => "the operator of the issuer must correct its metadata",
        DiscoveryError::Fetch { source, .. } if source.is_refusal() => {
            "an internal host must be in [net] allow; everything else needs https"
        }
        _ => "check the issuer, and that this machine reaches it",
    }
}
