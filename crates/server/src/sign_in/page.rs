//! The sign-in page: work email or company domain, and the choice between several connections.

use std::time::Duration;

use askama::Template;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use symbolon_protocol::digest::base64url;
use symbolon_protocol::form::Form;
use symbolon_protocol::ids::{ConnectionId, OrganizationId};
use symbolon_protocol::random;
use symbolon_storage::directory::Connection;

use super::{at, organization, start, wish};
use crate::authorize::request::Authorization;
use crate::authorize::stop::Stop;
use crate::cookies::Cookie;
use crate::csrf;
use crate::pages::error::PageError;
use crate::pages::{ContentSecurityPolicy, Frame, respond};
use crate::visit::{Visit, decoded, field, read_form};

/// How long a form can be answered.
const VISITOR_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

const UNKNOWN_DOMAIN: &str = "No company with this address signs in here. Check the spelling, or ask \
                              your IT team which address to use.";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    frame: Frame,
    client: &'a str,
    form: FormFields,
    email: &'a str,
    problem: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "choose_connection.html")]
struct ChooseConnectionPage<'a> {
    frame: Frame,
    client: &'a str,
    organization: &'a str,
    form: FormFields,
    email: &'a str,
    ways: Vec<Way<'a>>,
}

/// One connection on the page.
struct Way<'a> {
    connection: &'a ConnectionId,
    host: &'a str,
}

/// Where a form goes and what it carries unseen.
struct FormFields {
    action: String,
    csrf: String,
    request: String,
}

/// Asks for the organization.
pub(super) fn ask(
    visit: &Visit,
    authorization: &Authorization,
    email: &str,
    problem: Option<&str>,
) -> Response {
    let visitor = Visitor::of(visit);
    let page = SignInPage {
        frame: Frame::new(&visit.state),
        client: &authorization.client.name,
        form: visitor.form(visit, authorization),
        email,
        problem,
    };
    let status = match problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    visitor.remember(visit, respond(status, &policy(visit, authorization), &page))
}

/// Asks which of several connections to use.
pub(super) fn choose(
    visit: &Visit,
    authorization: &Authorization,
    organization: &OrganizationId,
    connections: &[&Connection],
    email: Option<&str>,
) -> Response {
    let visitor = Visitor::of(visit);
    let organization = visit.directory.organization(organization);
    let ways = connections.iter().map(|connection| {
        let issuer = connection.issuer.as_str();
        let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
        Way {
            connection: &connection.id,
            host,
        }
    });
    let page = ChooseConnectionPage {
        frame: Frame::new(&visit.state).of(organization),
        client: &authorization.client.name,
        organization: organization.map_or("your company", |found| &found.name),
        form: visitor.form(visit, authorization),
        email: email.unwrap_or_default(),
        ways: ways.collect(),
    };
    visitor.remember(
        visit,
        respond(StatusCode::OK, &policy(visit, authorization), &page),
    )
}

/// Answers both forms: `…/sign-in`.
pub(super) async fn chosen(visit: Visit, headers: HeaderMap, body: Bytes) -> Response {
    let answer = match read_form(&visit.state, &headers, &body) {
        Ok(form) => take(&visit, &form).await,
        Err(error) => Err(error.into()),
    };
    answer.unwrap_or_else(|stop| stop.into_response(&visit))
}

async fn take(visit: &Visit, form: &Form<'_>) -> Result<Response, Stop> {
    let visitor = visit.cookies.find(Cookie::Visitor).unwrap_or_default();
    let query = decoded(field(form, "request").unwrap_or_default())?;
    let presented = field(form, "csrf").unwrap_or_default();
    let subject = subject(visit, &query);
    let secret = visit.secret();
    if visitor.is_empty()
        || !csrf::is_valid(secret, csrf::Form::SignIn, visitor, &subject, presented)
    {
        return Err(PageError::FOREIGN_FORM.into());
    }
    let authorization = Authorization::read(visit, &query)?;
    let email = field(form, "email").unwrap_or_default();
    match field(form, "connection") {
        Ok(connection) => with_connection(visit, &authorization, connection, email).await,
        Err(_) => with_email(visit, &authorization, email).await,
    }
}

async fn with_email(
    visit: &Visit,
    authorization: &Authorization,
    email: &str,
) -> Result<Response, Stop> {
    let own = visit.issuer.organization();
    let named = organization::named(&visit.directory, &authorization.client, email);
    match named.filter(|named| own.is_none_or(|own| own == named)) {
        Some(organization) => at(visit, authorization, &organization, Some(email)).await,
        None => Ok(ask(visit, authorization, email, Some(UNKNOWN_DOMAIN))),
    }
}

async fn with_connection(
    visit: &Visit,
    authorization: &Authorization,
    connection: &str,
    email: &str,
) -> Result<Response, Stop> {
    let id = ConnectionId::parse(connection).ok();
    let connection = id.and_then(|id| visit.directory.connection(&id));
    let own = visit.issuer.organization();
    let connection = connection.filter(|connection| {
        let organization = &connection.organization;
        own.is_none_or(|own| own == organization)
            && organization::is_possible(&visit.directory, &authorization.client, organization)
    });
    let connection = connection.ok_or(PageError::UNREADABLE_FORM)?;
    start::start(
        visit,
        authorization,
        connection,
        wish(authorization, Some(email)),
    )
    .await
}

fn policy(visit: &Visit, authorization: &Authorization) -> ContentSecurityPolicy {
    ContentSecurityPolicy::strict()
        .leading_to_identity_provider(visit.state.is_https())
        .leading_to(&authorization.redirect_uri)
}

fn subject(visit: &Visit, query: &str) -> Vec<u8> {
    format!("{}\n{query}", visit.issuer.issuer).into_bytes()
}

/// A browser without a session: what its forms are bound to.
struct Visitor {
    id: String,
    is_new: bool,
}

impl Visitor {
    fn of(visit: &Visit) -> Self {
        match visit.cookies.find(Cookie::Visitor) {
            Some(id) => Self {
                id: id.to_owned(),
                is_new: false,
            },
            None => Self {
                id: random::token().expose().to_owned(),
                is_new: true,
            },
        }
    }

    fn form(&self, visit: &Visit, authorization: &Authorization) -> FormFields {
        let query = &authorization.query;
        let subject = subject(visit, query);
        FormFields {
            action: visit.path("sign-in"),
            csrf: csrf::token(visit.secret(), csrf::Form::SignIn, &self.id, &subject),
            request: base64url(query.as_bytes()),
        }
    }

    fn remember(&self, visit: &Visit, mut response: Response) -> Response {
        if self.is_new {
            let cookie = visit
                .cookies
                .set(Cookie::Visitor, &self.id, VISITOR_LIFETIME);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}
