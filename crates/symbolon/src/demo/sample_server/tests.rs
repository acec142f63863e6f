//! The server over the wire, in both eras.

use axum::http::Method;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::*;
use crate::demo::test_http::{Answer, get, open, send};

const MODERN: &str = "2026-07-28";
const ACCEPT: (&str, &str) = ("accept", "application/json, text/event-stream");
const JSON: (&str, &str) = ("content-type", "application/json");

async fn server() -> Running {
    start(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .expect("started")
}

async fn post(server: &Running, headers: &[(&str, &str)], body: &Value) -> Answer {
    let headers: Vec<_> = headers.iter().copied().chain([JSON]).collect();
    send(server, Method::POST, "/mcp", &headers, body.to_string()).await
}

/// A request of 2026-07-28.
fn modern(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "progressToken": "p",
    });
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

fn call(tool: &str, arguments: &Value) -> Value {
    modern(
        "tools/call",
        json!({ "name": tool, "arguments": arguments }),
    )
}

async fn call_tool(server: &Running, tool: &str, arguments: Value) -> Value {
    let headers = headers("tools/call", tool);
    post(server, &headers, &call(tool, &arguments)).await.json()
}

fn headers<'a>(method: &'a str, name: &'a str) -> Vec<(&'a str, &'a str)> {
    let version = ("mcp-protocol-version", MODERN);
    vec![version, ("mcp-method", method), ("mcp-name", name)]
}

fn assert_error(answer: &Answer, status: u16, code: i32) {
    let found = (
        answer.status.as_u16(),
        answer.json()["error"]["code"].clone(),
    );
    assert_eq!(found, (status, json!(code)), "{}", answer.body);
}

