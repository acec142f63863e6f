//! Truth tables of the plain answers.

use symbolon_policy::{Action, Decision, DenyReason};
use symbolon_protocol::scope::ScopeSet;

use crate::world::{Ask, On, World};

const ALLOW_ALL: &str = "permit (principal, action, resource);";

#[test]
fn what_nobody_allows_is_denied() {
    let engine = World::acme().engine();

    for (action, on) in [
        (Action::IssueIdJag, On::Scope("issues:read")),
        (Action::IssueIdJag, On::Foreign("files:read")),
        (Action::GrantAccess, On::Scope("issues:read")),
        (Action::CallTool, On::Tool("list_issues")),
        (Action::ListTool, On::Tool("list_issues")),
        (Action::ReadResource, On::Server("tracker")),
        (Action::GetPrompt, On::Server("tracker")),
    ] {
        assert_eq!(
            Ask::ada().denied(&engine, action, on),
            DenyReason::NothingAllows
        );
    }
}

#[test]
fn an_explicit_forbid_wins_over_every_permit() {
    let engine = World::acme()
        .assign(|_| ())
        .policy("all", ALLOW_ALL)
        .policy(
            "no",
            "forbid (principal, action == Action::\"call_tool\", resource);",
        )
        .engine();

    let decision = Ask::ada().decide(&engine, Action::CallTool, On::Tool("list_issues"));

    let policies = vec!["policy:no".to_owned()];
    assert_eq!(
        decision,
        Decision::Deny {
            reason: DenyReason::Forbidden,
            policies
        }
    );
    assert!(Ask::ada().may(&engine, Action::ListTool, On::Tool("list_issues")));
}

#[test]
fn a_decision_names_every_policy_that_made_it() {
    let engine = World::acme()
        .assign(|_| ())
        .assign(|_| ())
        .policy("all", ALLOW_ALL)
        .engine();

    let decision = Ask::ada().decide(&engine, Action::GrantAccess, On::Scope("issues:read"));

    let policies = ["assignment:a1#grant", "assignment:a2#grant", "policy:all"];
    let policies = policies.map(str::to_owned).to_vec();
    assert_eq!(decision, Decision::Allow { policies });
}

#[test]
fn an_evaluation_error_in_any_policy_denies() {
    let overflow = "permit (principal, action, resource) \
        when { context has seconds_since_authentication \
               && context.seconds_since_authentication + 9223372036854775807 > 0 };";
    for effect in ["permit", "forbid"] {
        let engine = World::acme()
            .policy("all", ALLOW_ALL)
            .policy("broken", &overflow.replace("permit", effect))
            .engine();

        let reason = Ask::ada().denied(&engine, Action::GrantAccess, On::Scope("issues:read"));

        let DenyReason::Evaluation { policy, .. } = reason else {
            panic!("{reason}")
        };
        assert_eq!(policy, "policy:broken");
        let fine = Ask::ada().with(|ask| ask.signed_in_ago = None);
        let may = fine.may(&engine, Action::GrantAccess, On::Scope("issues:read"));
        assert!(may, "without the error the permit stands");
    }
}

#[test]
fn an_error_outside_the_slice_harms_nobody() {
    let engine = World::acme()
        .policy("all", ALLOW_ALL)
        .policy(
            "broken",
            "forbid (principal == User::\"u-bob\", action, resource) \
             when { context has seconds_since_authentication \
                    && context.seconds_since_authentication + 9223372036854775807 > 0 };",
        )
        .engine();

    assert!(Ask::ada().may(&engine, Action::GrantAccess, On::Scope("issues:read")));
    assert!(!Ask::bob().may(&engine, Action::GrantAccess, On::Scope("issues:read")));
}

#[test]
fn no_policy_of_an_organization_grants_administer() {
    let engine = World::acme()
        .policy("all", ALLOW_ALL)
        .policy(
            "admin",
            "permit (principal, action == Action::\"administer\", resource);",
        )
        .engine();

    for on in [
        On::Server("tracker"),
        On::Scope("issues:read"),
        On::Tool("list_issues"),
    ] {
        let reason = Ask::ada().denied(&engine, Action::Administer, on);
        assert_eq!(reason, DenyReason::Administer);
    }
}

