//! Asking for another sign-in, and when not to (ID-40, ID-41).

use std::time::Duration;

use symbolon_policy::{Action, Decision, DenyReason};

use crate::world::{Ask, On, World};

const ON: On<'_> = On::Scope("issues:read");

fn fresh_for(seconds: u64) -> String {
    format!(
        r#"forbid (principal, action, resource) unless {{
            context has seconds_since_authentication
            && context.seconds_since_authentication <= {seconds} }};"#
    )
}

const STRONG: &str = r#"@step_up_acr("urn:acme:loa3 urn:acme:loa4")
    forbid (principal, action, resource)
    unless { context has acr && ["urn:acme:loa3", "urn:acme:loa4"].contains(context.acr) };"#;

fn world(policies: &[&str]) -> World {
    let numbered = policies.iter().enumerate();
    numbered.fold(World::acme().assign(|_| ()), |world, (number, cedar)| {
        world.policy(&format!("p{number}"), cedar)
    })
}

fn ask(world: World, ask: &Ask) -> Decision {
    ask.decide(&world.engine(), Action::GrantAccess, ON)
}

fn step_up(policies: &[&str], acr_values: Option<&str>, max_age: Option<u64>) -> Decision {
    Decision::StepUp {
        policies: policies.iter().map(|id| format!("policy:{id}")).collect(),
        acr_values: acr_values.map(str::to_owned),
        max_age,
    }
}

#[test]
fn n_174_an_old_sign_in_is_asked_to_be_repeated() {
    let policy = fresh_for(300);

    assert_eq!(
        ask(world(&[&policy]), &Ask::ada()),
        step_up(&["p0"], None, Some(300))
    );
    let recent = Ask::ada().with(|ask| ask.signed_in_ago = Some(Duration::from_secs(300)));
    assert!(ask(world(&[&policy]), &recent).is_allow());
    let unknown = Ask::ada().with(|ask| ask.signed_in_ago = None);
    assert_eq!(
        ask(world(&[&policy]), &unknown),
        step_up(&["p0"], None, Some(300))
    );
}

#[test]
fn n_174_a_weak_sign_in_is_asked_to_be_stronger() {
    let both = Some("urn:acme:loa3 urn:acme:loa4");

    assert_eq!(
        ask(world(&[STRONG]), &Ask::ada()),
        step_up(&["p0"], both, None)
    );
    let strong = Ask::ada().with(|ask| ask.acr = Some("urn:acme:loa4".to_owned()));
    assert!(ask(world(&[STRONG]), &strong).is_allow());
}

#[test]
fn only_classes_that_would_help_are_asked_for() {
    let not_four = r#"forbid (principal, action, resource)
        when { context has acr && context.acr == "urn:acme:loa4" };"#;

    let decision = ask(world(&[STRONG, not_four]), &Ask::ada());

    assert_eq!(decision, step_up(&["p0"], Some("urn:acme:loa3"), None));
}

#[test]
fn a_sign_in_that_is_old_and_weak_is_asked_to_be_both() {
    let policy = fresh_for(60);

    let decision = ask(world(&[&policy, STRONG]), &Ask::ada());

    let both = Some("urn:acme:loa3 urn:acme:loa4");
    assert_eq!(decision, step_up(&["p0", "p1"], both, Some(60)));
}

#[test]
fn n_175_who_is_not_entitled_is_never_sent_to_sign_in() {
    let policy = fresh_for(300);
    let engine = world(&[&policy, STRONG]).engine();

    let reason = Ask::bob().denied(&engine, Action::GrantAccess, ON);

    assert_eq!(reason, DenyReason::Forbidden);
    let reason = Ask::ada().denied(&engine, Action::GrantAccess, On::Scope("issues:write"));
    assert_eq!(reason, DenyReason::Forbidden);
}

#[test]
fn n_175_a_forbid_that_no_sign_in_changes_is_final() {
    let policy = fresh_for(300);
    let never = r#"forbid (principal, action, resource == Scope::"tracker/issues:read");"#;
    let engine = world(&[&policy, never]).engine();

    let reason = Ask::ada().denied(&engine, Action::GrantAccess, ON);

    assert_eq!(reason, DenyReason::Forbidden);
}

#[test]
fn n_203_a_permit_may_ask_for_a_sign_in_as_well() {
    let permit = r#"permit (
            principal == User::"u-bob",
            action == Action::"call_tool",
            resource == Tool::"tracker/close_issue"
        ) when { context has seconds_since_authentication
                 && 120 > context.seconds_since_authentication };"#;
    let engine = World::acme().policy("fresh", permit).engine();

    let decision = Ask::bob().decide(&engine, Action::CallTool, On::Tool("close_issue"));

    // Exclusive: an age of 120 is too old, so 119 is the greatest that will do.
    assert_eq!(decision, step_up(&["fresh"], None, Some(119)));
}

#[test]
fn an_annotation_says_the_age_better_than_the_condition() {
    let policy = format!("@step_up_max_age(\"90\")\n{}", fresh_for(100));

    assert_eq!(
        ask(world(&[&policy]), &Ask::ada()),
        step_up(&["p0"], None, Some(90))
    );
}

#[test]
fn the_strictest_of_several_ages_counts() {
    let (loose, strict) = (fresh_for(600), fresh_for(30));

    let decision = ask(world(&[&loose, &strict]), &Ask::ada());

    assert_eq!(decision, step_up(&["p0", "p1"], None, Some(30)));
}

#[test]
fn a_condition_without_a_number_asks_for_a_sign_in_right_now() {
    let policy = r#"forbid (principal, action, resource) unless {
        context has seconds_since_authentication
        && context.seconds_since_authentication * 2 - 10 < 0 };"#;

    assert_eq!(
        ask(world(&[policy]), &Ask::ada()),
        step_up(&["p0"], None, Some(0))
    );
}

#[test]
fn an_error_is_not_answered_with_a_sign_in() {
    let policy = r#"forbid (principal, action, resource) when {
        context has seconds_since_authentication
        && context.seconds_since_authentication + 9223372036854775000 > 0 };"#;
    let engine = world(&[policy]).engine();

    let reason = Ask::ada().denied(&engine, Action::GrantAccess, ON);

    assert!(matches!(reason, DenyReason::Evaluation { .. }), "{reason}");
}

#[test]
fn unknown_facts_are_not_answered_with_a_sign_in() {
    let policy = fresh_for(300);
    let engine = world(&[&policy]).engine();
    let stranger = Ask::ada().with(|ask| ask.groups = None);

    let reason = stranger.denied(&engine, Action::GrantAccess, ON);

    assert!(matches!(reason, DenyReason::UnknownFacts(_)), "{reason}");
}

#[test]
fn a_client_that_acts_for_itself_has_no_sign_in_to_repeat() {
    let policy = fresh_for(300);
    let engine = World::acme()
        .policy("all", "permit (principal, action, resource);")
        .policy("fresh", &policy)
        .engine();

    let reason = Ask::service("nightly-sync").denied(&engine, Action::GrantAccess, ON);

    assert_eq!(reason, DenyReason::Forbidden);
}

#[test]
fn a_tool_that_needs_another_sign_in_is_not_listed_where_listing_needs_it_too() {
    let policy = fresh_for(300);
    let engine = world(&[&policy]).engine();

    let listed = Ask::ada().request(Action::ListTool, On::Server("tracker"), |request| {
        engine.decide_tools(request, &["list_issues"])
    });

    assert_eq!(listed, [false]);
}
