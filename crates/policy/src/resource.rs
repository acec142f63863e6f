//! The resource of a request: does it exist, is it offered, and what is it to Cedar?

use std::collections::HashMap;

use cedar_policy::{Entity, EntityUid, RestrictedExpression};
use symbolon_protocol::ids::ServerId;

use crate::decision::DenyReason;
use crate::entity::{self, Kind};
use crate::offer::{Offers, Server};
use crate::request::{Action, Request, Resource, Target};

/// A resource that exists and is offered to the organization.
pub(crate) struct Offered<'a> {
    kind: Kind,
    /// The entity, then everything it is in.
    pub(crate) path: Vec<EntityUid>,
    attributes: Attributes<'a>,
}

enum Attributes<'a> {
    Scope { name: &'a str, resource: &'a str },
    Tool { name: &'a str, server: &'a Server },
    Server { server: &'a Server },
}

impl<'a> Offered<'a> {
    /// Finds the resource of a request.
    ///
    /// # Errors
    /// Why the organization has no such resource. Whether it exists elsewhere is not told.
    pub(crate) fn find(offers: &'a Offers, request: &Request<'a>) -> Result<Self, DenyReason> {
        use Action::{CallTool, GetPrompt, GrantAccess, IssueIdJag, ListTool, ReadResource};
        match (request.action, request.resource) {
            (
                IssueIdJag | GrantAccess,
                Resource::Scope {
                    target: Target::Server(id),
                    scope,
                },
            ) => Self::scope(id, scope, server(offers, request, id)?),
            (
                IssueIdJag | GrantAccess,
                Resource::Scope {
                    target: Target::Foreign { issuer, resource },
                    scope,
                },
            ) => Self::foreign_scope(offers, request, (issuer, resource), scope),
            (CallTool | ListTool, Resource::Tool { server: id, name }) => {
                let server = server(offers, request, id)?;
                let path = server_path(id, server);
                let path = [entity::tool(id, name)].into_iter().chain(path).collect();
                Ok(Self {
                    kind: Kind::Tool,
                    path,
                    attributes: Attributes::Tool { name, server },
                })
            }
            (ReadResource | GetPrompt, Resource::Server { server: id, .. }) => {
                let server = server(offers, request, id)?;
                let path = server_path(id, server).collect();
                Ok(Self {
                    kind: Kind::McpServer,
                    path,
                    attributes: Attributes::Server { server },
                })
            }
            (Action::Administer, _) => Err(DenyReason::Administer),
            (action, _) => Err(DenyReason::WrongResource {
                action: action.as_str(),
            }),
        }
    }

    fn scope(id: &ServerId, name: &'a str, server: &'a Server) -> Result<Self, DenyReason> {
        if !server.has_scope(name) {
            return Err(DenyReason::UnknownScope {
                scope: name.to_owned(),
            });
        }
        let path = [entity::scope(id, name)]
            .into_iter()
            .chain(server_path(id, server))
            .collect();
        let attributes = Attributes::Scope {
            name,
            resource: &server.resource,
        };
        Ok(Self {
            kind: Kind::Scope,
            path,
            attributes,
        })
    }

    fn foreign_scope(
        offers: &'a Offers,
        request: &Request<'a>,
        (issuer, resource): (&'a str, &'a str),
        name: &'a str,
    ) -> Result<Self, DenyReason> {
        let organization = request.organization;
        let mut registered = offers.foreign(organization, resource);
        let Some(foreign) = registered.find(|foreign| foreign.issuer == issuer) else {
            return Err(DenyReason::UnknownResource {
                resource: resource.to_owned(),
                issuer: issuer.to_owned(),
                organization: organization.clone(),
            });
        };
        if !foreign.scopes.iter().any(|scope| scope == name) {
            return Err(DenyReason::UnknownScope {
                scope: name.to_owned(),
            });
        }
        let path = vec![
            entity::foreign_scope(resource, name),
            entity::resource_authorization_server(issuer),
            entity::organization(organization),
        ];
        let attributes = Attributes::Scope {
            name,
            resource: &foreign.resource,
        };
        Ok(Self {
            kind: Kind::Scope,
            path,
            attributes,
        })
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn uid(&self) -> &EntityUid {
        &self.path[0]
    }

    /// For a tool: its server, to weigh scopes, and its name.
    pub(crate) const fn tool(&self) -> Option<(&'a Server, &'a str)> {
        match self.attributes {
            Attributes::Tool { name, server } => Some((server, name)),
            Attributes::Scope { .. } | Attributes::Server { .. } => None,
        }
    }

    /// The entity as Cedar sees it.
    pub(crate) fn entity(&self) -> Result<Entity, String> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let attributes = match self.attributes {
            Attributes::Scope { name, resource } => {
                vec![("name", text(name)), ("resource", text(resource))]
            }
            Attributes::Tool { name, server } => {
                let scopes = server.needed(name).into_iter().map(text);
                vec![
                    ("name", text(name)),
                    ("scopes", RestrictedExpression::new_set(scopes)),
                ]
            }
            Attributes::Server { server } => vec![("resource", text(&server.resource))],
        };
        let attributes: HashMap<_, _> = attributes
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let ancestors = self.path[1..].iter().cloned().collect();
        Entity::new(self.uid().clone(), attributes, ancestors).map_err(|error| error.to_string())
    }
}

fn server<'a>(
    offers: &'a Offers,
    request: &Request<'_>,
    id: &ServerId,
) -> Result<&'a Server, DenyReason> {
    offers
        .server(request.organization, id)
        .ok_or_else(|| DenyReason::ServerNotOffered {
            server: id.to_string(),
            organization: request.organization.clone(),
        })
}

fn server_path(id: &ServerId, server: &Server) -> impl Iterator<Item = EntityUid> {
    [entity::server(id)]
        .into_iter()
        .chain(server.owner().map(entity::organization))
}
