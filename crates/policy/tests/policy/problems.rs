//! What is wrong is said with its place and what to change.

use symbolon_policy::{AssignmentTarget, Who};

use crate::world::{World, clients, on_server, texts};

fn said(world: World) -> Vec<String> {
    world.problems().iter().map(ToString::to_string).collect()
}

fn policy(cedar: &str) -> Vec<String> {
    said(World::acme().policy("night", cedar))
}

#[test]
fn a_syntax_error_has_its_line() {
    let problems = policy("permit (principal, action, resource);\n\nforbid (principal action);");

    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].starts_with("policy night of acme, line 3: unexpected token"),
        "{problems:?}"
    );
}

#[test]
fn a_validation_error_has_its_line() {
    let problems = policy(
        "permit (principal, action, resource);\nforbid (\n  principal,\n  action,\n  resource\n) \
         when {\n  context.acr == \"x\"\n};",
    );

    assert!(!problems.is_empty());
    for problem in &problems {
        assert!(
            problem.starts_with("policy night of acme, line 7: "),
            "{problem}"
        );
        assert!(problem.contains("`acr`"), "{problem}");
    }
}

#[test]
fn what_could_never_apply_is_refused() {
    for cedar in [
        "forbid (principal, action, resource) when { false };",
        "forbid (principal is Group, action, resource);",
        "forbid (principal, action == Action::\"call_tool\", resource is Scope);",
    ] {
        assert!(!policy(cedar).is_empty(), "{cedar}");
    }
}

#[test]
fn text_that_does_not_read_as_it_looks_is_refused() {
    let problems = policy(
        "forbid (principal, action, resource) when { context.amr.contains(\"\u{202e}sms\") };",
    );

    assert_eq!(problems.len(), 1, "{problems:?}");
    let fine = policy("permit (principal in Group::\"acme-oidc/Инженеры\", action, resource);");
    assert!(fine.is_empty(), "{fine:?}");
}

#[test]
fn templates_empty_texts_and_long_texts_are_refused() {
    let template = policy("\npermit (principal == ?principal, action, resource);");
    assert!(
        template[0].contains("line 2: templates are not supported"),
        "{template:?}"
    );
    assert!(policy("// nothing")[0].contains("it has no policy"));
    let long = "permit (principal, action, resource);".repeat(2000);
    assert!(policy(&long)[0].contains("split it"));
}

#[test]
fn a_text_that_would_end_the_process_is_refused() {
    for (open, close) in [("(", ")"), ("!(", ")"), ("true && ", ""), ("[", "]")] {
        let nested = format!("{}true{}", open.repeat(2000), close.repeat(2000));
        let problems = policy(&format!(
            "permit (principal, action, resource)\nwhen {{ {nested} }};"
        ));
        assert!(
            problems[0].contains("line 2: it nests too deeply"),
            "{problems:?}"
        );
    }
}

#[test]
fn a_misspelt_name_is_reported_with_the_choices() {
    for (name, advice) in [
        (
            "principal in Group::\"engineering\"",
            "write Group::\"acme-oidc/engineering\"",
        ),
        (
            "principal in EmailAddress::\"Ada@acme.example\"",
            "write addresses in lower case",
        ),
        (
            "principal == Client::\"desk-agent\"",
            "write \"as/desk-agent\" or \"idp/acme/desk-agent\"",
        ),
        (
            "resource in McpServer::\"trakcer\"",
            "no mcp server \"trakcer\" is offered to acme",
        ),
        (
            "resource == Tool::\"trakcer/x\"",
            "no mcp server \"trakcer\" is offered to acme",
        ),
        (
            "resource == Scope::\"tracker/issue:read\"",
            "has no scope \"issue:read\"",
        ),
        (
            "resource == Scope::\"issues:read\"",
            "write \"server/scope\" or \"resource scope\"",
        ),
        (
            "resource == Scope::\"https://mcp.vendor.example/mcp x\"",
            "no such resource",
        ),
        (
            "resource in ResourceAuthorizationServer::\"https://x\"",
            "no resource authorization server",
        ),
        (
            "principal in Organization::\"evil\"",
            "can only be about acme",
        ),
    ] {
        let cedar = format!("forbid (principal, action, resource)\nwhen {{\n  {name} }};");
        let problems = policy(&cedar);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(
            problems[0].starts_with("policy night of acme, line 3: "),
            "{problems:?}"
        );
        assert!(problems[0].contains(advice), "{problems:?}");
    }
}