#[test]
fn an_action_is_about_its_own_kind_of_resource() {
    let engine = World::acme().policy("all", ALLOW_ALL).engine();

    for (action, on) in [
        (Action::CallTool, On::Scope("issues:read")),
        (Action::CallTool, On::Server("tracker")),
        (Action::GrantAccess, On::Tool("list_issues")),
        (Action::ReadResource, On::Tool("list_issues")),
    ] {
        let reason = Ask::ada().denied(&engine, action, on);
        assert_eq!(
            reason,
            DenyReason::WrongResource {
                action: action.as_str()
            }
        );
    }
}

#[test]
fn a_scope_that_does_not_exist_is_granted_to_nobody() {
    let engine = World::acme().policy("all", ALLOW_ALL).engine();

    for on in [On::Scope("issues:delete"), On::Foreign("issues:read")] {
        let reason = Ask::ada().denied(&engine, Action::IssueIdJag, on);
        assert!(
            matches!(reason, DenyReason::UnknownScope { .. }),
            "{reason}"
        );
    }
}

#[test]
fn n_202_policy_denies_whatever_the_scopes_are() {
    let engine = World::acme()
        .assign(|_| ())
        .policy(
            "no",
            "forbid (principal, action, resource == Tool::\"tracker/list_issues\");",
        )
        .engine();

    for scopes in ["", "issues:read", "issues:read issues:write issues:admin"] {
        let ask = Ask::ada().scopes(scopes);
        assert!(
            !ask.may(&engine, Action::CallTool, On::Tool("list_issues")),
            "{scopes:?}"
        );
    }
}

#[test]
fn conditions_see_the_circumstances_of_the_request() {
    let engine = World::acme()
        .policy(
            "office",
            r#"permit (principal, action == Action::"call_tool", resource) when {
                context has source_address && context.source_address.isInRange(ip("10.0.0.0/8"))
                && context has client_authentication
                && context.client_authentication == "private_key_jwt"
                && context has sender_constraint && context.sender_constraint == "dpop"
                && context.amr.contains("otp") && context.scopes.contains("issues:read")
                && principal is User && principal has email && principal.email like "*@acme.example"
                && resource.name like "list_*"
            };"#,
        )
        .engine();
    let inside = Ask::ada().with(|ask| {
        ask.email = Some("Ada@ACME.example".to_owned());
        ask.source_address = Some([10, 1, 2, 3].into());
        ask.client_authentication = Some("private_key_jwt".to_owned());
        ask.sender_constraint = Some("dpop".to_owned());
        ask.amr = vec!["otp".to_owned()];
    });
    let list_issues = |ask: Ask| ask.may(&engine, Action::CallTool, On::Tool("list_issues"));

    assert!(list_issues(inside.clone()));
    assert!(!inside.may(&engine, Action::CallTool, On::Tool("close_issue")));
    for change in [
        (|ask| ask.source_address = None) as fn(&mut Ask),
        |ask| ask.source_address = Some([11, 1, 2, 3].into()),
        |ask| ask.client_authentication = None,
        |ask| ask.sender_constraint = None,
        |ask| ask.amr.clear(),
        |ask| ask.scopes = ScopeSet::default(),
        |ask| ask.email = None,
    ] {
        assert!(!list_issues(inside.clone().with(change)));
    }
}

#[test]
fn a_policy_may_depend_on_the_hour() {
    let engine = World::acme()
        .assign(|assignment| assignment.scopes = vec!["issues:write".to_owned()])
        .policy(
            "no-writes-at-night",
            r#"forbid (
                principal,
                action == Action::"call_tool",
                resource == Tool::"tracker/close_issue"
            ) when { context.now.toTime() >= duration("22h") };"#,
        )
        .engine();
    let ask = Ask::ada().scopes("issues:write");

    let close = |now| {
        ask.clone()
            .at(now)
            .may(&engine, Action::CallTool, On::Tool("close_issue"))
    };

    assert!(close("2026-11-20T21:59:59.999999Z"));
    assert!(!close("2026-11-20T22:00:00Z"));
    assert!(close("2026-11-21T00:00:00Z"));
}

