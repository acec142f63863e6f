//! One request of a browser to one of our authorization servers: what every page of the flow needs.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use symbolon_protocol::digest::from_base64url;
use symbolon_protocol::form::Form;
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::secret::SecretBytes;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::Directory;
use symbolon_storage::secret_key::SecretPurpose;

use crate::cookies::Cookies;
use crate::fetch_metadata;
use crate::issuer_context::CurrentIssuer;
use crate::pages::error::PageError;
use crate::request_id::RequestId;
use crate::state::{AppState, IssuerContext};

/// A browser's request. Directory and time are taken once, so that one request sees one world.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) state: AppState,
    pub(crate) issuer: IssuerContext,
    pub(crate) cookies: Cookies,
    pub(crate) request_id: RequestId,
    pub(crate) directory: Arc<Directory>,
    pub(crate) now: Timestamp,
}

impl Visit {
    /// A request that names its authorization server in another way than by its path.
    pub(crate) fn new(
        state: &AppState,
        issuer: IssuerContext,
        cookies: Cookies,
        request_id: RequestId,
    ) -> Self {
        let directory = state.directory.load_full();
        let now = state.now();
        Self {
            state: state.clone(),
            issuer,
            cookies,
            request_id,
            directory,
            now,
        }
    }

    /// The key of cookies and form tokens.
    pub(crate) fn secret(&self) -> &SecretBytes {
        self.state.cookie_secret()
    }

    /// A path of this authorization server.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.issuer.path)
    }

    /// Answers with an error page.
    pub(crate) fn page(&self, error: PageError) -> Response {
        error.into_page(&self.state, &self.request_id)
    }
}

impl FromRequestParts<AppState> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let Ok(request_id) = RequestId::from_request_parts(parts, state).await;
        let Ok(cookies) = Cookies::from_request_parts(parts, state).await;
        match CurrentIssuer::from_request_parts(parts, state).await {
            Ok(CurrentIssuer(issuer)) => Ok(Self::new(state, issuer, cookies, request_id)),
            Err(_) => Err(PageError::NOT_FOUND.into_page(state, &request_id)),
        }
    }
}

impl AppState {
    /// Whether browsers reach this deployment over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The key of cookies and form tokens.
    pub(crate) fn cookie_secret(&self) -> &SecretBytes {
        self.secrets.get(SecretPurpose::Cookie)
    }

    /// The authorization server of a role, if it is served here.
    pub(crate) fn issuer_of(&self, role: &IssuerRole) -> Option<IssuerContext> {
        match role {
            IssuerRole::As => self.authorization_server(),
            IssuerRole::Idp(organization) => self.identity_provider(organization.as_str()),
        }
    }
}

/// Reads a form that one of our pages sent.
///
/// # Errors
/// [`PageError::FOREIGN_FORM`] when another site sent it, [`PageError::UNREADABLE_FORM`] when it is
/// no form or repeats a field.
pub(crate) fn read_form<'a>(
    state: &AppState,
    headers: &HeaderMap,
    body: &'a [u8],
) -> Result<Form<'a>, PageError> {
    if !fetch_metadata::is_same_origin(headers, &state.public_url) {
        return Err(PageError::FOREIGN_FORM);
    }
    let form = Form::parse(body).map_err(|_| PageError::UNREADABLE_FORM)?;
    form.refuse_repeated(&[])
        .map_err(|_| PageError::UNREADABLE_FORM)?;
    Ok(form)
}

/// Sends the browser elsewhere: 303, never 307, so that no form travels along (AS-34).
pub(crate) fn see_other(location: &str) -> Response {
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// A field of a form; empty counts as missing.
///
/// # Errors
/// [`PageError::UNREADABLE_FORM`] when it is missing.
pub(crate) fn field<'a>(form: &'a Form<'_>, name: &str) -> Result<&'a str, PageError> {
    form.one(name)
        .ok()
        .flatten()
        .ok_or(PageError::UNREADABLE_FORM)
}

/// A text that one of our forms carries as base64url.
///
/// # Errors
/// [`PageError::UNREADABLE_FORM`] when it is none.
pub(crate) fn decoded(text: &str) -> Result<String, PageError> {
    let bytes = from_base64url(text).map_err(|_| PageError::UNREADABLE_FORM)?;
    String::from_utf8(bytes).map_err(|_| PageError::UNREADABLE_FORM)
}
