//! An organization: a customer or tenant of the deployment.

use serde::Deserialize;
use symbolon_protocol::ids::OrganizationId;

use super::{Directory, document};
use crate::definition::Definition;

/// A customer or tenant.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name for people.
    pub name: String,
    /// Its email domains, lower case; each belongs to one organization only.
    #[serde(default)]
    pub domains: Vec<String>,
}

impl Organization {
    pub(super) fn read(definition: &Definition) -> Result<Self, String> {
        let mut organization: Self = document::read(definition)?;
        for domain in &mut organization.domains {
            domain.make_ascii_lowercase();
            if !is_domain(domain) {
                return Err(format!("{domain:?} is not a domain"));
            }
        }
        Ok(organization)
    }
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

impl Directory {
    pub(super) fn add_organization(&mut self, organization: Organization) -> Result<(), String> {
        if let Some(domain) = organization
            .domains
            .iter()
            .find(|d| self.domains.contains_key(*d))
        {
            return Err(format!(
                "domain {domain} belongs to {}",
                self.domains[domain]
            ));
        }
        for domain in &organization.domains {
            self.domains.insert(domain.clone(), organization.id.clone());
        }
        self.organizations
            .insert(organization.id.clone(), organization);
        Ok(())
    }
}
