//! Lists show what the caller may use (requirements RS-35, N-221; design §6 D).

use serde_json::{Value, json};

use crate::builder::world;
use crate::request::message;
use crate::upstream::{json_response, result, with_type};
use crate::world::{World, person};

fn tools(names: &[&str]) -> Value {
    let tools: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
    json!({"tools": tools, "ttlMs": 60000, "cacheScope": "public"})
}

async fn names(world: &World, token: &str) -> Vec<String> {
    world.upstream.next(result(
        &json!(7),
        tools(&["list_issues", "close_issue", "drop_all"]),
    ));
    let answer = world.post(token, &message("tools/list", json!({}))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let result = &answer.json()["result"];
    assert_eq!(result["cacheScope"], "private");
    assert_eq!(result["ttlMs"], 60000);
    let tools = result["tools"].as_array().unwrap().iter();
    tools
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn n221_each_caller_sees_what_policy_allows_and_no_cache_shares_it() {
    let policy = r#"
        forbid (principal in Group::"acme-oidc/interns", action == Action::"list_tool",
                resource == Tool::"tracker/close_issue");
    "#;
    let world = world().policy(policy).start().await;
    let eve = person(
        &world.store,
        "eve@acme.example",
        &["engineering", "interns"],
    )
    .await;
    let ada = world.token("issues:read").await;
    let eve = world
        .token_with("issues:read", |claims| claims.sub = eve.to_string())
        .await;

    // A tool is shown although the token lacks its scope: the client can ask for it.
    assert_eq!(names(&world, &ada).await, ["list_issues", "close_issue"]);
    assert_eq!(names(&world, &eve).await, ["list_issues"]);
    assert_eq!(names(&world, &ada).await, ["list_issues", "close_issue"]);
}

#[tokio::test]
async fn resources_and_prompts_are_filtered_too() {
    let policy = r#"
        forbid (principal, action in [Action::"read_resource", Action::"get_prompt"],
                resource == McpServer::"tracker")
        when { context.name like "*private*" };
    "#;
    let world = world().policy(policy).start().await;
    let token = world.token("issues:read").await;
    for (method, list, member) in [
        ("resources/list", "resources", "uri"),
        (
            "resources/templates/list",
            "resourceTemplates",
            "uriTemplate",
        ),
        ("prompts/list", "prompts", "name"),
    ] {
        let entries = json!([{member: "a:public"}, {member: "a:private"}]);
        world
            .upstream
            .next(result(&json!(7), json!({list: entries})));
        let answer = world.post(&token, &message(method, json!({}))).await;
        assert_eq!(
            answer.json()["result"],
            json!({list: [{member: "a:public"}], "cacheScope": "private"}),
            "{method}"
        );
    }
}

#[tokio::test]
async fn a_list_in_an_event_stream_is_filtered_and_other_events_are_not_touched() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let progress = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"a\":1.0e400}}\n\n";
    let list = json!({"jsonrpc": "2.0", "id": 7, "result": tools(&["list_issues", "drop_all"])});
    let stream = format!("{progress}: ping\n\nid: 3\ndata: {list}\n\n");
    world
        .upstream
        .next(with_type(200, "text/event-stream", stream));

    let answer = world.post(&token, &message("tools/list", json!({}))).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let (untouched, filtered) = answer.body.split_once("id: 3\ndata: ").unwrap();
    assert_eq!(untouched, format!("{progress}: ping\n\n"));
    let filtered: Value = serde_json::from_str(filtered.trim()).unwrap();
    assert_eq!(
        filtered["result"]["tools"],
        json!([{"name": "list_issues"}])
    );
}

#[tokio::test]
async fn an_error_instead_of_a_list_passes() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let error = json!({"jsonrpc": "2.0", "id": 7, "error": {"code": -32602, "message": "cursor"}});
    world.upstream.next(json_response(error.clone()));
    let answer = world.post(&token, &message("tools/list", json!({}))).await;
    assert_eq!(answer.json(), error);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_not_passed_on() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let twice = r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[],"tools":[{"name":"drop_all"}]}}"#;
    world
        .upstream
        .next(with_type(200, "application/json", twice));
    let answer = world.post(&token, &message("tools/list", json!({}))).await;
    assert_eq!(answer.status, 502);
    assert!(!answer.body.contains("drop_all"));
}
