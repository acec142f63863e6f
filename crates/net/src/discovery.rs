//! Metadata of an issuer: [RFC 8414] and OpenID Connect Discovery.
//!
//! The well-known places are tried in the order of `CL-05`: RFC 8414 with the path inserted, OpenID
//! with the path inserted, OpenID with the path appended; the root document of an issuer with a
//! path is never asked for. A document counts only if its `issuer` equals ours byte for byte
//! (`CL-06`). Places that answer with something else are passed over, because many servers answer
//! every unknown path with a page; if none fits, the most telling reason is kept.
//!
//! [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414

use std::time::Duration;

use serde::de::DeserializeOwned;
use symbolon_protocol::issuer::Issuer;
use url::Url;

use crate::{
    client::{HttpClient, limit},
    error::FetchError,
    url_class::UrlClass,
};

/// Metadata whose `issuer` is the one it was fetched for.
#[derive(Clone, Debug)]
pub struct Discovered<T> {
    /// The document.
    pub metadata: T,
    /// How long the issuer lets it be reused, if it says so.
    pub max_age: Option<Duration>,
}

/// Why an issuer has no metadata for us.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// No place answered with a document.
    #[error("metadata of {issuer}")]
    Fetch {
        /// The issuer.
        issuer: Issuer,
        /// The last answer.
        #[source]
        source: FetchError,
    },
    /// A document says it belongs to another issuer.
    #[error("metadata of {issuer} says its issuer is {found:?}: both must be equal byte for byte")]
    OtherIssuer {
        /// The issuer.
        issuer: Issuer,
        /// What the document says.
        found: String,
    },
    /// A document of this issuer lacks what we need or has it in another shape.
    #[error("metadata of {issuer}: {reason}")]
    Malformed {
        /// The issuer.
        issuer: Issuer,
        /// What is wrong.
        reason: String,
    },
}

impl DiscoveryError {
    /// How much the error tells: a wrong `issuer` explains more than a 404 elsewhere.
    fn weight(&self) -> u8 {
        match self {
            Self::Fetch { .. } => 0,
            Self::OtherIssuer { .. } => 1,
            Self::Malformed { .. } => 2,
        }
    }
}

/// Fetches the metadata of `issuer`.
///
/// # Errors
/// [`DiscoveryError`]; a host that cannot or may not be reached is asked once only.
pub async fn fetch<T: DeserializeOwned>(
    client: &HttpClient,
    class: UrlClass,
    issuer: &Issuer,
) -> Result<Discovered<T>, DiscoveryError> {
    let mut reason: Option<DiscoveryError> = None;
    for url in issuer.metadata_urls() {
        let error = match fetch_at(client, class, issuer, &url).await {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        let is_final = matches!(&error, DiscoveryError::Fetch { source, .. } if !is_answer(source));
        if reason
            .as_ref()
            .is_none_or(|kept| error.weight() >= kept.weight())
        {
            reason = Some(error);
        }
        if is_final {
            break;
        }
    }
    Err(reason.unwrap_or_else(|| DiscoveryError::Malformed {
        issuer: issuer.clone(),
        reason: "the issuer has no well-known place".to_owned(),
    }))
}

async fn fetch_at<T: DeserializeOwned>(
    client: &HttpClient,
    class: UrlClass,
    issuer: &Issuer,
    url: &Url,
) -> Result<Discovered<T>, DiscoveryError> {
    let unfit = |source| DiscoveryError::Fetch {
        issuer: issuer.clone(),
        source,
    };
    let response = client.get(class, url, limit::METADATA).await;
    let response = response.and_then(crate::Response::ok).map_err(unfit)?;
    let document: serde_json::Value = response.json().map_err(unfit)?;
    let found = document.get("issuer").and_then(serde_json::Value::as_str);
    if found != Some(issuer.as_ref()) {
        return Err(DiscoveryError::OtherIssuer {
            issuer: issuer.clone(),
            found: found.unwrap_or_default().to_owned(),
        });
    }
    let metadata = serde_json::from_value(document).map_err(|error| DiscoveryError::Malformed {
        issuer: issuer.clone(),
        reason: error.to_string(),
    })?;
    Ok(Discovered {
        metadata,
        max_age: response.max_age(),
    })
}

/// Whether the host did answer, so that another of its places is worth a request.
fn is_answer(error: &FetchError) -> bool {
    matches!(
        error,
        FetchError::Status { .. }
            | FetchError::NotJson { .. }
            | FetchError::Redirected { .. }
            | FetchError::TooLarge { .. }
    )
}
