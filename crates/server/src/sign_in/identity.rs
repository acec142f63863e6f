//! A person as her identity provider describes her. From here on no protocol is visible.
//!
//! The connection says which claims count (design §4 rules 6, 11 and 12). What is not said is
//! unknown, which is not the same as empty: a missing groups claim, or one that was replaced by a
//! link because there are too many, says nothing.

use serde_json::{Map, Value};
use symbolon_protocol::id_token::IdToken;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::AuthenticationFacts;
use symbolon_storage::directory::Connection;
use symbolon_storage::linked_identity::ExternalSubject;
use symbolon_storage::user::Profile;

use crate::subject;

/// Who signed in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Identity {
    /// Who that is there.
    pub(crate) external: ExternalSubject,
    /// How to address the person.
    pub(crate) profile: Profile,
    /// Whether the identity provider vouches for the email address.
    pub(crate) is_email_verified: bool,
    /// Groups, where the connection has them and they were said.
    pub(crate) groups: Option<Vec<String>>,
    /// When and how the person signed in.
    pub(crate) facts: AuthenticationFacts,
    /// The identity provider's name of its session.
    pub(crate) upstream_sid: Option<String>,
    /// When the identity provider said all this.
    pub(crate) said_at: Timestamp,
}

/// The claim that should name the person is missing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the id token has no text in claim {0:?}, which names the person")]
pub(crate) struct NoSubject(String);

impl Identity {
    /// Reads a verified ID token by the connection's mapping.
    ///
    /// # Errors
    /// [`NoSubject`].
    pub(crate) fn read(connection: &Connection, token: &IdToken) -> Result<Self, NoSubject> {
        let subject = match connection.subject_claim.as_str() {
            "sub" => token.subject.clone(),
            claim => text(&token.claims, claim).ok_or_else(|| NoSubject(claim.to_owned()))?,
        };
        let is_refuted = token.email_verified == Some(false);
        let email = text(&token.claims, &connection.email_claim).filter(|_| !is_refuted);
        let groups = connection.groups_claim.as_deref();
        Ok(Self {
            external: ExternalSubject {
                organization: connection.organization.clone(),
                connection: connection.id.clone(),
                tenant: connection
                    .tenant
                    .as_ref()
                    .map(|tenant| tenant.value.clone()),
                subject,
            },
            is_email_verified: email.is_some() && token.email_verified == Some(true),
            profile: Profile {
                email,
                name: text(&token.claims, &connection.name_claim),
            },
            groups: groups.and_then(|claim| subject::groups_in(token.claims.get(claim))),
            facts: AuthenticationFacts {
                auth_time: token.auth_time,
                acr: token.acr.clone(),
                amr: token.amr.clone(),
            },
            upstream_sid: token.sid.clone(),
            said_at: token.issued_at,
        })
    }
}

/// A claim that is a text and not empty.
fn text(claims: &Map<String, Value>, claim: &str) -> Option<String> {
    claims
        .get(claim)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}
