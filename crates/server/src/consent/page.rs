//! The consent page (AS-41, AS-44, N-005).

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use symbolon_protocol::digest::base64url;
use symbolon_protocol::redirect_uri::RedirectUriKind;
use symbolon_protocol::scope::ScopeSet;

use super::scope_words::words;
use crate::authorize::permission::Granted;
use crate::authorize::request::Authorization;
use crate::browser_session::SignedIn;
use crate::csrf::{self, Form};
use crate::pages::{ContentSecurityPolicy, Frame, respond};
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage<'a> {
    frame: Frame,
    client: &'a str,
    server: Option<&'a str>,
    person: &'a str,
    organization: &'a str,
    switch_account: String,
    scopes: Vec<ScopeLine<'a>>,
    is_loopback_only: bool,
    redirect_host: String,
    redirect_words: &'static str,
    action: String,
    csrf: String,
    request: String,
    shown: String,
}

/// One scope on the page.
struct ScopeLine<'a> {
    words: String,
    code: &'a str,
    tools: Vec<&'a str>,
}

/// Asks the person.
pub(crate) fn page(
    visit: &Visit,
    authorization: &Authorization,
    signed_in: &SignedIn,
    granted: &Granted,
) -> Response {
    let target = &granted.target;
    let organization = visit
        .directory
        .organization(&signed_in.session.organization);
    let query = authorization.resumable();
    let subject = subject(visit, &query, &target.scopes);
    let name = target
        .server
        .as_ref()
        .map(|server| server.display.name.as_deref().unwrap_or(server.id.as_str()));
    let page = ConsentPage {
        frame: Frame::new(&visit.state).of(organization),
        client: &authorization.client.name,
        server: name,
        person: signed_in.display_name(),
        organization: organization.map_or("your organization", |found| &found.name),
        switch_account: switch_account(visit, authorization),
        scopes: lines(granted),
        is_loopback_only: is_loopback_only(authorization),
        redirect_host: authorization.redirect_uri.display_host(),
        redirect_words: redirect_words(authorization.redirect_uri.kind()),
        action: visit.path("consent"),
        csrf: csrf::token(visit.secret(), Form::Consent, &signed_in.browser, &subject),
        request: base64url(query.as_bytes()),
        shown: base64url(target.scopes.to_string().as_bytes()),
    };
    let policy = ContentSecurityPolicy::strict().leading_to(&authorization.redirect_uri);
    respond(StatusCode::OK, &policy, &page)
}

/// What a consent form is about: the request with its way back, and the scopes that are shown.
pub(super) fn subject(visit: &Visit, query: &str, shown: &ScopeSet) -> Vec<u8> {
    format!("{}\n{query}\n{shown}", visit.issuer.issuer).into_bytes()
}

fn lines(granted: &Granted) -> Vec<ScopeLine<'_>> {
    let tools_of = |scope: &str| match &granted.target.server {
        Some(server) => {
            let needing = server
                .tools
                .iter()
                .filter(|(_, needed)| needed.contains(scope));
            needing.map(|(tool, _)| tool.as_str()).collect()
        }
        None => Vec::new(),
    };
    let scopes = granted.target.scopes.iter();
    scopes
        .map(|scope| ScopeLine {
            words: words(scope),
            code: scope,
            tools: tools_of(scope),
        })
        .collect()
}

/// Whether the client can only ever be a program on the person's own machine (AS-44).
fn is_loopback_only(authorization: &Authorization) -> bool {
    let mut uris = authorization.client.redirect_uris.iter();
    uris.all(|uri| uri.kind() == RedirectUriKind::Loopback)
}

fn redirect_words(kind: RedirectUriKind) -> &'static str {
    match kind {
        RedirectUriKind::Https => "",
        RedirectUriKind::Loopback => ", a program on this computer",
        RedirectUriKind::PrivateUse => ", an app on this device",
    }
}

/// The same request, with the choice of an account.
fn switch_account(visit: &Visit, authorization: &Authorization) -> String {
    let own = |pair: &&str| !pair.starts_with("prompt=") && !pair.starts_with("login_hint=");
    let query: Vec<&str> = authorization.query.split('&').filter(own).collect();
    format!(
        "{}?{}&prompt=select_account",
        visit.path("authorize"),
        query.join("&")
    )
}
