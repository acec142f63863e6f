//! What an assignment opens, and what it looks like.

use symbolon_policy::{Action, AssignmentTarget, Engine, Origin, Who};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::time::Timestamp;

use crate::world::{Ask, FILES, On, World, clients, group, organization, texts};

fn cedar(engine: &Engine) -> String {
    let compiled = engine.compiled(&organization("acme"));
    assert!(compiled.iter().all(|one| one.origin == Origin::Assignment));
    compiled
        .into_iter()
        .map(|one| one.cedar)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn an_assignment_reads_as_cedar() {
    let engine = World::acme()
        .assign(|assignment| {
            assignment.id = "engineering-tracker".to_owned();
            assignment.clients = Some(clients(&["desk-agent"]));
            assignment.until = Some(Timestamp::parse("2027-01-31T00:00:00.5Z").unwrap());
        })
        .engine();

    let expected = r#"@id("assignment:engineering-tracker#grant")
permit (
  principal in Group::"acme-oidc/engineering",
  action in [Action::"issue_id_jag", Action::"grant_access"],
  resource in McpServer::"tracker"
)
when { resource in [Scope::"tracker/issues:read"] }
when { context has client && context.client in [Client::"as/desk-agent", Client::"idp/acme/desk-agent"] }
when { context.now < datetime("2027-01-31T00:00:00Z") };

@id("assignment:engineering-tracker#call")
permit (
  principal in Group::"acme-oidc/engineering",
  action in [Action::"list_tool", Action::"call_tool"],
  resource in McpServer::"tracker"
)
when { context.scopes_sufficient && ["issues:read"].containsAll(resource.scopes) }
when { context has client && context.client in [Client::"as/desk-agent", Client::"idp/acme/desk-agent"] }
when { context.now < datetime("2027-01-31T00:00:00Z") };

@id("assignment:engineering-tracker#read")
permit (
  principal in Group::"acme-oidc/engineering",
  action in [Action::"read_resource", Action::"get_prompt"],
  resource == McpServer::"tracker"
)
when { context has client && context.client in [Client::"as/desk-agent", Client::"idp/acme/desk-agent"] }
when { context.now < datetime("2027-01-31T00:00:00Z") };
"#;
    assert_eq!(cedar(&engine), expected);
}

#[test]
fn several_people_share_one_permit() {
    let engine = World::acme()
        .assign(|assignment| {
            assignment.who = Who::Users(texts(&["Ada@acme.example", "bob@acme.example", "u-eve"]));
            assignment.target = AssignmentTarget::Resource(FILES.to_owned());
            assignment.scopes = texts(&["files:read"]);
        })
        .engine();

    let expected = r#"@id("assignment:a1#grant")
permit (
  principal,
  action == Action::"issue_id_jag",
  resource is Scope
)
when { principal in [EmailAddress::"ada@acme.example", EmailAddress::"bob@acme.example"] || principal in [User::"u-eve"] }
when { resource in [Scope::"https://mcp.vendor.example/mcp files:read"] };
"#;
    assert_eq!(cedar(&engine), expected);
}

#[test]
fn everyone_and_services_read_as_cedar() {
    let engine = World::acme()
        .assign(|assignment| {
            assignment.who = Who::Everyone;
            assignment.scopes = Vec::new();
            assignment.tools = Some(texts(&["ping"]));
        })
        .assign(|assignment| {
            assignment.who = Who::Services(clients(&["nightly-sync"]));
            assignment.tools = Some(Vec::new());
        })
        .engine();

    let expected = r#"@id("assignment:a1#call")
permit (
  principal is User in Organization::"acme",
  action in [Action::"list_tool", Action::"call_tool"],
  resource in McpServer::"tracker"
)
when { resource in [Tool::"tracker/ping"] };

@id("assignment:a2#grant")
permit (
  principal == Client::"as/nightly-sync",
  action == Action::"grant_access",
  resource in McpServer::"tracker"
)
when { resource in [Scope::"tracker/issues:read"] };
"#;
    assert_eq!(cedar(&engine), expected);
}

#[test]
fn an_assignment_allows_every_step_it_implies_and_no_other() {
    let engine = World::acme().assign(|_| ()).engine();
    let table = [
        (Action::IssueIdJag, On::Scope("issues:read"), true),
        (Action::GrantAccess, On::Scope("issues:read"), true),
        (Action::GrantAccess, On::Scope("issues:write"), false),
        (Action::ListTool, On::Tool("list_issues"), true),
        (Action::CallTool, On::Tool("list_issues"), true),
        (Action::CallTool, On::Tool("close_issue"), false),
        (Action::CallTool, On::Tool("ping"), true),
        (Action::ReadResource, On::Server("tracker"), true),
        (Action::GetPrompt, On::Server("tracker"), true),
        (Action::IssueIdJag, On::Foreign("files:read"), false),
        (Action::Administer, On::Server("tracker"), false),
    ];

    for (action, on, expected) in table {
        assert_eq!(
            Ask::ada().may(&engine, action, on),
            expected,
            "ada: {action:?} {on:?}"
        );
        assert!(
            !Ask::bob().may(&engine, action, on),
            "bob: {action:?} {on:?}"
        );
    }
}

#[test]
fn n_171_who_is_not_assigned_or_uses_another_client_gets_nothing() {
    let engine = World::acme()
        .assign(|assignment| assignment.clients = Some(clients(&["desk-agent"])))
        .engine();
    let acme = || IssuerRole::Idp(organization("acme"));
    let issue = |ask: Ask| ask.may(&engine, Action::IssueIdJag, On::Scope("issues:read"));

    assert!(issue(Ask::ada()));
    assert!(issue(Ask::ada().through(acme(), "desk-agent")));
    assert!(!issue(Ask::ada().through(IssuerRole::As, "other-agent")));
    assert!(!issue(Ask::ada().with(|ask| ask.client = None)));
    assert!(!issue(Ask::bob()));
    let elsewhere = vec![
        group("other-oidc", "engineering"),
        group("acme-oidc", "Engineering"),
    ];
    assert!(!issue(Ask::ada().with(|ask| ask.groups = Some(elsewhere))));
}

#[test]
fn n_172_scopes_are_decided_one_by_one() {
    let engine = World::acme().assign(|_| ()).engine();
    let ask = Ask::ada().scopes("issues:read issues:write");

    assert!(ask.may(&engine, Action::IssueIdJag, On::Scope("issues:read")));
    assert!(!ask.may(&engine, Action::IssueIdJag, On::Scope("issues:write")));
}

#[test]
fn n_201_a_broad_scope_opens_what_it_implies() {
    let engine = World::acme()
        .assign(|assignment| assignment.scopes = texts(&["issues:write"]))
        .engine();
    let broad = Ask::ada().scopes("issues:write");

    assert!(broad.may(&engine, Action::GrantAccess, On::Scope("issues:read")));
    assert!(broad.may(&engine, Action::CallTool, On::Tool("list_issues")));
    assert!(broad.may(&engine, Action::CallTool, On::Tool("close_issue")));
    let narrow = Ask::ada().scopes("issues:read");
    assert!(!narrow.may(&engine, Action::CallTool, On::Tool("close_issue")));
}

#[test]
fn a_tool_that_is_not_listed_needs_every_scope() {
    let all = texts(&["issues:read", "issues:write", "issues:admin"]);
    let engine = World::acme()
        .assign(|assignment| assignment.scopes = all)
        .engine();
    let call = |scopes| {
        Ask::ada()
            .scopes(scopes)
            .may(&engine, Action::CallTool, On::Tool("unlisted"))
    };

    assert!(call("issues:write issues:admin"));
    assert!(!call("issues:write"));
    assert!(!call("issues:admin issues:read"));
}

#[test]
fn a_token_from_another_assignment_does_not_widen_this_one() {
    let reads = World::acme().assign(|_| ()).engine();

    let write = Ask::ada().scopes("issues:read issues:write");

    assert!(!write.may(&reads, Action::CallTool, On::Tool("close_issue")));
    assert!(write.may(&reads, Action::CallTool, On::Tool("list_issues")));
}

#[test]
fn listed_tools_are_the_only_ones() {
    let engine = World::acme()
        .assign(|assignment| assignment.tools = Some(texts(&["close_issue", "brand/new tool"])))
        .engine();

    assert!(Ask::ada().may(&engine, Action::CallTool, On::Tool("close_issue")));
    assert!(Ask::ada().may(&engine, Action::ListTool, On::Tool("brand/new tool")));
    assert!(!Ask::ada().may(&engine, Action::CallTool, On::Tool("list_issues")));
    assert!(!Ask::ada().may(&engine, Action::CallTool, On::Tool("close_issue2")));
}

#[test]
fn an_assignment_ends_at_its_time() {
    let end = Timestamp::parse("2027-01-31T00:00:00Z").unwrap();
    let engine = World::acme()
        .assign(|assignment| assignment.until = Some(end))
        .engine();
    let grant = |now| {
        let ask = Ask::ada().at(now);
        ask.may(&engine, Action::GrantAccess, On::Scope("issues:read"))
    };

    assert!(grant("2027-01-30T23:59:59.999999Z"));
    assert!(!grant("2027-01-31T00:00:00Z"));
    assert!(!grant("2031-01-01T00:00:00Z"));
}

#[test]
fn people_are_named_by_address_or_id() {
    let engine = World::acme()
        .assign(|assignment| assignment.who = Who::Users(texts(&["ADA@acme.example", "u-bob"])))
        .engine();
    let grant = |ask: Ask| ask.may(&engine, Action::GrantAccess, On::Scope("issues:read"));

    assert!(grant(Ask::ada()));
    assert!(grant(
        Ask::ada().with(|ask| ask.email = Some("aDa@Acme.Example".to_owned()))
    ));
    assert!(grant(Ask::bob()));
    assert!(!grant(Ask::ada().with(|ask| ask.email = None)));
    assert!(!grant(Ask::ada().with(
        |ask| ask.email = Some("ada@acme.example.evil".to_owned())
    )));
}

#[test]
fn everyone_is_every_person_but_no_client() {
    let engine = World::acme()
        .assign(|assignment| assignment.who = Who::Everyone)
        .engine();
    let grant = |ask: Ask| ask.may(&engine, Action::GrantAccess, On::Scope("issues:read"));

    assert!(grant(Ask::ada()));
    assert!(grant(Ask::bob()));
    assert!(!grant(Ask::service("nightly-sync")));
}

#[test]
fn a_service_acts_for_itself_and_gets_no_id_jag() {
    let engine = World::acme()
        .assign(|assignment| assignment.who = Who::Services(clients(&["nightly-sync"])))
        .engine();
    let service = Ask::service("nightly-sync");

    assert!(service.may(&engine, Action::GrantAccess, On::Scope("issues:read")));
    assert!(service.may(&engine, Action::CallTool, On::Tool("list_issues")));
    assert!(!service.may(&engine, Action::IssueIdJag, On::Scope("issues:read")));
    let other = Ask::service("other-agent");
    assert!(!other.may(&engine, Action::GrantAccess, On::Scope("issues:read")));
    // A person behind that client is not the client.
    let person = Ask::bob().through(IssuerRole::As, "nightly-sync");
    assert!(!person.may(&engine, Action::GrantAccess, On::Scope("issues:read")));
}

#[test]
fn a_foreign_resource_is_decided_when_the_id_jag_is_issued() {
    let engine = World::acme()
        .assign(|assignment| {
            assignment.target = AssignmentTarget::Resource(FILES.to_owned());
            assignment.scopes = texts(&["files:read"]);
        })
        .engine();

    assert!(Ask::ada().may(&engine, Action::IssueIdJag, On::Foreign("files:read")));
    assert!(!Ask::ada().may(&engine, Action::IssueIdJag, On::Foreign("files:write")));
    assert!(!Ask::ada().may(&engine, Action::GrantAccess, On::Foreign("files:read")));
    assert!(!Ask::bob().may(&engine, Action::IssueIdJag, On::Foreign("files:read")));
}

#[test]
fn with_several_connections_a_group_says_whose_it_is() {
    let mut world = World::acme();
    world.input.organizations[0]
        .connections
        .push("acme-saml".parse().unwrap());
    let who = Who::Groups(texts(&["acme-saml/engineering"]));
    let engine = world.assign(|assignment| assignment.who = who).engine();
    let grant = |source| {
        let groups = Some(vec![group(source, "engineering")]);
        let ask = Ask::ada().with(|ask| ask.groups = groups);
        ask.may(&engine, Action::GrantAccess, On::Scope("issues:read"))
    };

    assert!(grant("acme-saml"));
    assert!(!grant("acme-oidc"));
}

#[test]
fn names_cannot_break_out_of_the_text() {
    let evil = "x\" || true || \"\\\u{202e}\n};permit(principal,action,resource);//";
    let engine = World::acme()
        .assign(|assignment| {
            assignment.id = evil.to_owned();
            assignment.who = Who::Groups(texts(&[evil]));
            assignment.tools = Some(texts(&[evil]));
        })
        .engine();
    let member = Ask::ada().with(|ask| ask.groups = Some(vec![group("acme-oidc", evil)]));

    assert!(member.may(&engine, Action::CallTool, On::Tool(evil)));
    assert!(!member.may(&engine, Action::CallTool, On::Tool("list_issues")));
    assert!(!Ask::ada().may(&engine, Action::CallTool, On::Tool(evil)));
}
