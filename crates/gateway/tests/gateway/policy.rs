//! What scopes and policy say, and what is recorded of it (requirements RS-42 to RS-47, N-200 to
//! N-203; design §4 rules 2 and 18).

use serde_json::json;
use symbolon_storage::{StorageError, group};

use crate::builder::world;
use crate::request::{call, message, modern};
use crate::world::{METADATA, NOW, person};

#[tokio::test]
async fn n200_a_token_with_too_few_scopes_is_told_all_that_the_tool_needs() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let answer = world.post(&token, &call("close_issue")).await;

    answer.assert_challenge(403, Some("insufficient_scope"));
    assert_eq!(
        answer.challenge().unwrap().parameter("scope"),
        Some("issues:write")
    );
    // A tool that nobody listed needs every scope.
    let answer = world.post(&token, &call("unlisted")).await;
    answer.assert_challenge(403, Some("insufficient_scope"));
    let all = Some("issues:read issues:write issues:admin");
    assert_eq!(answer.challenge().unwrap().parameter("scope"), all);
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n201_a_broad_scope_brings_the_narrow_one() {
    let world = world().start().await;
    let token = world.token("issues:write").await;
    assert_eq!(world.post(&token, &call("list_issues")).await.status, 200);
    assert_eq!(world.post(&token, &call("close_issue")).await.status, 200);
}

#[tokio::test]
async fn n202_a_denial_by_policy_invites_nobody_to_fetch_another_token() {
    let world = world().start().await;
    let bob = person(&world.store, "bob@acme.example", &["sales"]).await;
    let token = world
        .token_with("issues:read", |claims| claims.sub = bob.to_string())
        .await;
    let answer = world.post(&token, &call("list_issues")).await;

    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(answer.json()["error"], "access_denied");
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n203_a_sign_in_that_is_too_old_is_told_how_fresh_it_must_be() {
    let policy = r#"
        forbid (principal, action == Action::"call_tool", resource == Tool::"tracker/close_issue")
        unless { context has seconds_since_authentication
                 && context.seconds_since_authentication <= 300 };
    "#;
    let world = world().policy(policy).start().await;
    let token = world.token("issues:write").await;
    let answer = world.post(&token, &call("close_issue")).await;

    answer.assert_challenge(401, Some("insufficient_user_authentication"));
    assert_eq!(
        answer.challenge().unwrap().parameter("max_age"),
        Some("300")
    );
    assert_eq!(world.post(&token, &call("list_issues")).await.status, 200);
    let fresh = world
        .token_with("issues:write", |claims| claims.auth_time = Some(NOW))
        .await;
    assert_eq!(world.post(&fresh, &call("close_issue")).await.status, 200);
}

#[tokio::test]
async fn a_policy_may_read_the_arguments_of_a_call() {
    let policy = r#"
        forbid (principal, action == Action::"call_tool", resource == Tool::"tracker/list_issues")
        when { context.arguments has project && context.arguments.project == "secret" };
    "#;
    let world = world().policy(policy).start().await;
    let token = world.token("issues:read").await;
    let ask = |project: &str| {
        let arguments = json!({"project": project});
        message(
            "tools/call",
            json!({"name": "list_issues", "arguments": arguments}),
        )
    };
    assert_eq!(world.post(&token, &ask("open")).await.status, 200);
    assert_eq!(world.post(&token, &ask("secret")).await.status, 403);
    assert_eq!(world.upstream.seen().len(), 1);
}

/// Design §4 rule 13.
#[tokio::test]
async fn unknown_groups_deny_and_news_of_them_is_heard() {
    let mut world = world().start().await;
    let token = world.token("issues:read").await;
    assert_eq!(world.post(&token, &call("list_issues")).await.status, 200);

    let ada = world.ada.clone();
    let forgotten = world.store.write::<_, StorageError, _>(move |tx| {
        Box::pin(async move { group::forget(tx, &ada, &"acme-oidc".parse().unwrap(), NOW).await })
    });
    forgotten.await.unwrap();
    world.follow().await;

    assert_eq!(world.post(&token, &call("list_issues")).await.status, 403);
}

#[tokio::test]
async fn resources_and_prompts_are_decided_by_their_name() {
    let policy = r#"
        forbid (principal, action == Action::"read_resource", resource == McpServer::"tracker")
        when { context.name like "file:///private/*" };
    "#;
    let world = world().policy(policy).start().await;
    let token = world.token("issues:read").await;
    for (uri, status) in [("file:///public/a", 200), ("file:///private/a", 403)] {
        let read = message("resources/read", json!({"uri": uri}));
        assert_eq!(world.post(&token, &read).await.status, status, "{uri}");
        let reference = json!({"type": "ref/resource", "uri": uri});
        let complete = message("completion/complete", json!({"ref": reference}));
        assert_eq!(world.post(&token, &complete).await.status, status, "{uri}");
        let filter = json!({"resourceSubscriptions": ["file:///public/b", uri]});
        let listen = message("subscriptions/listen", json!({"notifications": filter}));
        assert_eq!(world.post(&token, &listen).await.status, status, "{uri}");
    }
    let prompt = message("prompts/get", json!({"name": "p"}));
    assert_eq!(world.post(&token, &prompt).await.status, 200);
}

/// No policy, no call: not even a handshake.
#[tokio::test]
async fn whoever_may_use_nothing_of_a_server_does_not_reach_it() {
    let world = world().start().await;
    let bob = person(&world.store, "bob@acme.example", &["sales"]).await;
    let token = world
        .token_with("issues:read", |claims| claims.sub = bob.to_string())
        .await;
    for method in ["server/discover", "tools/list", "tasks/list"] {
        let answer = world.post(&token, &message(method, json!({}))).await;
        assert_eq!(answer.status, 403, "{method}");
        assert_eq!(answer.header("www-authenticate"), None);
    }
    // A token without any scope of the server is of no use, and could be exchanged for a better one.
    let empty = world.token("").await;
    let answer = world
        .post(&empty, &message("server/discover", json!({})))
        .await;
    answer.assert_challenge(403, Some("insufficient_scope"));
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn a_server_that_is_not_offered_to_the_organization_is_forbidden() {
    let world = world().start().await;
    let wiki = "https://id.acme.example/mcp/wiki";
    let token = world
        .token_with("pages:read", |claims| claims.aud = wiki.into())
        .await;
    let mut request = modern(&token, &call("read_page"));
    *request.uri_mut() = "/mcp/wiki".parse().unwrap();
    let answer = world.send(request).await;

    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("www-authenticate"), None);
    let (outcome, reason, _) = world.calls().await.remove(0);
    assert_eq!(outcome, "denied");
    assert!(reason.unwrap().contains("not offered to acme"));
}

#[tokio::test]
async fn every_call_is_recorded_with_who_what_and_why() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    assert_eq!(world.post(&token, &call("list_issues")).await.status, 200);
    assert_eq!(world.post(&token, &call("close_issue")).await.status, 403);
    let calls = world.calls().await;

    assert_eq!(calls.len(), 2);
    let (outcome, reason, details) = &calls[0];
    assert_eq!((outcome.as_str(), reason), ("allowed", &None));
    assert_eq!(
        *details,
        json!({
            "server": "tracker", "method": "tools/call", "tool": "list_issues",
            "user": world.ada.as_str(), "client": "desk", "scopes": "issues:read",
            "jti": "at-1", "grant": "grant-1", "policies": details["policies"],
        })
    );
    assert!(!details["policies"].as_array().unwrap().is_empty());
    let (outcome, reason, details) = &calls[1];
    assert_eq!(outcome, "denied");
    assert_eq!(
        reason.as_deref(),
        Some("the token lacks scopes: issues:write needed")
    );
    assert_eq!(
        (&details["tool"], &details["status"]),
        (&json!("close_issue"), &json!(403))
    );
}

