//! From the directory to the policy engine: `policy` knows no storage, so the binary translates.

use std::collections::BTreeMap;

use symbolon_policy::{
    AssignmentInput, AssignmentTarget, ClientInput, ForeignResourceInput, OfferInput,
    OrganizationInput, PolicyInput, PolicyText, ServerInput, Who,
};
use symbolon_protocol::ids::OrganizationId;
use symbolon_protocol::scope::ScopeSet;
use symbolon_storage::definition::Owner;
use symbolon_storage::directory::{self, Assignment, Client, Directory, McpServer, Offer, Target};

/// What the engine needs to know of a directory.
#[must_use]
pub fn policy_input(directory: &Directory) -> PolicyInput {
    let mut input = PolicyInput {
        version: directory.version,
        ..PolicyInput::default()
    };
    input.servers = directory.servers().map(server).collect();
    input.clients = directory.clients().map(client).collect();
    for organization in directory.organizations() {
        let id = &organization.id;
        let connections = directory
            .connections_of(id)
            .into_iter()
            .map(|c| c.id.clone())
            .collect();
        input.organizations.push(OrganizationInput {
            id: id.clone(),
            connections,
        });
        input
            .foreign_resources
            .extend(foreign_resources(directory, id));
        input
            .assignments
            .extend(directory.assignments(id).iter().map(assignment));
        input
            .policies
            .extend(directory.policies(id).iter().map(|policy| PolicyText {
                organization: id.clone(),
                id: policy.id.clone(),
                cedar: policy.cedar.clone(),
                version: policy.version,
            }));
    }
    input
}

fn foreign_resources(
    directory: &Directory,
    organization: &OrganizationId,
) -> Vec<ForeignResourceInput> {
    let servers = directory
        .resource_authorization_servers(organization)
        .iter();
    servers
        .flat_map(|server| {
            server
                .resources
                .iter()
                .map(move |resource| (server, resource))
        })
        // A resource that is an MCP server of ours is decided as that server.
        .filter(|(_, (resource, _))| directory.server_by_resource(resource).is_none())
        .map(|(server, (resource, scopes))| ForeignResourceInput {
            organization: organization.clone(),
            issuer: server.issuer.to_string(),
            resource: resource.clone(),
            scopes: scopes.clone(),
        })
        .collect()
}

fn owner(owner: &Owner) -> Option<OrganizationId> {
    owner.organization().cloned()
}

fn offer(offer: &Offer) -> OfferInput {
    match offer {
        Offer::All => OfferInput::All,
        Offer::Nobody => OfferInput::Only(Vec::new()),
        Offer::Only(organizations) => OfferInput::Only(organizations.iter().cloned().collect()),
    }
}

fn texts(scopes: &ScopeSet) -> Vec<String> {
    scopes.iter().map(str::to_owned).collect()
}

fn server(server: &McpServer) -> ServerInput {
    let tools: BTreeMap<String, Vec<String>> = server
        .tools
        .iter()
        .map(|(tool, scopes)| (tool.clone(), texts(scopes)))
        .collect();
    ServerInput {
        id: server.id.clone(),
        owner: owner(&server.owner),
        offered_to: offer(&server.offered_to),
        resource: server.resource.clone(),
        scopes: texts(&server.scopes),
        implies: server.implies.clone(),
        tools,
    }
}

fn client(client: &Client) -> ClientInput {
    ClientInput {
        issuer: client.issuer.clone(),
        id: client.id.clone(),
        owner: owner(&client.owner),
        offered_to: offer(&client.offered_to),
    }
}

fn assignment(assignment: &Assignment) -> AssignmentInput {
    AssignmentInput {
        id: assignment.id.clone(),
        organization: assignment.organization.clone(),
        who: match &assignment.who {
            directory::Who::Everyone => Who::Everyone,
            directory::Who::Groups(groups) => Who::Groups(groups.clone()),
            directory::Who::Users(users) => Who::Users(users.clone()),
            directory::Who::Services(clients) => Who::Services(clients.clone()),
        },
        target: match &assignment.target {
            Target::Server(server) => AssignmentTarget::Server(server.clone()),
            Target::Resource(resource) => AssignmentTarget::Resource(resource.clone()),
        },
        scopes: assignment.scopes.clone(),
        tools: assignment.tools.clone(),
        clients: assignment.clients.clone(),
        until: assignment.until,
    }
}
