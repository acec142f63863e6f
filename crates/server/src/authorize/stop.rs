//! Why a browser flow ended without a code, and who is told.

use axum::response::Response;
use symbolon_storage::StorageError;

use crate::pages::error::PageError;
use crate::visit::{Visit, see_other};

/// The end of a flow.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Nobody may be redirected: a page for the person.
    Page(PageError),
    /// The client is told, by a redirect to this location.
    Client(String),
}

impl Stop {
    /// The answer to the browser.
    pub(crate) fn into_response(self, visit: &Visit) -> Response {
        match self {
            Self::Page(error) => visit.page(error),
            Self::Client(location) => see_other(&location),
        }
    }
}

impl From<PageError> for Stop {
    fn from(error: PageError) -> Self {
        Self::Page(error)
    }
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        tracing::error!(error = %error, "the database did not answer: {error}");
        Self::Page(PageError::UNAVAILABLE)
    }
}
