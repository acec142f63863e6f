//! What a body is, and what it must not be.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::CALL;
use crate::mcp::{Id, Message, ParseFailure, Target, arguments, code};

fn parse(body: &str) -> Message {
    Message::parse(body.as_bytes()).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn refused(body: &str) -> ParseFailure {
    Message::parse(body.as_bytes()).expect_err(body).failure
}

fn request(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": "a", "method": method, "params": params }).to_string()
}

/// Requirements §6.1.
#[test]
fn the_worked_example_is_read() {
    let message = parse(CALL);
    assert_eq!(message.id(), Some(&Id::Number(7)));
    assert_eq!(
        message.target(),
        Target::ToolCall {
            name: "add_comment"
        }
    );
    assert_eq!(message.declared_version(), Some("2026-07-28"));
    assert!(message.is_request() && message.has_meta() && message.has_client_capabilities());
    let arguments = arguments(CALL.as_bytes()).unwrap().unwrap();
    assert_eq!(
        Value::Object(arguments),
        json!({ "issue": "TR-12", "text": "done" })
    );
}

#[test]
fn methods_have_targets() {
    let none = json!({});
    for (method, params, target) in [
        ("initialize", &none, Target::Initialize),
        ("ping", &none, Target::Ping),
        ("server/discover", &none, Target::Discover),
        ("tools/list", &none, Target::ToolList),
        ("resources/list", &none, Target::ResourceList),
        (
            "resources/templates/list",
            &none,
            Target::ResourceTemplateList,
        ),
        ("prompts/list", &none, Target::PromptList),
        (
            "completion/complete",
            &none,
            Target::Other("completion/complete"),
        ),
        (
            "resources/read",
            &json!({ "uri": "u" }),
            Target::ResourceRead { uri: "u" },
        ),
        (
            "resources/subscribe",
            &json!({ "uri": "u" }),
            Target::ResourceSubscription { uri: "u" },
        ),
        (
            "prompts/get",
            &json!({ "name": "p", "uri": "u" }),
            Target::PromptGet { name: "p" },
        ),
        (
            "tasks/cancel",
            &json!({ "taskId": "t" }),
            Target::Task { id: "t" },
        ),
    ] {
        assert_eq!(parse(&request(method, params)).target(), target);
    }
}

#[test]
fn notifications_and_responses_are_told_apart() {
    let message = parse(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    assert_eq!(
        message.target(),
        Target::Notification("notifications/initialized")
    );
    assert!(message.is_notification() && message.id().is_none());
    let message = parse(r#"{"jsonrpc":"2.0","id":1,"result":{"action":"accept"}}"#);
    assert!(message.is_response());
    assert_eq!(
        (message.target(), message.id()),
        (Target::Response, Some(&Id::Number(1)))
    );
    let message = parse(r#"{"jsonrpc":"2.0","error":{"code":-1,"message":"x"}}"#);
    assert_eq!((message.target(), message.id()), (Target::Response, None));
}

/// N-214.
#[test]
fn a_body_with_two_meanings_is_refused() {
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","paramſ":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","n\u0061me":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","NAME":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":[{"y":1,"y":2}]}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"a":1,"a":1}}}"#,
    ] {
        assert_eq!(refused(body), ParseFailure::DuplicateMember, "{body}");
    }
    // Arguments belong to the tool: case is its own affair.
    let body = request(
        "tools/call",
        &json!({ "name": "a", "arguments": { "Name": 1, "name": 2 } }),
    );
    assert_eq!(parse(&body).name(), Some("a"));
}

/// N-214 in an object too large to be compared name by name.
#[test]
fn a_repeated_member_is_found_among_many() {
    let many: Vec<String> = (0..1000).map(|n| format!("\"k{n}\":0")).collect();
    let body = |extra: &str| {
        let members = many.join(",");
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"arguments":{{{members}{extra}}}}}}}"#
        )
    };
    assert!(parse(&body("")).is_request());
    for repeated in ["k0", "k15", "k16", "k999"] {
        assert_eq!(
            refused(&body(&format!(",\"{repeated}\":1"))),
            ParseFailure::DuplicateMember
        );
    }
}