#[test]
fn a_list_is_filtered_by_the_same_decision() {
    let engine = World::acme()
        .assign(|_| ())
        .policy(
            "hidden",
            "forbid (principal, action, resource == Tool::\"tracker/ping\");",
        )
        .engine();
    let names = ["list_issues", "close_issue", "ping", "unlisted"];

    let listed = Ask::ada().request(Action::ListTool, On::Server("tracker"), |request| {
        engine.decide_tools(request, &names)
    });

    let one_by_one = names.map(|name| Ask::ada().may(&engine, Action::ListTool, On::Tool(name)));
    assert_eq!(listed, one_by_one);
    assert_eq!(listed, [true, false, false, false]);
    let about_scopes = Ask::ada().request(Action::ListTool, On::Scope("issues:read"), |request| {
        engine.decide_tools(request, &names)
    });
    assert_eq!(about_scopes, [false; 4]);
}

#[test]
fn what_was_decided_for_one_is_not_remembered_for_another() {
    let engine = World::acme()
        .policy(
            "mixed",
            r#"permit (principal in Group::"acme-oidc/engineering", action, resource)
               when { context has acr && context.acr == "high" };
               permit (principal in EmailAddress::"bob@acme.example", action, resource);
               forbid (principal, action, resource) when { context.amr.contains("sms") };
               forbid (principal, action, resource) unless { context has client
                   && context.client == Client::"as/desk-agent" };"#,
        )
        .engine();
    let high = |ask: Ask| ask.with(|ask| ask.acr = Some("high".to_owned()));
    let no_groups = |ask: Ask| ask.with(|ask| ask.groups = Some(Vec::new()));
    let sms = |ask: Ask| ask.with(|ask| ask.amr = vec!["sms".to_owned()]);
    let other = |ask: Ask| ask.through(symbolon_protocol::issuer::IssuerRole::As, "other-agent");
    let cases = [
        (Ask::ada(), false),
        (high(Ask::ada()), true),
        (no_groups(high(Ask::ada())), false),
        (sms(high(Ask::ada())), false),
        (other(high(Ask::ada())), false),
        (Ask::bob(), true),
        (Ask::bob().with(|ask| ask.email = None), false),
        (sms(Ask::bob()), false),
    ];

    for round in 0..3 {
        for (number, (ask, expected)) in cases.iter().enumerate() {
            let may = ask.may(&engine, Action::GrantAccess, On::Scope("issues:read"));
            assert_eq!(may, *expected, "round {round}, case {number}");
        }
    }
}

#[test]
fn every_standing_circumstance_is_part_of_what_is_remembered() {
    type Change = fn(&mut Ask);
    let table: [(&str, Change); 8] = [
        (
            "principal is User && principal has email && principal.email like \"ada@*\"",
            |ask| {
                ask.email = Some("ada.l@acme.example".to_owned());
            },
        ),
        (
            "context has client_authentication && context.client_authentication like \"client_*\"",
            |ask| {
                ask.client_authentication = Some("none".to_owned());
            },
        ),
        ("context.scopes.contains(\"issues:read\")", |ask| {
            ask.scopes = ScopeSet::default()
        }),
        ("!(context has acr)", |ask| {
            ask.acr = Some("high".to_owned())
        }),
        ("!context.amr.contains(\"sms\")", |ask| {
            ask.amr = vec!["sms".to_owned()]
        }),
        ("!(context has sender_constraint)", |ask| {
            ask.sender_constraint = Some("dpop".to_owned())
        }),
        (
            "context has client && context.client == Client::\"as/desk-agent\"",
            |ask| {
                *ask = ask
                    .clone()
                    .through(symbolon_protocol::issuer::IssuerRole::As, "other-agent");
            },
        ),
        ("context has client", |ask| ask.client = None),
    ];
    for (condition, change) in table {
        let cedar = format!("permit (principal, action, resource) when {{ {condition} }};");
        let engine = World::acme().policy("one", &cedar).engine();
        for round in 0..2 {
            let may = |ask: &Ask| ask.may(&engine, Action::GrantAccess, On::Scope("issues:read"));
            assert!(may(&Ask::ada()), "round {round}: {condition}");
            assert!(!may(&Ask::ada().with(change)), "round {round}: {condition}");
        }
    }
}
