//! Keys and metadata of issuers, cached per row (design rule 11).
//!
//! A row is a connection, a trusted issuer or a client with keys. Two rows with the same issuer
//! share nothing, and an edited row starts anew. An unknown `kid` causes at most one request in 30
//! seconds (`N-116`); while an issuer is down its last keys serve up to one hour beyond their end,
//! then nothing is accepted (`N-150`, `RS-30`).

use std::sync::Arc;

use moka::sync::Cache;
use symbolon_protocol::{
    issuer::Issuer,
    jose::{Algorithm, JwkSet, SelectError},
    metadata::{MetadataError, ProviderMetadata},
};
use url::Url;

use crate::{
    client::{HttpClient, limit},
    clock::Clock,
    discovery::{self, DiscoveryError},
    error::FetchError,
    kept::{Fetched, Kept, Reason},
    response::Response,
    url_class::UrlClass,
};

const REMEMBERED_ROWS: u64 = 10_000;

/// Where the keys of a row come from.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum KeySource {
    /// The `jwks_uri` of the metadata of this issuer.
    Discovery(Issuer),
    /// This JWK set.
    JwksUri(Url),
    /// The JWK set itself, as JSON.
    Inline(Arc<str>),
}

impl KeySource {
    fn is_inline(&self) -> bool {
        matches!(self, Self::Inline(_))
    }
}

/// A row whose keys are cached.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct IssuerRow {
    /// The id of the row, unique with its kind: `connection/acme-oidc`.
    pub id: String,
    /// Who wrote the row.
    pub class: UrlClass,
    /// Where the keys are.
    pub source: KeySource,
    /// Certificates, as PEM, that this row's hosts may also present.
    pub ca_pem: Option<Arc<str>>,
}

/// Why there are no keys or no metadata.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// Nothing usable can be had now: answer 503, never accept unverified (`N-150`).
    #[error("keys of {row} are not available")]
    Unavailable {
        /// The id of the row.
        row: String,
        /// The last failure.
        #[source]
        source: Option<Arc<KeyFetchError>>,
    },
}