/// Design §4 rule 18.
#[tokio::test]
async fn a_call_that_cannot_be_recorded_does_not_happen() {
    let world = world().tiny_journal().start().await;
    let token = world.token("issues:read").await;
    // Nothing yields to the journal's task in between: the second finds it full.
    let body = call("list_issues");
    let calls = [world.post(&token, &body), world.post(&token, &body)];
    let answers = futures_util::future::join_all(calls).await;

    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 503)
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].json()["error"], "temporarily_unavailable");
    assert_eq!(world.upstream.seen().len(), 1);
}

#[tokio::test]
async fn failures_of_strangers_become_one_event_a_minute() {
    let mut world = world().start().await;
    for _ in 0..5 {
        assert_eq!(world.post("a.b.c", &call("list_issues")).await.status, 401);
    }
    world.wait(60).await;
    assert_eq!(world.post("a.b.c", &call("list_issues")).await.status, 401);

    assert!(world.calls().await.is_empty());
    let events = world.strangers().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["invalid_token"], 6);
}

#[tokio::test]
async fn an_answer_carries_the_request_id_of_its_audit_event() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let one = world.post(&token, &call("list_issues")).await;
    let two = world.post(&token, &call("list_issues")).await;
    let id = |answer: &crate::answer::Answer| answer.header("x-request-id").unwrap().to_owned();
    assert_ne!(id(&one), id(&two));
    assert_eq!(world.request_ids().await, [id(&one), id(&two)]);
    assert_eq!(one.header("www-authenticate"), None);
    assert!(METADATA.contains("/.well-known/oauth-protected-resource/"));
}
