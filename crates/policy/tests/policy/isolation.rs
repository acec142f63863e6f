//! Attacks of one organization on another (design §4 rule 10).

use symbolon_policy::{Action, DenyReason, Engine, OfferInput};
use symbolon_protocol::ids::UserId;
use symbolon_protocol::issuer::IssuerRole;

use crate::world::{Ask, On, World, clients, group, on_server, organization, texts};

const ALLOW_ALL: &str = "permit (principal, action, resource);";

/// `acme` and `evil`; each has a server, and the deployment offers two more to one of them.
fn two() -> World {
    let mut world = World::acme();
    world.organization("evil", &["evil-oidc"]);
    world.server("vault", Some("evil"), OfferInput::All);
    world.server("shared", None, OfferInput::All);
    world.server(
        "for-acme",
        None,
        OfferInput::Only(vec![organization("acme")]),
    );
    world.client(IssuerRole::As, "evil-agent", Some("evil"), OfferInput::All);
    let only_acme = OfferInput::Only(vec![organization("acme")]);
    world.client(IssuerRole::As, "acme-only", None, only_acme);
    world
}

fn mallory() -> Ask {
    Ask::ada().with(|ask| {
        ask.organization = organization("evil");
        ask.user = UserId::parse("u-mallory").unwrap();
        ask.email = Some("mallory@evil.example".to_owned());
        ask.groups = Some(vec![group("evil-oidc", "engineering")]);
    })
}

fn grant(engine: &Engine, ask: &Ask, server: &str) -> bool {
    ask.may(
        engine,
        Action::GrantAccess,
        On::ScopeOf(server, "issues:read"),
    )
}

#[test]
fn an_organizations_policy_opens_only_what_is_offered_to_it() {
    let engine = two().policy_of("evil", "all", ALLOW_ALL).engine();

    assert!(grant(&engine, &mallory(), "vault"));
    assert!(grant(&engine, &mallory(), "shared"));
    assert!(!grant(&engine, &mallory(), "tracker"));
    assert!(!grant(&engine, &mallory(), "for-acme"));
}

#[test]
fn a_server_of_somebody_else_looks_like_one_that_does_not_exist() {
    let engine = two().policy_of("evil", "all", ALLOW_ALL).engine();
    let reason = |server: &str| {
        let on = On::ScopeOf(server, "issues:read");
        let reason = mallory()
            .denied(&engine, Action::GrantAccess, on)
            .to_string();
        reason.replace(server, "…")
    };

    assert_eq!(reason("tracker"), reason("no-such-server"));
    assert_eq!(
        reason("tracker"),
        "mcp server \"…\" is not offered to organization evil"
    );
}

#[test]
fn an_organizations_policies_are_asked_about_its_own_principals_only() {
    let engine = two()
        .policy_of("evil", "all", ALLOW_ALL)
        .policy_of(
            "evil",
            "no-acme",
            "forbid (principal == User::\"u-ada\", action, resource);",
        )
        .assign(|assignment| assignment.target = on_server("shared"))
        .engine();

    assert!(
        grant(&engine, &Ask::ada(), "shared"),
        "the forbid of evil is nothing to acme"
    );
    assert!(!grant(&engine, &Ask::bob(), "shared"), "nor is its permit");
}

#[test]
fn naming_another_organizations_entities_is_reported_and_does_nothing() {
    let world = two().policy_of(
        "evil",
        "reach",
        r#"permit (principal in Organization::"acme", action, resource in McpServer::"tracker");
           permit (principal in Group::"acme-oidc/engineering", action, resource);
           permit (principal, action, resource) when { resource in McpServer::"tracker" };"#,
    );

    let (engine, problems) = Engine::load(world.input);

    let said = problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    assert!(problems.len() >= 4, "{said}");
    assert!(said.contains("policy reach of evil, line 1: Organization::\"acme\" names nothing"));
    for ask in [mallory(), Ask::ada(), Ask::bob()] {
        assert!(!grant(&engine, &ask, "tracker"));
        assert!(!grant(&engine, &ask, "shared"));
    }
}

