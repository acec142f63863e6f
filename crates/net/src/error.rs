//! Why a request had no usable answer.
//!
//! Messages name hosts and addresses, never whole URLs, headers or bodies: those may carry secrets.

use std::{error::Error as StdError, time::Duration};

use http::StatusCode;

use crate::address::AddressRefused;

/// The guarded client cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// A PEM text with certificates cannot be read, or holds none.
    #[error("ca certificates: no certificate can be read from the pem text")]
    NoCertificate,
    /// A certificate cannot be trusted as a root.
    #[error("ca certificates: {0}")]
    Certificate(#[source] rustls::Error),
    /// The HTTP client refuses its settings.
    #[error("http client")]
    Client(#[source] reqwest::Error),
}

/// Why a request had no usable answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL itself is not allowed; no connection was opened.
    #[error("url refused: {reason}")]
    UrlRefused {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The host is at an address that may not be reached; no connection was opened.
    #[error(transparent)]
    AddressRefused(#[from] AddressRefused),
    /// Strangers asked for this host too often; no connection was opened.
    #[error("too many requests to {host}: try again in a minute")]
    BudgetExhausted {
        /// The host of the URL.
        host: String,
    },
    /// The answer was not complete in time.
    #[error("{host} did not answer within {limit:?}")]
    TimedOut {
        /// The host of the URL.
        host: String,
        /// The time it had.
        limit: Duration,
    },
    /// No connection, or it broke.
    #[error("{host} cannot be reached")]
    Unreachable {
        /// The host of the URL.
        host: String,
        /// The cause, for the log.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The answer sends us elsewhere; redirects are never followed.
    #[error("{host} answered with a redirect ({status}), which is not followed")]
    Redirected {
        /// The host of the URL.
        host: String,
        /// The status.
        status: StatusCode,
    },
    /// The body is longer than the limit; the rest was not read.
    #[error("the answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// The host of the URL.
        host: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// Another status than the one that carries a document.
    #[error("{host} answered {status}")]
    Status {
        /// The host of the URL.
        host: String,
        /// The status.
        status: StatusCode,
    },
    /// The body is not what was asked for.
    #[error("the answer of {host} is not json")]
    NotJson {
        /// The host of the URL.
        host: String,
    },
    /// The trusted certificates of this destination cannot be used.
    #[error(transparent)]
    Setup(#[from] NetError),
}

impl FetchError {
    /// Whether we refused before any connection: asking again changes nothing until an
    /// administrator acts.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::UrlRefused { .. }
                | Self::AddressRefused(_)
                | Self::BudgetExhausted { .. }
                | Self::Setup(_)
        )
    }

    /// Reads what went wrong in the HTTP client, without the URL.
    pub(crate) fn from_client(host: &str, limit: Duration, error: reqwest::Error) -> Self {
        if let Some(refused) = refusal_in(&error) {
            return Self::AddressRefused(refused);
        }
        let host = host.to_owned();
        if error.is_timeout() {
            return Self::TimedOut { host, limit };
        }
        Self::Unreachable {
            host,
            source: error.without_url().into(),
        }
    }
}

/// Finds the guard's own refusal among the causes of an error.
fn refusal_in(error: &(dyn StdError + 'static)) -> Option<AddressRefused> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(refused) = current.downcast_ref::<AddressRefused>() {
            return Some(refused.clone());
        }
        cause = current.source();
    }
    None
}
