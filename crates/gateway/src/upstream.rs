//! Sending a call to the server behind the gateway (requirements RS-24, RS-75; design rule 22).
//!
//! Bodies stream back as they arrive. Dropping the future or the body cancels the call: that is
//! what happens when the client goes away.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use moka::sync::Cache;
use symbolon_net::upstream::{self, Client};
use symbolon_net::{HttpClient, NetError, UrlClass};

/// Pools that are kept for servers with certificates of their own.
const KEPT_CLIENTS: u64 = 64;

/// Why there is no answer of the upstream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// No connection, or it broke before the answer began: 502.
    #[error("the upstream cannot be reached")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    /// The answer did not begin in time: 504.
    #[error("the upstream did not answer within {0:?}")]
    TimedOut(Duration),
    /// Its certificates cannot be used: 502.
    #[error("the certificates of the upstream cannot be used")]
    Certificates(#[source] NetError),
}

/// The pools of connections to upstreams.
pub(crate) struct Upstreams {
    net: HttpClient,
    common: Client<Full<Bytes>>,
    trusting: Cache<Arc<str>, Client<Full<Bytes>>>,
    patience: Duration,
}

impl Upstreams {
    /// Pools behind the guard of `net`. `patience` bounds the wait for the head of an answer.
    ///
    /// # Errors
    /// [`NetError`] when the certificates of the deployment cannot be used.
    pub(crate) fn new(net: HttpClient, patience: Duration) -> Result<Self, NetError> {
        let common = upstream::client(&net, UrlClass::DeploymentAdmin)?;
        Ok(Self {
            net,
            common,
            trusting: Cache::new(KEPT_CLIENTS),
            patience,
        })
    }

    /// Sends a request; the answer's body follows as it arrives.
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub(crate) async fn send(
        &self,
        ca_pem: Option<&str>,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let answer = match ca_pem {
            None => self.common.request(request),
            Some(pem) => self.trusting(pem)?.request(request),
        };
        match tokio::time::timeout(self.patience, answer).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(UpstreamError::Unreachable(error)),
            Err(_) => Err(UpstreamError::TimedOut(self.patience)),
        }
    }

    fn trusting(&self, pem: &str) -> Result<Client<Full<Bytes>>, UpstreamError> {
        if let Some(client) = self.trusting.get(pem) {
            return Ok(client);
        }
        let client = self.net.trusting(Some(pem));
        let client = client.and_then(|net| upstream::client(&net, UrlClass::DeploymentAdmin));
        let client = client.map_err(UpstreamError::Certificates)?;
        self.trusting.insert(pem.into(), client.clone());
        Ok(client)
    }
}