#[test]
fn a_principal_is_in_the_groups_of_its_own_facts_only() {
    let engine = two()
        .assign(|assignment| assignment.target = on_server("shared"))
        .engine();
    // The same name, said by another organization's connection.
    let named = mallory().with(|ask| ask.organization = organization("acme"));

    assert!(grant(&engine, &Ask::ada(), "shared"));
    assert!(!grant(&engine, &named, "shared"));
}

#[test]
fn a_client_of_another_organization_opens_nothing() {
    let engine = two()
        .policy("all", ALLOW_ALL)
        .policy_of("evil", "all", ALLOW_ALL)
        .engine();
    let idp = |id: &str| IssuerRole::Idp(organization(id));

    let through = |ask: Ask, issuer, id| grant(&engine, &ask.through(issuer, id), "shared");

    assert!(through(Ask::ada(), IssuerRole::As, "desk-agent"));
    assert!(through(mallory(), IssuerRole::As, "evil-agent"));
    assert!(through(Ask::ada(), IssuerRole::As, "acme-only"));
    assert!(!through(mallory(), IssuerRole::As, "acme-only"));
    assert!(!through(Ask::ada(), IssuerRole::As, "evil-agent"));
    assert!(!through(mallory(), idp("acme"), "desk-agent"));
    assert!(!through(Ask::ada(), idp("evil"), "desk-agent"));
    assert!(!through(Ask::ada(), IssuerRole::As, "nobody"));
}

#[test]
fn a_service_of_another_organization_is_nobody_here() {
    let engine = two().policy_of("evil", "all", ALLOW_ALL).engine();
    let foreign = Ask::service("nightly-sync").with(|ask| ask.organization = organization("evil"));

    let on = On::ScopeOf("vault", "issues:read");
    let reason = foreign.denied(&engine, Action::GrantAccess, on);

    assert!(
        matches!(reason, DenyReason::ClientNotOffered { .. }),
        "{reason}"
    );
}

#[test]
fn a_foreign_resource_belongs_to_the_organization_that_registered_it() {
    let engine = two()
        .policy("all", ALLOW_ALL)
        .policy_of("evil", "all", ALLOW_ALL)
        .engine();

    assert!(Ask::ada().may(&engine, Action::IssueIdJag, On::Foreign("files:read")));
    let reason = mallory().denied(&engine, Action::IssueIdJag, On::Foreign("files:read"));
    assert!(
        matches!(reason, DenyReason::UnknownResource { .. }),
        "{reason}"
    );
}

#[test]
fn an_organization_that_does_not_exist_may_nothing() {
    let engine = two().policy("all", ALLOW_ALL).engine();
    let nowhere = Ask::ada().with(|ask| ask.organization = organization("nowhere"));

    let reason = nowhere.denied(&engine, Action::GrantAccess, On::Scope("issues:read"));

    assert_eq!(
        reason,
        DenyReason::UnknownOrganization(organization("nowhere"))
    );
}

#[test]
fn an_unreadable_policy_stops_its_own_organization_only() {
    let world = two()
        .policy("all", ALLOW_ALL)
        .policy_of("evil", "all", ALLOW_ALL)
        .policy_of(
            "evil",
            "broken",
            "forbid (principal, action, resource) when { nonsense };",
        );

    let (engine, problems) = Engine::load(world.input);

    assert_eq!(problems.len(), 1);
    assert!(grant(&engine, &Ask::ada(), "shared"));
    let on = On::ScopeOf("shared", "issues:read");
    let reason = mallory().denied(&engine, Action::GrantAccess, on);
    assert_eq!(reason, DenyReason::Unreadable(organization("evil")));
}

#[test]
fn an_assignment_that_makes_no_sense_only_opens_nothing() {
    let world = two()
        .assign(|assignment| assignment.target = on_server("vault"))
        .assign(|assignment| assignment.clients = Some(clients(&["evil-agent"])))
        .assign(|assignment| assignment.scopes = texts(&["issues:nothing"]))
        .assign(|assignment| assignment.target = on_server("shared"));

    let (engine, problems) = Engine::load(world.input);

    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(grant(&engine, &Ask::ada(), "shared"));
    assert!(!grant(&engine, &Ask::ada(), "vault"));
    assert!(!grant(&engine, &Ask::ada(), "tracker"));
}
