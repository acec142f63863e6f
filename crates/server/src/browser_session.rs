//! Who is signed in in this browser, at this authorization server.
//!
//! The cookie holds a random token, the database its hash. A session counts only while it is not
//! ended or expired, the person is active, and nothing about it was revoked.

use symbolon_protocol::secret::Secret;
use symbolon_storage::session::{self, Session};
use symbolon_storage::{StorageError, group, user};

use crate::cookies::Cookie;
use crate::subject::Person;
use crate::visit::Visit;

/// A person who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    /// The session.
    pub(crate) session: Session,
    /// The person, as she is now.
    pub(crate) person: Person,
    /// What only this browser has: binds the forms it is shown.
    pub(crate) browser: String,
}

impl SignedIn {
    /// What a page calls the person.
    pub(crate) fn display_name(&self) -> &str {
        let user = &self.person.user;
        user.email
            .as_deref()
            .or(user.name.as_deref())
            .unwrap_or("signed in")
    }
}

/// Finds the session of this browser.
///
/// # Errors
/// [`StorageError`].
pub(crate) async fn find(visit: &Visit) -> Result<Option<SignedIn>, StorageError> {
    let Some(browser) = visit.cookies.find(Cookie::Session(&visit.issuer.role)) else {
        return Ok(None);
    };
    let browser = browser.to_owned();
    let token = Secret::new(browser.as_str());
    let (role, now) = (visit.issuer.role.clone(), visit.now);
    let found = visit
        .state
        .store
        .read(move |connection| {
            Box::pin(async move {
                let found = session::find(connection, &role, &token, now).await?;
                let Some(session) = found else {
                    return Ok::<_, StorageError>(None);
                };
                let user = user::find(connection, &session.organization, &session.user).await?;
                let Some(user) = user.filter(user::User::is_active) else {
                    return Ok(None);
                };
                let groups = group::facts(connection, &user.id, now).await?.groups;
                Ok(Some((session, Person { user, groups })))
            })
        })
        .await?;
    Ok(found
        .filter(|(session, _)| visit.directory.connection(&session.connection).is_some())
        .map(|(session, person)| SignedIn {
            session,
            person,
            browser,
        }))
}