/// `RS-72`.
#[tokio::test]
async fn a_stateless_client_discovers_and_lists() {
    let server = server().await;
    let discover = modern("server/discover", json!({}));
    let discovered = post(&server, &headers("server/discover", ""), &discover)
        .await
        .json();
    assert_eq!(discovered["id"], 7);
    let result = &discovered["result"];
    assert_eq!(result["supportedVersions"], json!([MODERN]));
    assert_eq!(
        (&result["resultType"], &result["cacheScope"]),
        (&json!("complete"), &json!("public"))
    );
    assert_eq!(
        result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "tracker"
    );

    let listed = post(
        &server,
        &headers("tools/list", ""),
        &modern("tools/list", json!({})),
    )
    .await;
    let listed = listed.json();
    let tools = listed["result"]["tools"].as_array().expect("tools");
    let names: Vec<_> = tools
        .iter()
        .map(|tool| tool["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        names,
        ["list_issues", "close_issue", "whoami", "export_issues"]
    );
}

#[tokio::test]
async fn an_issue_is_listed_and_closed() {
    let server = server().await;
    let open = json!({ "status": "open" });
    let before = call_tool(&server, "list_issues", open.clone()).await;
    assert_eq!(
        before["result"]["structuredContent"]["issues"][0]["id"],
        "TR-1"
    );
    let closed = call_tool(&server, "close_issue", json!({ "id": "TR-1" })).await;
    assert_eq!(closed["result"]["resultType"], "complete");
    assert_eq!(
        closed["result"]["structuredContent"]["issue"]["status"],
        "closed"
    );
    let after = call_tool(&server, "list_issues", open).await;
    assert_eq!(
        after["result"]["structuredContent"]["issues"][0]["id"],
        "TR-2"
    );
    let unknown = call_tool(&server, "close_issue", json!({ "id": "TR-99" })).await;
    assert_eq!(unknown["result"]["isError"], true);
}

/// `RS-24`: what a test of a gateway looks at.
#[tokio::test]
async fn whoami_tells_the_headers_that_arrived() {
    let server = server().await;
    let mut headers = headers("tools/call", "whoami");
    headers.push(("authorization", "Bearer of the caller"));
    let answer = post(&server, &headers, &call("whoami", &json!({})))
        .await
        .json();
    let received = &answer["result"]["structuredContent"]["headers"];
    assert_eq!(received["authorization"], "Bearer of the caller");
    let without = call_tool(&server, "whoami", json!({})).await;
    assert!(
        without["result"]["structuredContent"]["headers"]
            .get("authorization")
            .is_none()
    );
}

/// `RS-63` to `RS-71`.
#[tokio::test]
async fn headers_that_do_not_repeat_the_body_are_refused() {
    let server = server().await;
    let body = call("whoami", &json!({}));
    for (method, name) in [
        ("tools/list", "whoami"),
        ("tools/call", "close_issue"),
        ("", ""),
    ] {
        assert_error(
            &post(&server, &headers(method, name), &body).await,
            400,
            -32020,
        );
    }
    let legacy_header = [
        ("mcp-protocol-version", "2025-11-25"),
        ("mcp-method", "tools/call"),
    ];
    assert_error(&post(&server, &legacy_header, &body).await, 400, -32020);
    assert_error(&post(&server, &[], &body).await, 400, -32020);
    let encoded = headers("tools/call", "=?base64?d2hvYW1p?=");
    assert_eq!(post(&server, &encoded, &body).await.status, 200);
}

#[tokio::test]
async fn a_stateless_request_names_a_version_it_can_have_and_its_capabilities() {
    let server = server().await;
    let future = call("whoami", &json!({}))
        .to_string()
        .replace(MODERN, "2099-01-01");
    let future: Value = serde_json::from_str(&future).expect("json");
    let headers_of = [
        ("mcp-protocol-version", "2099-01-01"),
        ("mcp-method", "tools/call"),
    ];
    let answer = post(&server, &headers_of, &future).await;
    assert_error(&answer, 400, -32022);
    assert_eq!(
        answer.json()["error"]["data"],
        json!({ "supported": [MODERN], "requested": "2099-01-01" })
    );

    let mut bare = modern("tools/list", json!({}));
    bare["params"]["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": MODERN });
    assert_error(
        &post(&server, &headers("tools/list", ""), &bare).await,
        400,
        -32602,
    );
    bare["params"] = json!({});
    assert_error(
        &post(&server, &headers("tools/list", ""), &bare).await,
        400,
        -32602,
    );
}

#[tokio::test]
async fn methods_of_sessions_do_not_exist_without_one() {
    let server = server().await;
    for method in ["initialize", "ping", "resources/list"] {
        let answer = post(&server, &headers(method, ""), &modern(method, json!({}))).await;
        assert_error(&answer, 404, -32601);
        assert_eq!(answer.json()["id"], 7);
    }
    assert_eq!(get(&server, "/mcp", &[]).await.status, 405);
}

/// `RS-80`, `RS-82`.
#[tokio::test]
async fn a_client_of_before_begins_uses_and_ends_a_session() {
    let server = server().await;
    for version in ["2025-06-18", "2025-11-25"] {
        let initialize = json!({
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": { "protocolVersion": version, "capabilities": {}, "clientInfo": {} },
        });
        let begun = post(&server, &[], &initialize).await;
        assert_eq!(begun.json()["result"]["protocolVersion"], version);
        let session = ("mcp-session-id", begun.header("mcp-session-id"));
        let headers = [session, ("mcp-protocol-version", version)];
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let answer = post(&server, &headers, &initialized).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (202, ""));

        let params = json!({ "name": "list_issues", "arguments": {} });
        let call = json!({ "jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": params });
        let listed = post(&server, &headers, &call).await.json();
        assert_eq!(listed["id"], "a");
        assert!(listed["result"].get("resultType").is_none(), "{listed}");
        assert_eq!(post(&server, &[], &call).await.status, 400);
        assert_eq!(
            post(&server, &[("mcp-session-id", "x")], &call)
                .await
                .status,
            404
        );
        let other = [session, ("mcp-protocol-version", "2025-03-26")];
        assert_eq!(post(&server, &other, &call).await.status, 400);

        let end = || send(&server, Method::DELETE, "/mcp", &headers, String::new());
        assert_eq!(
            (end().await.status.as_u16(), end().await.status.as_u16()),
            (204, 404)
        );
        assert_eq!(post(&server, &headers, &call).await.status, 404);
    }
}

