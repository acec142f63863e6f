//! Arguments of tool calls that a policy names (ADR 0007).

use serde_json::{Map, Value, json};
use symbolon_policy::{Action, DenyReason, Engine, UnknownFact};

use crate::world::{Ask, On, World};

const LIMIT: &str = r#"forbid (principal, action == Action::"call_tool", resource)
    when { context.arguments has amount && context.arguments.amount > 1000 };"#;

fn engine(policy: &str) -> Engine {
    World::acme()
        .policy("all", "permit (principal, action, resource);")
        .policy("arguments", policy)
        .engine()
}

fn call(engine: &Engine, arguments: Value) -> Result<(), DenyReason> {
    let Value::Object(arguments) = arguments else {
        panic!("arguments are an object")
    };
    let ask = Ask::ada().with(|ask| ask.arguments = Some(arguments));
    match ask.may(engine, Action::CallTool, On::Tool("list_issues")) {
        true => Ok(()),
        false => Err(ask.denied(engine, Action::CallTool, On::Tool("list_issues"))),
    }
}

#[test]
fn a_policy_may_name_an_argument() {
    let engine = engine(LIMIT);

    assert_eq!(call(&engine, json!({ "amount": 1000 })), Ok(()));
    assert_eq!(
        call(&engine, json!({ "amount": 1001 })),
        Err(DenyReason::Forbidden)
    );
    assert_eq!(call(&engine, json!({ "other": 5000 })), Ok(()));
    assert_eq!(call(&engine, json!({})), Ok(()));
}

#[test]
fn another_type_does_not_slip_past_a_forbid() {
    let engine = engine(LIMIT);

    for amount in [
        json!("5000"),
        json!(5000.0),
        json!(5e300),
        json!(18_446_744_073_709_551_615_u64),
        json!([5000]),
        json!({ "value": 5000 }),
        json!(true),
        json!(null),
    ] {
        let denied = call(&engine, json!({ "amount": amount }));
        assert!(
            matches!(denied, Err(DenyReason::ArgumentType { .. })),
            "{amount}: {denied:?}"
        );
    }
}

#[test]
fn texts_numbers_and_flags_can_be_read() {
    let engine = engine(
        r#"forbid (principal, action == Action::"call_tool", resource) unless {
            context.arguments has "file-name" && context.arguments["file-name"] like "public/*"
            && context.arguments has count && context.arguments.count - 1 < 10
            && context.arguments has dry_run && context.arguments.dry_run
            && context.arguments has kind && ["note", "draft"].contains(context.arguments.kind) };"#,
    );
    let fine = json!({ "file-name": "public/a", "count": 10, "dry_run": true, "kind": "note" });
    let changed = |name: &str, value: Value| {
        let mut arguments: Map<String, Value> = fine.as_object().unwrap().clone();
        arguments.insert(name.to_owned(), value);
        call(&engine, Value::Object(arguments))
    };

    assert_eq!(call(&engine, fine.clone()), Ok(()));
    assert_eq!(
        changed("file-name", json!("secret/a")),
        Err(DenyReason::Forbidden)
    );
    assert_eq!(changed("count", json!(11)), Err(DenyReason::Forbidden));
    assert_eq!(changed("dry_run", json!(false)), Err(DenyReason::Forbidden));
    assert_eq!(changed("kind", json!("mail")), Err(DenyReason::Forbidden));
}

#[test]
fn the_presence_of_an_argument_of_any_type_can_be_seen() {
    let engine = engine(
        r#"forbid (principal, action == Action::"call_tool", resource)
           when { context has arguments.force || context.arguments has override };"#,
    );

    for present in [json!(null), json!({}), json!([1]), json!("x"), json!(1.5)] {
        assert_eq!(
            call(&engine, json!({ "force": present })),
            Err(DenyReason::Forbidden)
        );
        assert_eq!(
            call(&engine, json!({ "override": present })),
            Err(DenyReason::Forbidden)
        );
    }
    assert_eq!(call(&engine, json!({ "forced": true })), Ok(()));
}

#[test]
fn two_policies_may_read_the_same_argument() {
    let presence = r#"forbid (principal, action == Action::"call_tool", resource)
        when { context.arguments has amount && context.arguments has currency };"#;
    for order in [[LIMIT, presence], [presence, LIMIT]] {
        let engine = World::acme()
            .policy("all", "permit (principal, action, resource);")
            .policy("one", order[0])
            .policy("two", order[1])
            .engine();

        assert_eq!(call(&engine, json!({ "amount": 5 })), Ok(()));
        assert_eq!(
            call(&engine, json!({ "amount": 5000 })),
            Err(DenyReason::Forbidden)
        );
        let both = json!({ "amount": 5, "currency": "EUR" });
        assert_eq!(call(&engine, both), Err(DenyReason::Forbidden));
    }
}

#[test]
fn policies_that_disagree_on_a_type_deny_rather_than_guess() {
    let engine = World::acme()
        .policy("all", "permit (principal, action, resource);")
        .policy("number", LIMIT)
        .policy("text", &LIMIT.replace("> 1000", "== \"lots\""))
        .engine();

    for amount in [json!(5), json!("5")] {
        let denied = call(&engine, json!({ "amount": amount }));
        assert!(
            matches!(denied, Err(DenyReason::ArgumentType { .. })),
            "{denied:?}"
        );
    }
    assert_eq!(call(&engine, json!({})), Ok(()));
}

#[test]
fn unknown_arguments_deny_where_a_policy_names_one() {
    let unknown = Ask::ada().with(|ask| ask.arguments = None);
    let engine = engine(LIMIT);

    let reason = unknown.denied(&engine, Action::CallTool, On::Tool("list_issues"));

    assert_eq!(reason, DenyReason::UnknownFacts(UnknownFact::Arguments));
    assert!(unknown.may(&engine, Action::ListTool, On::Tool("list_issues")));
    let without = World::acme()
        .policy("all", "permit (principal, action, resource);")
        .engine();
    assert!(unknown.may(&without, Action::CallTool, On::Tool("list_issues")));
}

#[test]
fn a_decision_about_arguments_is_made_anew_for_each_call() {
    let engine = engine(LIMIT);

    for _ in 0..3 {
        assert_eq!(call(&engine, json!({ "amount": 1 })), Ok(()));
        assert_eq!(
            call(&engine, json!({ "amount": 2000 })),
            Err(DenyReason::Forbidden)
        );
    }
}
