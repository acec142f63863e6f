//! Facts are known or unknown, and unknown is not no (design §4 rule 13).

use symbolon_policy::{Action, Decision, DenyReason, UnknownFact, Who};

use crate::world::{Ask, On, World, texts};

fn stranger() -> Ask {
    Ask::ada().with(|ask| ask.groups = None)
}

const UNKNOWN: DenyReason = DenyReason::UnknownFacts(UnknownFact::Groups);

#[test]
fn who_has_unknown_groups_is_denied_where_a_permit_asks_for_one() {
    let engine = World::acme().assign(|_| ()).engine();

    let decision = stranger().decide(&engine, Action::GrantAccess, On::Scope("issues:read"));

    let policies = vec!["assignment:a1#grant".to_owned()];
    assert_eq!(
        decision,
        Decision::Deny {
            reason: UNKNOWN,
            policies
        }
    );
}

#[test]
fn a_forbid_for_a_group_denies_who_might_be_in_it() {
    for forbid in [
        r#"forbid (principal in Group::"acme-oidc/contractors", action, resource);"#,
        r#"forbid (principal, action, resource)
           when { principal in Group::"acme-oidc/contractors" };"#,
        r#"forbid (principal, action, resource)
           unless { principal in Group::"acme-oidc/staff" };"#,
        r#"forbid (principal, action, resource)
           when { context.amr.contains("sms") && principal in Group::"acme-oidc/contractors" };"#,
        r#"forbid (principal, action, resource) when { principal in
           [Group::"acme-oidc/contractors", Group::"acme-oidc/interns"] };"#,
    ] {
        let engine = World::acme()
            .policy("all", "permit (principal, action, resource);")
            .policy("no", forbid)
            .engine();

        let reason = stranger().denied(&engine, Action::CallTool, On::Tool("list_issues"));

        assert_eq!(reason, UNKNOWN, "{forbid}");
    }
}

#[test]
fn it_denies_even_where_another_permit_asks_for_no_group() {
    let who = Who::Users(texts(&["ada@acme.example"]));
    let engine = World::acme()
        .assign(|assignment| assignment.who = who.clone())
        .assign(|_| ())
        .engine();

    let reason = stranger().denied(&engine, Action::GrantAccess, On::Scope("issues:read"));

    assert_eq!(reason, UNKNOWN);
}

#[test]
fn where_no_policy_asks_for_groups_nobody_needs_them() {
    let who = Who::Users(texts(&["ada@acme.example"]));
    let mut world = World::acme();
    world.server("other", Some("acme"), symbolon_policy::OfferInput::All);
    let engine = world
        .assign(|assignment| assignment.who = who)
        .assign(|assignment| assignment.target = crate::world::on_server("other"))
        .policy(
            "admins",
            r#"forbid (principal in Group::"acme-oidc/x", action == Action::"get_prompt", resource);
               forbid (principal == User::"u-bob", action, resource)
               when { principal in Group::"acme-oidc/x" };"#,
        )
        .engine();

    // Another server, another action, another person: their policies ask for groups, these do not.
    assert!(stranger().may(&engine, Action::GrantAccess, On::Scope("issues:read")));
    assert!(stranger().may(&engine, Action::CallTool, On::Tool("list_issues")));
    let prompt = stranger().denied(&engine, Action::GetPrompt, On::Server("tracker"));
    assert_eq!(prompt, UNKNOWN);
}

#[test]
fn a_client_has_no_groups_and_that_is_known() {
    let engine = World::acme()
        .policy("all", "permit (principal, action, resource);")
        .policy(
            "no",
            r#"forbid (principal in Group::"acme-oidc/x", action, resource);"#,
        )
        .engine();

    let service = Ask::service("nightly-sync");

    assert!(service.may(&engine, Action::GrantAccess, On::Scope("issues:read")));
}

#[test]
fn knowing_the_groups_afterwards_is_not_too_late() {
    let engine = World::acme().assign(|_| ()).engine();
    let grant = |ask: Ask| ask.may(&engine, Action::GrantAccess, On::Scope("issues:read"));

    assert!(!grant(stranger()));
    assert!(grant(Ask::ada()));
    assert!(!grant(stranger()));
}
