//! A policy: Cedar text of an organization, with its version and author.

use serde::Deserialize;
use symbolon_protocol::ids::{OrganizationId, PolicyId};

use super::{Directory, document};
use crate::definition::Definition;

/// Cedar text. Whether it compiles is for the policy engine to say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// Its name in the organization.
    pub id: PolicyId,
    /// Whose people it is about.
    pub organization: OrganizationId,
    /// The text.
    pub cedar: String,
    /// Version of all definitions at its last change.
    pub version: u64,
    /// Who changed it last.
    pub author: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    id: PolicyId,
    #[serde(rename = "organization")]
    _organization: OrganizationId,
    cedar: String,
}

impl Policy {
    pub(super) fn read(definition: &Definition) -> Result<Self, String> {
        let document: Document = document::read(definition)?;
        Ok(Self {
            id: document.id,
            organization: document::organization_of(definition)?,
            cedar: document.cedar,
            version: definition.version.unsigned_abs(),
            author: definition.author.clone(),
        })
    }
}

impl Directory {
    pub(super) fn add_policy(&mut self, policy: Policy) -> Result<(), String> {
        self.check_organization(&policy.organization)?;
        self.policies
            .entry(policy.organization.clone())
            .or_default()
            .push(policy);
        Ok(())
    }

    /// What cannot be read may forbid something, as when a newer version wrote it: the stand-in does
    /// not compile, and the engine denies its organization everything.
    pub(super) fn add_unreadable_policy(&mut self, definition: &Definition) {
        let Ok(organization) = document::organization_of(definition) else {
            return;
        };
        let Ok(id) = PolicyId::parse(&definition.key.id) else {
            return;
        };
        // Without the organization there is nobody to deny anything.
        let _ = self.add_policy(Policy {
            id,
            organization,
            cedar: "this definition cannot be read".to_owned(),
            version: definition.version.unsigned_abs(),
            author: definition.author.clone(),
        });
    }
}
