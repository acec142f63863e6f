//! Why: what an administrator is told.

use symbolon_policy::{Action, Examination, PolicyEffect};
use symbolon_protocol::issuer::IssuerRole;

use crate::world::{Ask, On, World};

const NIGHT: &str = r#"forbid (principal, action == Action::"call_tool", resource)
    when { context.now.toTime() >= duration("22h") };"#;

fn world() -> World {
    World::acme().assign(|_| ()).policy("night", NIGHT)
}

#[test]
fn it_lists_the_policies_that_matter_with_what_they_say() {
    let engine = world().engine();
    let night = Ask::ada().at("2026-11-20T23:00:00Z");

    let explanation = night.explain(&engine, Action::CallTool, On::Tool("list_issues"));

    assert_eq!(
        explanation.to_string(),
        "denied: a policy forbids it (policy:night)\n\
         2 of 4 policies can matter to this request\n  \
         permit assignment:a1#call: applies\n  \
         forbid policy:night: applies\n"
    );
    assert_eq!(
        explanation.decision,
        night.decide(&engine, Action::CallTool, On::Tool("list_issues"))
    );
    assert_eq!(explanation.version, 7);
    assert!(explanation.policies[1].cedar.contains("toTime()"));
}

#[test]
fn who_is_not_assigned_sees_whom_it_is_assigned_to() {
    let engine = world().engine();

    let explanation = Ask::bob().explain(&engine, Action::GrantAccess, On::Scope("issues:read"));

    assert_eq!(
        explanation.to_string(),
        "denied: no assignment or policy allows it\n\
         0 of 4 policies can matter to this request\n\
         allowed to others by\n  \
         assignment:a1#grant\n"
    );
}

#[test]
fn what_is_not_offered_was_not_put_to_any_policy() {
    let engine = world().engine();
    let unknown = Ask::ada().through(IssuerRole::As, "unknown");

    let explanation = unknown.explain(&engine, Action::GrantAccess, On::Scope("issues:read"));

    assert_eq!(
        explanation.to_string(),
        "denied: client \"unknown\" at \"as\" is not offered to organization acme\n\
         no policy was asked\n"
    );
}

#[test]
fn unknown_groups_are_said_to_be_unknown() {
    let engine = world().engine();
    let stranger = Ask::ada().with(|ask| ask.groups = None);

    let explanation = stranger.explain(&engine, Action::CallTool, On::Tool("list_issues"));

    assert!(!explanation.knows_groups);
    assert_eq!(
        explanation.to_string(),
        "denied: a policy needs the person's groups, which are unknown (assignment:a1#call)\n\
         groups: unknown\n\
         2 of 4 policies can matter to this request\n  \
         permit assignment:a1#call: not evaluated\n  \
         forbid policy:night: not evaluated\n"
    );
}

#[test]
fn a_program_reads_the_same_as_json() {
    let engine = world().engine();

    let explanation = Ask::ada().explain(&engine, Action::GrantAccess, On::Scope("issues:read"));

    let json = serde_json::to_string(&explanation).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["decision"]["answer"], "allow");
    assert_eq!(json["decision"]["policies"][0], "assignment:a1#grant");
    assert_eq!(json["policies"][0]["id"], "assignment:a1#grant");
    assert_eq!(json["policies"][0]["result"], "applies");
    assert_eq!(explanation.policies[0].effect, PolicyEffect::Permit);
    assert_eq!(explanation.policies[0].result, Examination::Applies);
}

#[test]
fn a_step_up_is_said_in_words() {
    let engine = World::acme()
        .assign(|_| ())
        .policy(
            "fresh",
            r#"forbid (principal, action, resource) unless {
                context has seconds_since_authentication
                && context.seconds_since_authentication <= 300 };"#,
        )
        .engine();

    let explanation = Ask::ada().explain(&engine, Action::GrantAccess, On::Scope("issues:read"));

    let first = explanation.to_string().lines().next().unwrap().to_owned();
    assert_eq!(
        first,
        "denied until another sign-in, not older than 300 s (policy:fresh)"
    );
}
