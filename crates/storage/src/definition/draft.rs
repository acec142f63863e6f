//! A definition before it is stored, and how it gets its name.

use std::collections::BTreeMap;

use serde_json::Value;
use symbolon_protocol::digest::sha256;
use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::secret::Secret;

use super::{Key, Kind, Owner};

/// Secrets of a definition by name, such as `client_secret`.
pub type Secrets = BTreeMap<String, Secret>;

/// A definition before it is stored.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What identifies it.
    pub key: Key,
    /// The manifest object, without secrets.
    pub document: Value,
    /// Its secrets.
    pub secrets: Secrets,
}

/// Why a document is not even a draft.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{kind}: {problem}")]
pub struct MalformedDocument {
    kind: Kind,
    problem: String,
}

impl Draft {
    /// Finds out from a document what it is called and whom it belongs to.
    ///
    /// The owner is its `organization`. The name is its `id`, except: a client is called
    /// `{issuer} {id}`; issuers of every kind are called by their `issuer`, with ` {claim}={value}`
    /// of the tenant where there is one; an assignment without `id` is called by what it says.
    ///
    /// # Errors
    /// [`MalformedDocument`] when such a member is missing or is no text.
    pub fn new(kind: Kind, document: Value, secrets: Secrets) -> Result<Self, MalformedDocument> {
        let id = name_of(kind, &document)?;
        let owner = match (kind, document.get("organization")) {
            (Kind::Organization, _) | (_, None) => Owner::Deployment,
            (_, Some(Value::String(organization))) => {
                Owner::Organization(OrganizationId::parse(organization).map_err(|error| {
                    MalformedDocument {
                        kind,
                        problem: error.to_string(),
                    }
                })?)
            }
            (_, Some(_)) => return Err(malformed(kind, "organization is not a text")),
        };
        Ok(Self {
            key: Key { kind, owner, id },
            document,
            secrets,
        })
    }
}

fn name_of(kind: Kind, document: &Value) -> Result<String, MalformedDocument> {
    let text = |member: &str| {
        let value = document.get(member).and_then(Value::as_str);
        value.ok_or_else(|| malformed(kind, &format!("{member} is missing")))
    };
    Ok(match kind {
        Kind::Client => {
            let issuer = document
                .get("issuer")
                .and_then(Value::as_str)
                .unwrap_or("as");
            format!("{issuer} {}", text("id")?)
        }
        Kind::ResourceAuthorizationServer | Kind::TrustedIssuer | Kind::AccessTokenIssuer => {
            let tenant = |member| document.get("tenant")?.get(member)?.as_str();
            match (tenant("claim"), tenant("value")) {
                (Some(claim), Some(value)) => format!("{} {claim}={value}", text("issuer")?),
                _ => text("issuer")?.to_owned(),
            }
        }
        Kind::Assignment if document.get("id").is_none() => content_name(document),
        _ => text("id")?.to_owned(),
    })
}

/// A name made from what the document says: the same document, the same name.
fn content_name(document: &Value) -> String {
    let digest = sha256(canonical(document).as_bytes());
    digest[..8]
        .iter()
        .fold("a-".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

/// JSON with sorted members and no white space.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> = members.iter().collect();
            let members = sorted.into_iter().map(|(name, value)| {
                format!("{}:{}", Value::String(name.clone()), canonical(value))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(canonical).collect::<Vec<_>>().join(",")
            )
        }
        other => other.to_string(),
    }
}

fn malformed(kind: Kind, problem: &str) -> MalformedDocument {
    MalformedDocument {
        kind,
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(kind: Kind, document: Value) -> String {
        Draft::new(kind, document, Secrets::new()).unwrap().key.id
    }

    #[test]
    fn each_kind_is_named_by_what_makes_it_unique() {
        let client = json!({"issuer": "idp/acme", "id": "desk-agent", "organization": "acme"});
        assert_eq!(name(Kind::Client, client), "idp/acme desk-agent");
        assert_eq!(
            name(Kind::Client, json!({"id": "desk-agent"})),
            "as desk-agent"
        );
        let google = json!({"organization": "acme", "issuer": "https://accounts.google.com",
                            "tenant": {"claim": "hd", "value": "acme.example"}});
        assert_eq!(
            name(Kind::TrustedIssuer, google),
            "https://accounts.google.com hd=acme.example"
        );
    }

    #[test]
    fn an_assignment_without_id_is_named_by_what_it_says() {
        let one = json!({"organization": "acme", "everyone": true, "mcp_server": "tracker"});
        let same = json!({"mcp_server": "tracker", "everyone": true, "organization": "acme"});
        let other = json!({"organization": "acme", "everyone": true, "mcp_server": "wiki"});
        assert_eq!(
            name(Kind::Assignment, one.clone()),
            name(Kind::Assignment, same)
        );
        assert_ne!(name(Kind::Assignment, one), name(Kind::Assignment, other));
    }

    #[test]
    fn an_owner_is_an_organization_or_the_deployment() {
        let draft = |document| Draft::new(Kind::McpServer, document, Secrets::new());
        let acme = draft(json!({"id": "tracker", "organization": "acme"})).unwrap();
        assert_eq!(acme.key.owner.as_str(), "acme");
        assert_eq!(
            draft(json!({"id": "tracker"})).unwrap().key.owner,
            Owner::Deployment
        );
        assert!(draft(json!({"id": "tracker", "organization": "Acme!"})).is_err());
        assert!(draft(json!({"organization": "acme"})).is_err());
    }
}