#[tokio::test]
async fn a_client_that_wants_another_version_is_told_ours() {
    let server = server().await;
    let params = json!({ "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {} });
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
    let begun = post(&server, &[], &initialize).await.json();
    assert_eq!(begun["result"]["protocolVersion"], "2025-11-25");
}

#[tokio::test]
async fn an_export_streams_its_progress_and_then_its_result() {
    let server = server().await;
    let mut headers = headers("tools/call", "export_issues");
    headers.extend([ACCEPT, JSON]);
    let body = call("export_issues", &json!({ "interval_ms": 0 })).to_string();
    let answer = open(&server, Method::POST, "/mcp", &headers, body).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert_eq!(answer.headers()["x-accel-buffering"], "no");
    let body = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let text = String::from_utf8(body.to_vec()).expect("text");
    let events = text
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "));
    let events: Vec<Value> = events
        .map(|data| serde_json::from_str(data).expect("json"))
        .collect();
    assert_eq!(events.len(), 5);
    assert_eq!(events[0]["params"]["progressToken"], "p");
    assert_eq!(
        (
            &events[3]["params"]["progress"],
            &events[3]["params"]["total"]
        ),
        (&json!(4), &json!(4))
    );
    assert_eq!(
        (&events[4]["id"], &events[4]["result"]["resultType"]),
        (&json!(7), &json!("complete"))
    );
}

#[tokio::test]
async fn an_export_answers_at_once_for_a_client_that_takes_no_events() {
    let server = server().await;
    let mut headers = headers("tools/call", "export_issues");
    headers.push(("accept", "application/json"));
    let answer = post(
        &server,
        &headers,
        &call("export_issues", &json!({ "interval_ms": 5000 })),
    )
    .await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json()["result"]["resultType"], "complete");
    let too_slow = call_tool(&server, "export_issues", json!({ "interval_ms": 5001 })).await;
    assert_eq!(too_slow["result"]["isError"], true);
}

#[tokio::test]
async fn what_is_no_single_message_is_refused() {
    let server = server().await;
    for (body, code) in [
        (json!([modern("tools/list", json!({}))]), -32600),
        (json!({ "jsonrpc": "2.0", "id": 1, "result": {} }), -32600),
        (
            json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }),
            -32600,
        ),
        (
            json!({ "jsonrpc": "1.0", "id": 1, "method": "ping" }),
            -32600,
        ),
    ] {
        assert_error(&post(&server, &[], &body).await, 400, code);
    }
    let broken = send(&server, Method::POST, "/mcp", &[JSON], "{".to_owned()).await;
    assert_error(&broken, 400, -32700);
    let typeless = send(&server, Method::POST, "/mcp", &[], "{}".to_owned()).await;
    assert_eq!(typeless.status, 415);
}

/// `RS-61`, `RS-62`.
#[tokio::test]
async fn a_page_elsewhere_cannot_reach_it() {
    let server = server().await;
    let body = modern("tools/list", json!({}));
    let headers = headers("tools/list", "");
    for (header, status) in [
        (("origin", "https://evil.example"), 403),
        (("host", "evil.example"), 403),
        (("origin", "null"), 403),
        (("origin", "http://localhost:5173"), 200),
        (("host", "localhost:1"), 200),
    ] {
        let headers: Vec<_> = headers.iter().copied().chain([header]).collect();
        assert_eq!(
            post(&server, &headers, &body).await.status.as_u16(),
            status,
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn it_stops_when_it_is_told_to() {
    let server = server().await;
    let address = server.address();
    server.shutdown().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
