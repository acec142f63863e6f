//! Forms that several documents share.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use symbolon_protocol::ids::{ConnectionId, OrganizationId};
use symbolon_protocol::jose::JwkSet;
use url::Url;

use crate::definition::{Definition, Owner};

/// Reads a document; unknown members are problems, since what they restrict would not be.
pub(super) fn read<T: DeserializeOwned>(definition: &Definition) -> Result<T, String> {
    T::deserialize(&definition.document).map_err(|error| error.to_string())
}

/// The organization that owns a definition which the deployment cannot own.
pub(super) fn organization_of(definition: &Definition) -> Result<OrganizationId, String> {
    let organization = definition.key.owner.organization().cloned();
    organization.ok_or_else(|| "organization is missing".to_owned())
}

/// Which tenant of a shared issuer is meant (design §4 rule 11).
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(deny_unknown_fields)]
pub struct TenantRule {
    /// The claim that names the tenant, such as `hd` or `tid`.
    pub claim: String,
    /// What it must say, exactly.
    pub value: String,
}

/// Issuers that many organizations share: the row must say which tenant it means.
const SHARED: &[&str] = &[
    "https://accounts.google.com",
    "https://login.microsoftonline.com/common/v2.0",
    "https://login.microsoftonline.com/consumers/v2.0",
    "https://login.microsoftonline.com/organizations/v2.0",
];

/// Checks that a row for a shared issuer names its tenant.
pub(super) fn check_tenant(issuer: &str, tenant: Option<&TenantRule>) -> Result<(), String> {
    match tenant {
        None if SHARED.contains(&issuer) => Err(format!(
            "{issuer} is shared by many organizations: set tenant"
        )),
        Some(TenantRule { claim, value }) if claim.is_empty() || value.is_empty() => {
            Err("tenant needs a claim and a value".to_owned())
        }
        _ => Ok(()),
    }
}

/// Which organizations may use what the deployment owns.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Offer {
    /// Nobody: the thing has an owner, or was offered to nobody yet.
    #[default]
    Nobody,
    /// Every organization.
    All,
    /// These organizations.
    Only(BTreeSet<OrganizationId>),
}

impl<'de> Deserialize<'de> for Offer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "all" => Ok(Self::All),
            list @ Value::Array(_) => BTreeSet::deserialize(list)
                .map(Self::Only)
                .map_err(D::Error::custom),
            _ => Err(D::Error::custom(
                "offered_to is neither \"all\" nor a list of organizations",
            )),
        }
    }
}

impl Offer {
    /// Whether an organization may use a thing with this owner and offer (design §4 rule 10).
    pub(super) fn reaches(&self, owner: &Owner, organization: &OrganizationId) -> bool {
        match (owner, self) {
            (Owner::Organization(owner), _) => owner == organization,
            (Owner::Deployment, Self::All) => true,
            (Owner::Deployment, Self::Only(named)) => named.contains(organization),
            (Owner::Deployment, Self::Nobody) => false,
        }
    }

    /// Checks that only what the deployment owns is offered, and to organizations that exist.
    pub(super) fn check(
        &self,
        owner: &Owner,
        exists: impl Fn(&OrganizationId) -> bool,
    ) -> Result<(), String> {
        match (owner, self) {
            (Owner::Organization(_), Self::All | Self::Only(_)) => {
                Err("set organization or offered_to, not both".to_owned())
            }
            (Owner::Deployment, Self::Nobody) => {
                Err("set organization, or offered_to = \"all\" or a list".to_owned())
            }
            (_, Self::Only(named)) => match named.iter().find(|id| !exists(id)) {
                Some(id) => Err(format!(
                    "offered_to names organization {id}, which does not exist"
                )),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// Where public keys come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeySource {
    /// From the issuer's metadata.
    Discovery,
    /// From this address.
    JwksUri(Url),
    /// From the definition itself: a JWK Set as JSON text.
    Inline(String),
}

impl KeySource {
    /// Reads the members `jwks` and `jwks_uri`, of which at most one is given.
    pub(super) fn from_members(
        jwks: Option<Value>,
        jwks_uri: Option<Url>,
    ) -> Result<Option<Self>, String> {
        match (jwks, jwks_uri) {
            (Some(_), Some(_)) => Err("set jwks or jwks_uri, not both".to_owned()),
            (Some(set), None) => inline(&set).map(Some),
            (None, Some(url)) => Ok(Some(Self::JwksUri(url))),
            (None, None) => Ok(None),
        }
    }
}

fn inline(set: &Value) -> Result<KeySource, String> {
    let text = set.to_string();
    match JwkSet::parse(text.as_bytes()) {
        Ok(keys) if !keys.is_empty() => Ok(KeySource::Inline(text)),
        Ok(_) => Err("jwks has no public key that can verify a signature".to_owned()),
        Err(error) => Err(format!("jwks: {error}")),
    }
}

/// How the subject of a foreign token becomes one of our users.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum SubjectSource {
    /// It is the subject that this connection's identity provider knows.
    Connection(ConnectionId),
    /// It is our user id: the issuer is one of our own `idp`s.
    UserId,
}

/// Reads a duration such as `5m`: a number and `s`, `m`, `h` or `d`.
pub(super) fn duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map(Some).ok_or_else(|| {
        D::Error::custom(format!(
            "{text:?} is not a duration such as \"30s\", \"5m\" or \"1h\""
        ))
    })
}

fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let number = number.parse::<u32>().ok()?;
    Some(Duration::from_secs(u64::from(number) * seconds))
}

/// Checks that a duration is neither zero nor beyond its cap.
pub(super) fn capped(
    name: &str,
    given: Option<Duration>,
    default: Duration,
    cap: Duration,
) -> Result<Duration, String> {
    match given {
        None => Ok(default),
        Some(given) if given.is_zero() || given > cap => Err(format!(
            "{name} is at least 1s and at most {}s",
            cap.as_secs()
        )),
        Some(given) => Ok(given),
    }
}

/// Checks that a resource identifier is an absolute URL without fragment and user information.
pub(super) fn check_resource(resource: &str) -> Result<(), String> {
    symbolon_protocol::resource::ResourceIndicator::parse(resource)
        .map(drop)
        .map_err(|error| format!("resource {resource:?}: {error}"))
}

/// Checks that every text is one scope.
pub(super) fn check_scopes<'a>(scopes: impl IntoIterator<Item = &'a String>) -> Result<(), String> {
    symbolon_protocol::scope::ScopeSet::from_scopes(scopes)
        .map(drop)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit() {
        assert_eq!(parse_duration("5m"), Some(Duration::from_secs(300)));
        assert_eq!(parse_duration("30s"), Some(Duration::from_secs(30)));
        for wrong in ["", "m", "5", "5 m", "-5m", "5min", "99999999999s", "5µ"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
