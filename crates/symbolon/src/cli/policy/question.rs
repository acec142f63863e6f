//! What `symbolon policy explain` asks the engine, from what was written on the command line.

use anyhow::{Context, Result};
use clap::Args;
use clap::builder::PossibleValuesParser;
use symbolon_policy::{Action, Resource, Target};
use symbolon_protocol::ids::{OrganizationId, ServerId};
use symbolon_protocol::scope::ScopeSet;
use symbolon_storage::directory::{Directory, McpServer};

/// On what, and to do what.
#[derive(Args, Debug)]
pub(super) struct Asked {
    /// An MCP server; without --scope and --tool, everything of it is asked.
    #[arg(
        long,
        value_name = "ID",
        required_unless_present = "resource",
        conflicts_with = "resource"
    )]
    server: Option<ServerId>,
    /// The resource identifier of an MCP server, ours or a foreign one.
    #[arg(long, value_name = "URL")]
    resource: Option<String>,
    /// A scope; with --tool, the scopes that the token carries, separated by spaces.
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// A tool of the server.
    #[arg(long, value_name = "TOOL")]
    tool: Option<String>,
    /// The action; chosen by what is asked about unless it is given.
    #[arg(long, value_parser = PossibleValuesParser::new(Action::ALL.map(Action::as_str)))]
    action: Option<String>,
    /// For read_resource the URI, for get_prompt the name.
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
}

/// One question.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) action: Action,
    about: About,
    /// The scopes that are requested, or that the token carries.
    pub(super) scopes: ScopeSet,
}

/// What a question is about.
#[derive(Debug)]
enum About {
    Scope(ServerId, String),
    ForeignScope {
        issuer: String,
        resource: String,
        scope: String,
    },
    Tool(ServerId, String),
    Server(ServerId, String),
}

impl Question {
    /// The resource as the engine wants it.
    pub(super) fn resource(&self) -> Resource<'_> {
        match &self.about {
            About::Scope(id, scope) => Resource::Scope {
                target: Target::Server(id),
                scope,
            },
            About::ForeignScope {
                issuer,
                resource,
                scope,
            } => Resource::Scope {
                target: Target::Foreign { issuer, resource },
                scope,
            },
            About::Tool(server, name) => Resource::Tool { server, name },
            About::Server(server, name) => Resource::Server { server, name },
        }
    }

    /// In words: `scope issues:read of tracker`.
    pub(super) fn subject(&self) -> String {
        match &self.about {
            About::Scope(server, scope) => format!("scope {scope} of {server}"),
            About::ForeignScope {
                resource, scope, ..
            } => format!("scope {scope} of {resource}"),
            About::Tool(server, tool) => format!("tool {tool} of {server}"),
            About::Server(server, name) if name.is_empty() => server.to_string(),
            About::Server(server, name) => format!("{name} of {server}"),
        }
    }

    /// Whether a foreign authorization server grants it, so that only our `idp` decides.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self.about, About::ForeignScope { .. })
    }
}

impl Asked {
    /// The questions; `at_idp` says that the client asks an `idp` for an ID-JAG.
    pub(super) fn questions(
        &self,
        directory: &Directory,
        organization: &OrganizationId,
        at_idp: bool,
    ) -> Result<Vec<Question>> {
        let server = match (&self.server, &self.resource) {
            (Some(id), _) => Some(id.clone()),
            (None, Some(url)) => directory
                .server_by_resource(url)
                .map(|server| server.id.clone()),
            (None, None) => None,
        };
        match server {
            Some(id) => self.about_server(directory.server(&id), id, at_idp),
            None => self.about_foreign(directory, organization),
        }
    }

    fn chosen(&self, otherwise: Action) -> Action {
        self.action
            .as_deref()
            .and_then(Action::named)
            .unwrap_or(otherwise)
    }

    fn about_server(
        &self,
        server: Option<&McpServer>,
        id: ServerId,
        at_idp: bool,
    ) -> Result<Vec<Question>> {
        let step = if at_idp {
            Action::IssueIdJag
        } else {
            Action::GrantAccess
        };
        let chosen = self.action.as_deref().and_then(Action::named);
        if let Some(tool) = &self.tool {
            return Ok(vec![self.tool(server, id, tool)?]);
        }
        if let Some(action @ (Action::ReadResource | Action::GetPrompt)) = chosen {
            let scopes = self.scopes()?.unwrap_or_default();
            return Ok(vec![Question {
                action,
                about: About::Server(id, self.name.clone()),
                scopes,
            }]);
        }
        if let Some(scopes) = self.scopes()? {
            let ask = |scope: &str| Question {
                action: self.chosen(step),
                about: About::Scope(id.clone(), scope.to_owned()),
                scopes: scopes.clone(),
            };
            return Ok(scopes.iter().map(ask).collect());
        }
        self.everything(
            server.with_context(|| format!("there is no mcp server {id}"))?,
            step,
        )
    }

    /// Every scope and every listed tool.
    fn everything(&self, server: &McpServer, step: Action) -> Result<Vec<Question>> {
        let scopes = server.scopes.iter().map(|scope| {
            let about = About::Scope(server.id.clone(), scope.to_owned());
            let scopes = ScopeSet::from_scopes([scope]).map_err(anyhow::Error::from)?;
            Ok(Question {
                action: self.chosen(step),
                about,
                scopes,
            })
        });
        let tools = server
            .tools
            .keys()
            .map(|tool| self.tool(Some(server), server.id.clone(), tool));
        scopes.chain(tools).collect()
    }

    fn tool(&self, server: Option<&McpServer>, id: ServerId, tool: &str) -> Result<Question> {
        let needed = server.map(|server| server.required_scopes("tools/call", Some(tool)));
        let scopes = self.scopes()?.or(needed).unwrap_or_default();
        let about = About::Tool(id, tool.to_owned());
        Ok(Question {
            action: self.chosen(Action::CallTool),
            about,
            scopes,
        })
    }

    fn about_foreign(
        &self,
        directory: &Directory,
        organization: &OrganizationId,
    ) -> Result<Vec<Question>> {
        let resource = self.resource.as_deref().unwrap_or_default();
        let mut servers = directory
            .resource_authorization_servers(organization)
            .iter();
        let found = servers.find_map(|one| Some((one, one.resources.get(resource)?)));
        let (server, all) = found.with_context(|| {
            format!(
                "no mcp server and no resource_authorization_server of {organization} has resource \
                 {resource:?}: it must be equal byte for byte"
            )
        })?;
        let asked = match self.scopes()? {
            Some(scopes) => scopes,
            None => ScopeSet::from_scopes(all)?,
        };
        let ask = |scope: &str| Question {
            action: self.chosen(Action::IssueIdJag),
            about: About::ForeignScope {
                issuer: server.issuer.to_string(),
                resource: resource.to_owned(),
                scope: scope.to_owned(),
            },
            scopes: asked.clone(),
        };
        Ok(asked.iter().map(ask).collect())
    }

    fn scopes(&self) -> Result<Option<ScopeSet>> {
        self.scope
            .as_deref()
            .map(ScopeSet::parse)
            .transpose()
            .context("--scope")
    }
}