#[test]
fn a_policy_shows_what_it_reads() {
    let tool = |condition: &str| {
        policy(&format!(
            "forbid (principal, action == Action::\"call_tool\", resource)\nwhen {{ {condition} }};"
        ))
    };
    for condition in [
        "context.arguments == { amount: 5 }",
        "context has arguments",
        "[context].containsAll([context])",
        "context.arguments has a.b",
        "context.arguments has a && context.arguments.a.b > 5",
        "context.arguments has a && context.arguments has b \
         && context.arguments.a == context.arguments.b",
        "context.arguments has a && (context.arguments.a == 5 || context.arguments.a == \"x\")",
        "context.arguments.a > 5",
        "context.missing == 5",
    ] {
        assert!(!tool(condition).is_empty(), "{condition}");
    }
    let fine = tool("context.arguments has a && context.arguments.a > 5");
    assert!(fine.is_empty(), "{fine:?}");
}

#[test]
fn an_annotation_that_cannot_be_read_is_refused() {
    let problems = policy("\n@step_up_max_age(\"5m\")\npermit (principal, action, resource);");

    let expected = "policy night of acme, line 2: @step_up_max_age is a number of seconds, \
        as in \"300\"";
    assert_eq!(problems, [expected]);
}

#[test]
fn a_name_is_given_once() {
    let all = "permit (principal, action, resource);";
    let twice = said(World::acme().policy("night", all).policy("night", all));
    assert_eq!(
        twice,
        ["policy night of acme: there are two of this id: rename one"]
    );

    let same = policy(&format!("@id(\"x\") {all}\n@id(\"x\") {all}"));
    assert!(same[0].contains("give each its own @id"), "{same:?}");

    let id = |assignment: &mut symbolon_policy::AssignmentInput| assignment.id = "one".to_owned();
    let assignments = said(World::acme().assign(id).assign(id));
    assert_eq!(
        assignments,
        ["assignment one of acme: there are two of this id: rename one"]
    );
}

#[test]
fn an_assignment_says_what_it_names_in_vain() {
    let problems = said(World::acme().assign(|assignment| {
        assignment.who = Who::Users(texts(&["ada lovelace"]));
        assignment.clients = Some(clients(&["no-agent", "desk-agent"]));
        assignment.scopes = texts(&["issues:read", "issues:delete"]);
    }));

    assert_eq!(
        problems,
        [
            "assignment a1 of acme: user \"ada lovelace\" is neither an email address nor a user id",
            "assignment a1 of acme: client no-agent is not offered to acme",
            "assignment a1 of acme: scope \"issues:delete\" does not exist at tracker",
        ]
    );
}

#[test]
fn an_assignment_for_nobody_or_nothing_is_refused() {
    let nobody = said(World::acme().assign(|assignment| assignment.who = Who::Groups(Vec::new())));
    assert!(nobody[0].contains("it names nobody"), "{nobody:?}");
    let nothing = said(World::acme().assign(|assignment| assignment.target = on_server("nothing")));
    assert!(
        nothing[0].contains("mcp server nothing is not offered to acme"),
        "{nothing:?}"
    );
    let nowhere = AssignmentTarget::Resource("https://nowhere.example".to_owned());
    let nowhere = said(World::acme().assign(|assignment| assignment.target = nowhere));
    assert!(
        nowhere[0].contains("not listed by any resource authorization server"),
        "{nowhere:?}"
    );
    let no_client = said(World::acme().assign(|assignment| assignment.clients = Some(Vec::new())));
    assert!(no_client[0].contains("leave it out"), "{no_client:?}");
    let service = Who::Services(clients(&["no-service"]));
    let service = said(World::acme().assign(|assignment| assignment.who = service));
    assert!(
        service[0].contains("service no-service is not a client"),
        "{service:?}"
    );
}

#[test]
fn an_ambiguous_group_lists_the_choices() {
    let mut several = World::acme();
    several.input.organizations[0]
        .connections
        .push("acme-saml".parse().unwrap());
    assert_eq!(
        said(several.assign(|_| ())),
        [
            "assignment a1 of acme: group \"engineering\" is ambiguous: \
          write \"acme-oidc/engineering\" or \"acme-saml/engineering\""
        ]
    );

    let mut none = World::acme();
    none.input.organizations[0].connections.clear();
    assert_eq!(
        said(none.assign(|_| ())),
        [
            "assignment a1 of acme: nobody speaks for group \"engineering\": \
          the organization has no connection"
        ]
    );
}

#[test]
fn every_problem_of_every_organization_is_reported_at_once() {
    let mut world = World::acme();
    world.organization("beta", &[]);
    let problems = said(
        world
            .policy("one", "permit")
            .policy_of("beta", "two", "permit")
            .assign(|assignment| assignment.scopes = texts(&["x"])),
    );

    assert_eq!(problems.len(), 3, "{problems:?}");
}