/// N-217.
#[test]
fn a_batch_is_refused() {
    assert_eq!(refused(&format!("[{CALL}]")), ParseFailure::Batch);
    assert_eq!(refused("[]"), ParseFailure::Batch);
    let error = Message::parse(b"[]").unwrap_err();
    assert_eq!((error.status(), error.code()), (400, code::INVALID_REQUEST));
}

/// N-223.
#[test]
fn depth_is_limited() {
    let nested = |depth: usize| {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"arguments":{value}}}}}"#)
    };
    assert!(parse(&nested(62)).is_request());
    assert_eq!(refused(&nested(63)), ParseFailure::TooDeep);
    assert_eq!(refused(&nested(100_000)), ParseFailure::TooDeep);
}

#[test]
fn what_is_not_json_is_refused() {
    let mut broken: Vec<Vec<u8>> = ["", "{", "nul", "{}{}", "{\"a\":1,}", "\u{feff}{}"]
        .map(|body| body.as_bytes().to_vec())
        .into();
    broken.push(CALL.replace("done", "\\ud800").into_bytes());
    broken.push(CALL.replace("done", "\n").into_bytes());
    broken.push([CALL.as_bytes(), b" x"].concat());
    let mut latin1 = CALL.as_bytes().to_vec();
    let at = CALL.find("done").unwrap();
    latin1[at] = 0xe4;
    broken.push(latin1);
    for body in broken {
        let error = Message::parse(&body).unwrap_err();
        assert_eq!(
            error.failure,
            ParseFailure::Malformed,
            "{}",
            String::from_utf8_lossy(&body)
        );
        assert_eq!(error.code(), code::PARSE_ERROR);
    }
}

#[test]
fn what_is_not_a_message_is_refused() {
    for body in [
        "null",
        "1",
        "{}",
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":5}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":""}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
        // A call without an id would be executed without an answer.
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"notifications/cancelled"}"#,
    ] {
        assert_eq!(refused(body), ParseFailure::NotAMessage, "{body}");
    }
}

#[test]
fn wrong_params_are_answered_with_the_id() {
    for (method, params) in [
        ("tools/call", json!({})),
        ("tools/call", json!({ "name": 5 })),
        ("tools/call", json!({ "uri": "x" })),
        ("resources/read", json!({ "name": "x" })),
        ("tools/list", json!([])),
        ("tools/list", json!({ "_meta": 1 })),
        (
            "tools/list",
            json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": 1 } }),
        ),
    ] {
        let error = Message::parse(request(method, &params).as_bytes()).unwrap_err();
        assert_eq!(
            error.failure,
            ParseFailure::InvalidParams,
            "{method} {params}"
        );
        assert_eq!(error.id, Some(Id::Text("a".to_owned())));
        assert_eq!(error.code(), code::INVALID_PARAMS);
    }
}

#[test]
fn arguments_are_an_object_or_absent() {
    let read = |params: Value| arguments(request("tools/call", &params).as_bytes());
    assert_eq!(read(json!({ "name": "a" })), Ok(None));
    assert_eq!(read(json!({ "name": "a", "arguments": null })), Ok(None));
    assert_eq!(
        read(json!({ "name": "a", "arguments": [1] })),
        Err(ParseFailure::InvalidParams)
    );
}

proptest! {
    #[test]
    fn parsing_never_panics(bytes: Vec<u8>, text in r#"[\[\]{}",:0-9.eE+\-a-c\\ ]{0,60}"#) {
        let _ = Message::parse(&bytes);
        let _ = Message::parse(text.as_bytes());
    }

    /// Whatever is accepted, a plain JSON reader sees the same method and name.
    #[test]
    fn other_readers_agree(
        members in proptest::collection::vec(
            (r#"(name|uri|_meta|n\\u0061me|Name|x)"#, r#"("a"|"b"|1|null|\{\}|\[1\])"#), 0..4,
        ),
        method in "(tools/call|resources/read|tools/list)",
    ) {
        let params: Vec<String> = members.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
        let params = params.join(",");
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#);
        if let Ok(message) = Message::parse(body.as_bytes()) {
            let value: Value = serde_json::from_str(&body).unwrap();
            prop_assert_eq!(message.method(), value["method"].as_str().unwrap());
            let member = if method == "resources/read" { "uri" } else { "name" };
            let name = value["params"][member].as_str();
            prop_assert_eq!(message.name(), name.filter(|_| method != "tools/list"));
        }
    }
}
