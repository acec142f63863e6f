//! From an identity to a browser session, in one transaction.
//!
//! The state of the sign-in is used up here, so that of two answers to one sign-in only one makes a
//! session (AS-43, N-022). A person who may not come in is a normal, audited outcome.

use std::time::Duration;

use axum::http::header;
use axum::response::Response;
use symbolon_protocol::ids::SessionId;
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::random;
use symbolon_protocol::secret::Secret;
use symbolon_storage::audit::{self, Action, Actor, AuditEvent, By};
use symbolon_storage::directory::Connection;
use symbolon_storage::session::{self, Session};
use symbolon_storage::single_use::{self, SingleUse};
use symbolon_storage::user::User;
use symbolon_storage::{StorageError, Transaction};

use super::attempt::{self, Attempt};
use super::identity::Identity;
use super::person::{self, NotAdmitted};
use crate::authorize::resume;
use crate::cookies::Cookie;
use crate::visit::{Visit, see_other};

/// How long a browser stays signed in.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// How long the choice of an organization is remembered.
const REMEMBERED: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// Somebody signed in, or was not let in.
const SIGN_IN: Action = Action::named("sign_in.decided");

/// How a sign-in ended.
pub(super) enum Outcome {
    /// The person is in.
    SignedIn {
        /// Her session.
        session: Box<Session>,
        /// What her browser will show.
        token: Secret,
    },
    /// The person is not let in; the reason is in the audit log.
    Refused,
    /// The same sign-in was finished before.
    Replayed,
}

/// Finds or creates the person and begins a session.
///
/// # Errors
/// [`StorageError`].
pub(super) async fn begin(
    visit: &Visit,
    connection: &Connection,
    attempt: &Attempt,
    identity: Identity,
) -> Result<Outcome, StorageError> {
    let begin = Begin {
        visit: visit.clone(),
        connection: connection.clone(),
        identity,
        state: attempt.state.clone(),
        forget_after: attempt
            .started_at
            .plus(attempt::LIFETIME + Duration::from_secs(60)),
    };
    visit
        .state
        .store
        .write(move |tx| Box::pin(async move { begin.commit(tx).await }))
        .await
}

struct Begin {
    visit: Visit,
    connection: Connection,
    identity: Identity,
    state: String,
    forget_after: symbolon_protocol::time::Timestamp,
}

impl Begin {
    async fn commit(self, tx: &mut Transaction) -> Result<Outcome, StorageError> {
        let scope = self.connection.id.as_str();
        let (kind, until) = (SingleUse::SignInState, self.forget_after);
        if !single_use::claim(tx, kind, scope, &self.state, until).await? {
            return Ok(Outcome::Replayed);
        }
        let (visit, connection) = (&self.visit, &self.connection);
        let user = match person::resolve(visit, tx, connection, &self.identity).await? {
            Ok(user) => user,
            Err(refused) => return self.refuse(tx, &refused).await,
        };
        let session = self.session(&user);
        let token = random::token();
        if !session::insert(tx, &session, &token).await? {
            return self.refuse(tx, &NotAdmitted::Disabled).await;
        }
        let event = self
            .event(Actor::User(user.id.clone()))
            .outcome(audit::Outcome::Allowed)
            .with_text("user", &user.id)
            .with_text("session", &session.id);
        audit::append(tx, &event).await?;
        Ok(Outcome::SignedIn {
            session: Box::new(session),
            token,
        })
    }

    async fn refuse(
        &self,
        tx: &mut Transaction,
        refused: &NotAdmitted,
    ) -> Result<Outcome, StorageError> {
        let reason = refused.to_string();
        tracing::info!(
            connection = %self.connection.id, request.id = %self.visit.request_id, reason,
            "a sign-in through connection {} was not admitted: {reason}", self.connection.id
        );
        let event = self
            .event(Actor::Stranger)
            .outcome(audit::Outcome::Denied { reason })
            .with_text("subject", &self.identity.external.subject);
        audit::append(tx, &event).await?;
        Ok(Outcome::Refused)
    }

    fn session(&self, user: &User) -> Session {
        Session {
            id: SessionId::generate(),
            role: self.visit.issuer.role.clone(),
            organization: self.connection.organization.clone(),
            user: user.id.clone(),
            connection: self.connection.id.clone(),
            upstream_sid: self.identity.upstream_sid.clone(),
            facts: self.identity.facts.clone(),
            created_at: self.visit.now,
            expires_at: self.visit.now.plus(LIFETIME),
        }
    }

    fn event(&self, actor: Actor) -> AuditEvent {
        let by = By {
            actor,
            request_id: self.visit.request_id.to_string(),
        };
        AuditEvent::new(SIGN_IN, &by, self.visit.now)
            .of(&self.connection.organization)
            .with_text("issuer", &self.visit.issuer.issuer)
            .with_text("connection", &self.connection.id)
    }
}

/// Sends the browser back to its authorization request, signed in.
pub(super) fn welcome(
    visit: &Visit,
    attempt: &Attempt,
    session: &Session,
    token: &Secret,
) -> Response {
    let back = resume::location(visit, &attempt.query, &session.id, attempt.stage);
    let mut response = see_other(&back);
    let (cookies, role) = (&visit.cookies, &visit.issuer.role);
    let headers = response.headers_mut();
    let cookie = cookies.set(Cookie::Session(role), token.expose(), LIFETIME);
    headers.append(header::SET_COOKIE, cookie);
    if *role == IssuerRole::As {
        let organization = session.organization.as_str();
        let cookie = cookies.set(Cookie::Organization(role), organization, REMEMBERED);
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}
