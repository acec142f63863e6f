//! What a message must be (requirements RS-60 to RS-71, N-206 to N-218, N-222 to N-224).

use std::time::Duration;

use axum::body::Body;
use futures_util::stream;
use http::Request;
use serde_json::{Value, json};

use crate::builder::world;
use crate::request::{call, legacy, message, modern};
use crate::world::World;

/// Sends a modern call with one header changed; `None` removes it.
async fn with_header(
    world: &World,
    token: &str,
    name: &'static str,
    value: Option<&[u8]>,
) -> crate::answer::Answer {
    let mut request = modern(token, &call("list_issues"));
    request.headers_mut().remove(name);
    if let Some(value) = value {
        request
            .headers_mut()
            .insert(name, http::HeaderValue::from_bytes(value).unwrap());
    }
    world.send(request).await
}

async fn start() -> (World, String) {
    let world = world().start().await;
    let token = world.token("issues:read issues:write").await;
    (world, token)
}

#[tokio::test]
async fn n206_the_version_header_must_be_there_and_agree() {
    let (world, token) = start().await;
    let version = "mcp-protocol-version";
    with_header(&world, &token, version, None)
        .await
        .assert_rpc_error(400, -32020);
    let older = Some(&b"2025-11-25"[..]);
    with_header(&world, &token, version, older)
        .await
        .assert_rpc_error(400, -32020);
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n207_an_unsupported_version_is_answered_with_those_that_are() {
    let (world, token) = start().await;
    let mut body = call("list_issues");
    body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2099-01-01".into();
    let mut request = modern(&token, &body);
    request
        .headers_mut()
        .insert("mcp-protocol-version", "2099-01-01".parse().unwrap());

    let answer = world.send(request).await;
    answer.assert_rpc_error(400, -32022);
    let supported = json!(["2026-07-28"]);
    let data = json!({"supported": supported, "requested": "2099-01-01"});
    assert_eq!(answer.json()["error"]["data"], data);
    assert_eq!(answer.json()["id"], 7);
}

#[tokio::test]
async fn n208_to_n211_a_header_that_lies_about_the_body_is_refused() {
    let (world, token) = start().await;
    for (name, value) in [
        ("mcp-method", Some(&b"tools/list"[..])),
        ("mcp-method", None),
        ("mcp-name", Some(b"close_issue")),
        ("mcp-name", None),
        ("mcp-name", Some(b"=?base64?!!!?=")),
        ("mcp-name", Some(b"=?BASE64?bGlzdF9pc3N1ZXM=?=")),
        ("mcp-name", Some(b"list_issues\xff")),
    ] {
        with_header(&world, &token, name, value)
            .await
            .assert_rpc_error(400, -32020);
    }
    world.upstream.assert_untouched();
    let encoded = Some(&b"=?base64?bGlzdF9pc3N1ZXM=?="[..]);
    assert_eq!(
        with_header(&world, &token, "mcp-name", encoded)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn n209_the_decision_is_about_the_body() {
    let (world, _) = start().await;
    let token = world.token("issues:read").await;
    let mut request = modern(&token, &call("close_issue"));
    request
        .headers_mut()
        .insert("mcp-name", "list_issues".parse().unwrap());
    world.send(request).await.assert_rpc_error(400, -32020);
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n210_resources_and_prompts_need_their_name_too() {
    let (world, token) = start().await;
    for body in [
        message("resources/read", json!({"uri": "file:///a"})),
        message("prompts/get", json!({"name": "p"})),
    ] {
        let mut request = modern(&token, &body);
        request.headers_mut().remove("mcp-name");
        world.send(request).await.assert_rpc_error(400, -32020);
    }
}

#[tokio::test]
async fn n212_mirrored_arguments_must_agree_once_the_tool_is_known() {
    let (world, token) = start().await;
    let tool = json!({"name": "list_issues", "inputSchema": {"type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}});
    world
        .upstream
        .next(crate::upstream::result(&json!(7), json!({"tools": [tool]})));
    assert_eq!(
        world
            .post(&token, &message("tools/list", json!({})))
            .await
            .status,
        200
    );

    let body = message(
        "tools/call",
        json!({"name": "list_issues", "arguments": {"region": "eu"}}),
    );
    for (header, status) in [(None, 400), (Some("us"), 400), (Some("eu"), 200)] {
        let mut request = modern(&token, &body);
        if let Some(header) = header {
            request
                .headers_mut()
                .insert("mcp-param-region", header.parse().unwrap());
        }
        let answer = world.send(request).await;
        assert_eq!(answer.status, status, "{header:?}: {answer:?}");
        if status == 400 {
            answer.assert_rpc_error(400, -32020);
        }
    }
}

#[tokio::test]
async fn n213_repeated_headers_are_refused() {
    let (world, token) = start().await;
    for (name, value) in [
        ("mcp-name", "list_issues"),
        ("mcp-method", "tools/call"),
        ("mcp-protocol-version", "2026-07-28"),
    ] {
        let mut request = modern(&token, &call("list_issues"));
        request.headers_mut().append(name, value.parse().unwrap());
        world.send(request).await.assert_rpc_error(400, -32020);
    }
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n214_a_body_with_two_meanings_is_refused() {
    let (world, token) = start().await;
    let body = call("list_issues").to_string();
    let named_twice = body.replace("\"name\":", "\"name\":\"close_issue\",\"name\":");
    let disguised = body.replace("\"name\":", "\"Name\":\"close_issue\",\"name\":");
    for text in [
        named_twice,
        disguised,
        body.replace('}', ""),
        format!("{body}{body}"),
    ] {
        let mut request = modern(&token, &call("list_issues"));
        *request.body_mut() = Body::from(text);
        world.send(request).await.assert_rpc_error(400, -32700);
    }
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n215_a_modern_request_carries_its_metadata() {
    let (world, token) = start().await;
    let mut without_capabilities = call("list_issues");
    let meta = without_capabilities["params"]["_meta"]
        .as_object_mut()
        .unwrap();
    meta.remove("io.modelcontextprotocol/clientCapabilities");
    let mut without = call("list_issues");
    without["params"].as_object_mut().unwrap().remove("_meta");
    for body in [without_capabilities, without] {
        world
            .post(&token, &body)
            .await
            .assert_rpc_error(400, -32602);
    }
}

#[tokio::test]
async fn n216_unknown_and_removed_methods_are_not_found() {
    let (world, token) = start().await;
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "admin/reset",
        "tools/CALL",
    ] {
        let answer = world.post(&token, &message(method, json!({}))).await;
        answer.assert_rpc_error(404, -32601);
        assert_eq!(answer.json()["id"], 7);
    }
    let without_headers = legacy(
        &token,
        None,
        &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
    );
    let (mut parts, body) = without_headers.into_parts();
    parts.headers.remove("mcp-protocol-version");
    world
        .send(Request::from_parts(parts, body))
        .await
        .assert_rpc_error(400, -32020);
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n217_batches_and_responses_are_refused() {
    let (world, token) = start().await;
    for body in [
        json!([call("list_issues")]),
        json!({"jsonrpc": "2.0", "id": 7, "result": {}}),
        json!({"jsonrpc": "2.0", "id": 7, "error": {"code": 1, "message": "no"}}),
    ] {
        world
            .post(&token, &body)
            .await
            .assert_rpc_error(400, -32600);
        world
            .send(legacy(&token, None, &body))
            .await
            .assert_rpc_error(400, -32600);
    }
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n218_get_and_delete_belong_to_legacy_sessions() {
    let (world, token) = start().await;
    for method in ["GET", "DELETE", "PUT", "OPTIONS"] {
        for version in [None, Some("2026-07-28"), Some("nonsense")] {
            let mut request = Request::builder().method(method).uri("/mcp/tracker");
            request = request.header("host", "id.acme.example");
            request = request.header("authorization", format!("Bearer {token}"));
            if let Some(version) = version {
                request = request.header("mcp-protocol-version", version);
            }
            let answer = world.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, 405, "{method} {version:?}");
            assert!(answer.header("allow").unwrap().contains("POST"));
        }
    }
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n222_a_legacy_request_with_a_forged_name_is_refused() {
    let (world, token) = start().await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "close_issue", "arguments": {}}});
    let mut request = legacy(&token, None, &body);
    request
        .headers_mut()
        .insert("mcp-name", "list_issues".parse().unwrap());
    world.send(request).await.assert_rpc_error(400, -32020);
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n223_a_body_is_bounded_in_size_depth_and_time() {
    let world = world()
        .limits(|limits| {
            limits.body_size = 2000;
            limits.body_time = Duration::from_millis(50);
        })
        .start()
        .await;
    let token = world.token("issues:read").await;
    let large = message("tools/list", json!({"x": "a".repeat(3000)}));
    assert_eq!(world.post(&token, &large).await.status, 413);

    let mut deep = modern(&token, &message("tools/list", json!({})));
    *deep.body_mut() = Body::from("[".repeat(1900));
    world.send(deep).await.assert_rpc_error(400, -32700);

    let mut slow = modern(&token, &call("list_issues"));
    *slow.body_mut() = Body::from_stream(stream::pending::<Result<String, std::io::Error>>());
    assert_eq!(world.send(slow).await.status, 408);
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn n224_another_content_type_is_refused() {
    let (world, token) = start().await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
    ] {
        let value = Some(content_type.as_bytes());
        let answer = with_header(&world, &token, "content-type", value).await;
        assert_eq!(answer.status, 415, "{content_type}");
    }
    assert_eq!(
        with_header(&world, &token, "content-type", None)
            .await
            .status,
        415
    );
    let zipped = with_header(&world, &token, "content-encoding", Some(b"gzip")).await;
    assert_eq!(zipped.status, 415);
    world.upstream.assert_untouched();
}

/// Requirements §3.6: what is refused first does not depend on what is wrong later.
#[tokio::test]
async fn the_order_of_the_checks_is_fixed() {
    let (world, token) = start().await;
    let everything_wrong = || {
        let mut request = modern("a.b.c", &Value::Null);
        *request.body_mut() = Body::from("[");
        request
            .headers_mut()
            .insert("content-type", "text/plain".parse().unwrap());
        request
            .headers_mut()
            .insert("origin", "https://evil.example".parse().unwrap());
        request
    };
    let bearer = format!("Bearer {token}");
    let mut request = everything_wrong();
    assert_eq!(world.send(request).await.status, 403);
    request = everything_wrong();
    request.headers_mut().remove("origin");
    assert_eq!(world.send(request).await.status, 401);
    request = everything_wrong();
    request.headers_mut().remove("origin");
    request
        .headers_mut()
        .insert("authorization", bearer.parse().unwrap());
    assert_eq!(world.send(request).await.status, 415);
    request = everything_wrong();
    request.headers_mut().remove("origin");
    request
        .headers_mut()
        .insert("authorization", bearer.parse().unwrap());
    request
        .headers_mut()
        .insert("content-type", "application/json".parse().unwrap());
    world.send(request).await.assert_rpc_error(400, -32700);
}