/// Why keys or metadata could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFetchError {
    /// The metadata.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The key set was not answered.
    #[error("key set")]
    Fetch(#[from] FetchError),
    /// The answer is no key set that we accept.
    #[error("key set: {0}")]
    Malformed(String),
    /// The metadata that names the key set is not available.
    #[error("metadata of the issuer is not available")]
    Metadata(#[source] Option<Arc<KeyFetchError>>),
    /// The metadata names no key set.
    #[error(transparent)]
    NoKeySet(#[from] MetadataError),
    /// The keys of the row do not come by discovery.
    #[error("the row has no metadata")]
    NoMetadata,
}

/// The keys of every issuer that this process has met.
pub struct IssuerKeys {
    client: HttpClient,
    clock: Arc<dyn Clock>,
    rows: Cache<IssuerRow, Arc<Row>>,
}

impl IssuerKeys {
    /// An empty cache that fetches through `client`.
    #[must_use]
    pub fn new(client: HttpClient, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            clock,
            rows: Cache::new(REMEMBERED_ROWS),
        }
    }

    /// The current keys of a row.
    ///
    /// # Errors
    /// [`KeysError::Unavailable`]: answer 503.
    pub async fn keys(&self, row: &IssuerRow) -> Result<Arc<JwkSet>, KeysError> {
        let state = self.row(row);
        if let Some(keys) = state.keys.fresh(self.clock.now()) {
            return Ok(keys);
        }
        state.renew_keys(Reason::Old).await
    }

    /// The keys of a row, fetched again (at most once in 30 seconds) if they lack the one a
    /// signature names.
    ///
    /// The set may still lack the key: then the signature is not valid.
    ///
    /// # Errors
    /// [`KeysError::Unavailable`]: answer 503.
    pub async fn keys_for(
        &self,
        row: &IssuerRow,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<JwkSet>, KeysError> {
        let state = self.row(row);
        let Some(keys) = state.keys.fresh(self.clock.now()) else {
            return state.renew_keys(Reason::Old).await;
        };
        let missing = matches!(
            keys.select(kid, algorithm),
            Err(SelectError::UnknownKid | SelectError::NoUsableKey)
        );
        if missing && !row.source.is_inline() {
            return state.renew_keys(Reason::Incomplete).await;
        }
        Ok(keys)
    }

    /// The keys of a row, fetched again (at most once in 30 seconds): for a signature without `kid`
    /// that no key made.
    ///
    /// # Errors
    /// [`KeysError::Unavailable`]: answer 503.
    pub async fn renewed_keys(&self, row: &IssuerRow) -> Result<Arc<JwkSet>, KeysError> {
        if row.source.is_inline() {
            return self.keys(row).await;
        }
        self.row(row).renew_keys(Reason::Incomplete).await
    }

    /// The metadata of a row whose keys come by discovery.
    ///
    /// # Errors
    /// [`KeysError::Unavailable`]; also for a row whose keys do not come by discovery.
    pub async fn metadata(&self, row: &IssuerRow) -> Result<Arc<ProviderMetadata>, KeysError> {
        let state = self.row(row);
        if let Some(metadata) = state.metadata.fresh(self.clock.now()) {
            return Ok(metadata);
        }
        state.renew_metadata().await
    }

    fn row(&self, row: &IssuerRow) -> Arc<Row> {
        if let Some(found) = self.rows.get(row) {
            return found;
        }
        self.rows.get_with(row.clone(), || {
            Arc::new(Row {
                row: row.clone(),
                client: self.client.clone(),
                clock: Arc::clone(&self.clock),
                metadata: Kept::default(),
                keys: Kept::default(),
            })
        })
    }
}

/// What is kept for one row.
struct Row {
    row: IssuerRow,
    client: HttpClient,
    clock: Arc<dyn Clock>,
    metadata: Kept<ProviderMetadata, KeyFetchError>,
    keys: Kept<JwkSet, KeyFetchError>,
}

impl Row {
    /// Renews the keys in a task of its own: a caller that gives up does not break off what others
    /// wait for.
    async fn renew_keys(self: &Arc<Self>, reason: Reason) -> Result<Arc<JwkSet>, KeysError> {
        let row = Arc::clone(self);
        let renewal = tokio::spawn(async move {
            let fetch = || row.fetch_keys();
            row.keys.renew(reason, &*row.clock, fetch).await
        });
        let result = renewal.await.unwrap_or(Err(None));
        result.map_err(|source| self.unavailable(source))
    }

    async fn renew_metadata(self: &Arc<Self>) -> Result<Arc<ProviderMetadata>, KeysError> {
        let row = Arc::clone(self);
        let renewal = tokio::spawn(async move { row.current_metadata().await });
        let result = renewal.await.unwrap_or(Err(None));
        result.map_err(|source| self.unavailable(source))
    }

    async fn current_metadata(&self) -> Result<Arc<ProviderMetadata>, Option<Arc<KeyFetchError>>> {
        if let Some(metadata) = self.metadata.fresh(self.clock.now()) {
            return Ok(metadata);
        }
        let fetch = || self.fetch_metadata();
        self.metadata.renew(Reason::Old, &*self.clock, fetch).await
    }

    async fn fetch_metadata(&self) -> Result<Fetched<ProviderMetadata>, KeyFetchError> {
        let KeySource::Discovery(issuer) = &self.row.source else {
            return Err(KeyFetchError::NoMetadata);
        };
        let client = self.client()?;
        let found = discovery::fetch(&client, self.row.class, issuer).await;
        let found = found.inspect_err(|error| self.log(error))?;
        Ok((found.metadata, found.max_age))
    }

    async fn fetch_keys(&self) -> Result<Fetched<JwkSet>, KeyFetchError> {
        let url = match &self.row.source {
            KeySource::Inline(text) => return Ok((parse(text.as_bytes())?, None)),
            KeySource::JwksUri(url) => url.clone(),
            KeySource::Discovery(_) => {
                let metadata = self.current_metadata().await;
                metadata
                    .map_err(KeyFetchError::Metadata)?
                    .jwks_uri()?
                    .clone()
            }
        };
        let response = self.client()?.get(self.row.class, &url, limit::KEYS).await;
        let response = response.and_then(Response::ok);
        let response = response.inspect_err(|error| self.log(error))?;
        let keys = parse(&response.body).inspect_err(|error| self.log(error))?;
        Ok((keys, response.max_age()))
    }

    fn client(&self) -> Result<HttpClient, KeyFetchError> {
        let client = self.client.trusting(self.row.ca_pem.as_deref());
        client.map_err(|error| KeyFetchError::Fetch(error.into()))
    }

    fn unavailable(&self, source: Option<Arc<KeyFetchError>>) -> KeysError {
        KeysError::Unavailable {
            row: self.row.id.clone(),
            source,
        }
    }

    /// Failures are logged here because a last good document may hide them from every caller.
    fn log(&self, error: &(dyn std::error::Error + 'static)) {
        let row = &self.row.id;
        let cause = error.source().map(ToString::to_string);
        tracing::warn!(row.id = %row, %error, cause, "keys of {row} could not be renewed");
    }
}

fn parse(json: &[u8]) -> Result<JwkSet, KeyFetchError> {
    JwkSet::parse(json).map_err(|error| KeyFetchError::Malformed(error.to_string()))
}
