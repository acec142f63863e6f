//! From an external subject to a user of one organization (requirements 1.8).
//!
//! Order: an existing link, then just-in-time creation where the connection allows it, otherwise
//! refusal. An email address never links by itself (design §3), and a person who was removed is
//! not created again (design §4 rule 14).

use symbolon_policy::Groups as PolicyGroups;
use symbolon_protocol::id_jag::IdJag;
use symbolon_protocol::ids::{OrganizationId, UserId};
use symbolon_protocol::issuer::TenantClaim;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::directory::{
    Connection, Provision, SubjectSource, TenantRule, TrustedIssuer,
};
use symbolon_storage::group::{self, Groups, TokenReport};
use symbolon_storage::linked_identity::{self, ExternalSubject, Provisioned, TombstoneSecret};
use symbolon_storage::secret_key::SecretPurpose;
use symbolon_storage::user::{self, Profile, User};
use symbolon_storage::{Directory, StorageError, Transaction};

use crate::state::AppState;

/// A person with everything policy may ask about her.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) user: User,
    pub(crate) groups: Groups,
}

impl Person {
    /// Her groups as policy reads them.
    pub(crate) fn policy_groups(&self) -> PolicyGroups<'_> {
        match &self.groups {
            Groups::Known(keys) => PolicyGroups::Known(keys),
            Groups::Unknown => PolicyGroups::Unknown,
        }
    }
}

/// Loads a user of an organization; the inner error says why she may not go on.
pub(crate) async fn load(
    tx: &mut Transaction,
    organization: &OrganizationId,
    id: &UserId,
    now: Timestamp,
) -> Result<Result<Person, String>, StorageError> {
    let Some(user) = user::find(tx, organization, id).await? else {
        return Ok(Err(format!("user {id} does not exist")));
    };
    if !user.is_active() {
        return Ok(Err(format!("user {id} is disabled")));
    }
    let facts = group::facts(tx, &user.id, now).await?;
    Ok(Ok(Person {
        user,
        groups: facts.groups,
    }))
}

/// The user whom a redeemed ID-JAG speaks of; the inner error says why there is none.
pub(crate) async fn resolve(
    state: &AppState,
    tx: &mut Transaction,
    trusted: &TrustedIssuer,
    id_jag: &IdJag,
) -> Result<Result<Person, String>, StorageError> {
    match &trusted.subject {
        SubjectSource::UserId => match UserId::parse(&id_jag.subject) {
            Ok(id) => load(tx, &trusted.organization, &id, state.now()).await,
            Err(_) => Ok(Err("sub is no user id of this deployment".to_owned())),
        },
        SubjectSource::Connection(id) => {
            let connection = state.directory.load().connection(id).cloned();
            match connection.filter(|found| found.organization == trusted.organization) {
                Some(connection) => {
                    resolve_by_connection(state, tx, trusted, &connection, id_jag).await
                }
                None => Ok(Err(format!("connection {id} does not exist"))),
            }
        }
    }
}

async fn resolve_by_connection(
    state: &AppState,
    tx: &mut Transaction,
    trusted: &TrustedIssuer,
    connection: &Connection,
    id_jag: &IdJag,
) -> Result<Result<Person, String>, StorageError> {
    let is_own = trusted.issuer == connection.issuer;
    if is_own && trusted.tenant != connection.tenant {
        return Ok(Err(format!(
            "connection {} is of another tenant",
            connection.id
        )));
    }
    // The connection's own issuer names people as at sign-in: under another name somebody who was
    // disabled or removed would come back as a new person.
    let subject = match connection.subject_claim.as_str() {
        claim if is_own && claim != "sub" => {
            id_jag.claims.get(claim).and_then(|value| value.as_str())
        }
        _ => Some(id_jag.subject.as_str()),
    };
    let Some(subject) = subject.filter(|subject| !subject.is_empty()) else {
        let claim = &connection.subject_claim;
        return Ok(Err(format!(
            "claim {claim:?}, which names the person, is missing"
        )));
    };
    let external = ExternalSubject {
        organization: trusted.organization.clone(),
        connection: connection.id.clone(),
        tenant: connection
            .tenant
            .as_ref()
            .map(|tenant| tenant.value.clone()),
        subject: subject.to_owned(),
    };
    let email = match &id_jag.email {
        Some(email) if id_jag.email_verified != Some(true) => {
            let directory = state.directory.load_full();
            let email = unverified_email(tx, &directory, connection, email, None).await?;
            email.filter(|_| is_own)
        }
        email => email.clone(),
    };
    let profile = Profile { email, name: None };
    let user = match find_or_create(state, tx, connection, &external, &profile).await? {
        Ok(user) => user,
        Err(reason) => return Ok(Err(reason)),
    };
    // Only the connection's own issuer speaks for its groups (design §4 rule 12).
    if let Some(claim) = &connection.groups_claim
        && is_own
        && let Some(groups) = groups_in(id_jag.claims.get(claim))
    {
        let report = TokenReport {
            organization: &trusted.organization,
            user: &user.id,
            source: &connection.id,
            groups: &groups,
            learned_at: id_jag.issued_at,
        };
        group::replace_from_token(tx, &report, state.now()).await?;
    }
    load(tx, &trusted.organization, &user.id, state.now()).await
}

/// An address that the issuer sends but does not vouch for, if it can be nobody else's.
///
/// Assignments name people by address. Where an organization has several connections, one must not
/// speak for the people of another; and an address that somebody else already has stays hers.
pub(crate) async fn unverified_email(
    tx: &mut Transaction,
    directory: &Directory,
    connection: &Connection,
    email: &str,
    own: Option<&UserId>,
) -> Result<Option<String>, StorageError> {
    let organization = &connection.organization;
    if directory.connections_of(organization).len() > 1 {
        return Ok(None);
    }
    let people = user::find_by_email(tx, organization, email).await?;
    let is_taken = people
        .iter()
        .any(|person| person.is_active() && Some(&person.id) != own);
    Ok((!is_taken).then(|| email.to_owned()))
}

/// The linked user, or a new one where the connection provisions just in time.
pub(crate) async fn find_or_create(
    state: &AppState,
    tx: &mut Transaction,
    connection: &Connection,
    external: &ExternalSubject,
    profile: &Profile,
) -> Result<Result<User, String>, StorageError> {
    if connection.provision == Provision::ScimOnly {
        let found = linked_identity::find(tx, external).await?;
        return Ok(found.ok_or_else(|| "the person is not provisioned".to_owned()));
    }
    let secret = TombstoneSecret::new(state.secrets.get(SecretPurpose::Tombstone).clone());
    let now = state.now();
    Ok(
        match linked_identity::provision(tx, external, profile, &secret, now).await? {
            Provisioned::Existing(user) | Provisioned::Created(user) => Ok(user),
            Provisioned::Buried => Err("the person was removed and stays removed".to_owned()),
        },
    )
}

/// Groups of a claim: a list of texts, or one text. Anything else says nothing.
pub(crate) fn groups_in(claim: Option<&serde_json::Value>) -> Option<Vec<String>> {
    match claim? {
        serde_json::Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect(),
        serde_json::Value::String(group) => Some(vec![group.clone()]),
        _ => None,
    }
}

/// A row's tenant as the token checks read it.
pub(crate) fn tenant_claim(rule: &TenantRule) -> TenantClaim<'_> {
    TenantClaim {
        claim: &rule.claim,
        value: &rule.value,
    }
}
