//! Headers against bodies.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::CALL;
use crate::mcp::{Disagreement, Headers, Message, Version, agree, code};

const ALL: [Version; 3] = [
    Version::V2025_06_18,
    Version::V2025_11_25,
    Version::V2026_07_28,
];
const MODERN: [Version; 1] = [Version::V2026_07_28];
const VERSION: (&str, &str) = ("MCP-Protocol-Version", "2026-07-28");
const METHOD: (&str, &str) = ("Mcp-Method", "tools/call");
const NAME: (&str, &str) = ("Mcp-Name", "add_comment");

fn check(
    headers: &[(&str, &str)],
    body: &str,
    supported: &[Version],
) -> Result<Version, Disagreement> {
    let headers = Headers::read(
        headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes())),
    );
    agree(
        &headers,
        &Message::parse(body.as_bytes()).expect(body),
        supported,
        None,
    )
}

fn refused(headers: &[(&str, &str)], body: &str) -> (u16, i32) {
    let refused = check(headers, body, &ALL).expect_err(body);
    (refused.status, refused.code)
}

fn modern(method: &str, params: &Value) -> String {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

const MISMATCH: (u16, i32) = (400, code::HEADER_MISMATCH);

/// Requirements §6.1.
#[test]
fn the_worked_example_agrees() {
    assert_eq!(
        check(&[VERSION, METHOD, NAME], CALL, &ALL),
        Ok(Version::V2026_07_28)
    );
    let shouted = [
        ("MCP-METHOD", " tools/call "),
        ("mcp-name", "\tadd_comment"),
        VERSION,
    ];
    assert_eq!(check(&shouted, CALL, &MODERN), Ok(Version::V2026_07_28));
}

/// N-206.
#[test]
fn a_missing_or_different_version_header_is_a_mismatch() {
    assert_eq!(refused(&[METHOD, NAME], CALL), MISMATCH);
    assert_eq!(
        refused(
            &[("MCP-Protocol-Version", "2025-11-25"), METHOD, NAME],
            CALL
        ),
        MISMATCH
    );
    assert_eq!(
        refused(&[("MCP-Protocol-Version", "v999"), METHOD, NAME], CALL),
        MISMATCH
    );
    assert_eq!(
        refused(&[("MCP-Protocol-Version", "\u{7f}"), METHOD, NAME], CALL),
        MISMATCH
    );
}

/// N-207.
#[test]
fn an_unsupported_version_is_told_what_is_supported() {
    let body = CALL.replace("2026-07-28", "v999.0.0");
    let headers = [("MCP-Protocol-Version", "v999.0.0"), METHOD, NAME];
    let refused = check(&headers, &body, &ALL).unwrap_err();
    assert_eq!(
        (refused.status, refused.code),
        (400, code::UNSUPPORTED_PROTOCOL_VERSION)
    );
    // Legacy versions begin with `initialize`, so they are no answer to a request with `_meta`.
    let supported = ["2026-07-28"];
    assert_eq!(
        refused.data,
        Some(json!({ "supported": supported, "requested": "v999.0.0" }))
    );
    let known = [("MCP-Protocol-Version", "2025-06-18")];
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let code = check(&known, list, &MODERN).unwrap_err().code;
    assert_eq!(code, code::UNSUPPORTED_PROTOCOL_VERSION);
}

/// N-208.
#[test]
fn a_method_header_must_equal_the_body() {
    for method in [
        "tools/list",
        "TOOLS/CALL",
        "",
        "=?base64?dG9vbHMvY2FsbA==?=",
    ] {
        assert_eq!(
            refused(&[VERSION, ("Mcp-Method", method), NAME], CALL),
            MISMATCH,
            "{method}"
        );
    }
    assert_eq!(refused(&[VERSION, NAME], CALL), MISMATCH);
}

/// N-209, N-210, N-211.
#[test]
fn a_name_header_must_equal_the_body() {
    for name in [
        "read_doc",
        "Add_Comment",
        "=?base64?!!!?=",
        "=?BASE64?YWRkX2NvbW1lbnQ=?=",
        "ä",
    ] {
        assert_eq!(
            refused(&[VERSION, METHOD, ("Mcp-Name", name)], CALL),
            MISMATCH,
            "{name}"
        );
    }
    assert_eq!(refused(&[VERSION, METHOD], CALL), MISMATCH);
    let encoded = ("Mcp-Name", "=?base64?YWRkX2NvbW1lbnQ=?=");
    assert!(check(&[VERSION, METHOD, encoded], CALL, &ALL).is_ok());
    for (method, params) in [
        ("resources/read", json!({ "uri": "file:///a" })),
        ("prompts/get", json!({ "name": "file:///a" })),
        ("tasks/get", json!({ "taskId": "file:///a" })),
    ] {
        let (body, header) = (modern(method, &params), ("Mcp-Method", method));
        assert_eq!(refused(&[VERSION, header], &body), MISMATCH, "{method}");
        assert!(check(&[VERSION, header, ("Mcp-Name", "file:///a")], &body, &ALL).is_ok());
    }
}

/// N-213.
#[test]
fn repeated_headers_are_refused_even_if_equal() {
    for repeated in [VERSION, METHOD, NAME] {
        assert_eq!(
            refused(&[VERSION, METHOD, NAME, repeated], CALL),
            MISMATCH,
            "{repeated:?}"
        );
    }
}

/// N-215.
#[test]
fn a_modern_request_carries_its_metadata() {
    let headers = [VERSION, ("Mcp-Method", "server/discover")];
    let (version, capabilities) = (
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
    );
    for meta in [
        json!({}),
        json!({ "_meta": {} }),
        json!({ "_meta": { capabilities: {} } }),
        json!({ "_meta": { version: "2026-07-28" } }),
        json!({ "_meta": { version: "2026-07-28", capabilities: [] } }),
    ] {
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": meta });
        assert_eq!(
            refused(&headers, &body.to_string()),
            (400, code::INVALID_PARAMS),
            "{body}"
        );
    }
}

/// N-216, RS-71.
#[test]
fn removed_methods_do_not_exist_in_modern_versions() {
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
    ] {
        let body = modern(method, &json!({ "uri": "u" }));
        let headers = [VERSION, ("Mcp-Method", method), ("Mcp-Name", "u")];
        assert_eq!(
            refused(&headers, &body),
            (404, code::METHOD_NOT_FOUND),
            "{method}"
        );
    }
}

/// RS-71: a method that is gone has no parameters to complain about.
#[test]
fn a_removed_method_is_unknown_even_without_its_parameters() {
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        let body = modern(method, &json!({}));
        let headers = [VERSION, ("Mcp-Method", method)];
        assert_eq!(
            refused(&headers, &body),
            (404, code::METHOD_NOT_FOUND),
            "{method}"
        );
    }
}

/// N-216, RS-76: a legacy client learns why, if anything can tell it.
#[test]
fn initialize_without_headers_needs_a_legacy_version() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
    assert_eq!(check(&[], body, &ALL), Ok(Version::V2025_11_25));
    let unknown = body.replace("2025-11-25", "2030-01-01");
    assert_eq!(check(&[], &unknown, &ALL), Ok(Version::V2025_11_25));
    assert_eq!(
        check(&[], &body.replace("11-25", "06-18"), &ALL),
        Ok(Version::V2025_06_18)
    );
    let refused = check(&[], body, &MODERN).unwrap_err();
    assert_eq!(refused.status, 400);
    assert_eq!(refused.data.unwrap()["supported"], json!(["2026-07-28"]));
}

/// N-217.
#[test]
fn responses_are_for_legacy_versions_only() {
    let body = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    assert_eq!(refused(&[VERSION], body), (400, code::INVALID_REQUEST));
    assert_eq!(refused(&[], body), MISMATCH);
    let legacy = [("MCP-Protocol-Version", "2025-11-25")];
    assert_eq!(check(&legacy, body, &ALL), Ok(Version::V2025_11_25));
}

/// Q-22.
#[test]
fn notifications_need_only_the_version_header() {
    let body = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert_eq!(check(&[VERSION], body, &ALL), Ok(Version::V2026_07_28));
    let right = ("Mcp-Method", "notifications/cancelled");
    assert!(check(&[VERSION, right], body, &ALL).is_ok());
    assert_eq!(refused(&[VERSION, METHOD], body), MISMATCH);
    assert_eq!(refused(&[], body), MISMATCH);
}

/// RS-83.
#[test]
fn a_legacy_message_without_version_header_needs_a_session() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let message = Message::parse(body.as_bytes()).unwrap();
    let with = |supported: &[Version], session| {
        agree(&Headers::default(), &message, supported, session).map_err(|refused| refused.code)
    };
    assert_eq!(with(&ALL, None), Err(code::HEADER_MISMATCH));
    assert_eq!(
        with(&ALL, Some(Version::V2025_06_18)),
        Ok(Version::V2025_06_18)
    );
    assert_eq!(
        with(&ALL, Some(Version::V2026_07_28)),
        Err(code::HEADER_MISMATCH)
    );
    assert_eq!(with(&Version::ALL, None), Ok(Version::V2025_03_26));
}

/// N-222: the body is what counts, and a header that contradicts it is refused.
#[test]
fn a_forged_name_in_a_legacy_request_is_refused() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_all"}}"#;
    let legacy = ("MCP-Protocol-Version", "2025-11-25");
    assert_eq!(check(&[legacy], body, &ALL), Ok(Version::V2025_11_25));
    assert_eq!(refused(&[legacy, ("Mcp-Name", "read_doc")], body), MISMATCH);
    assert_eq!(
        refused(&[legacy, ("Mcp-Method", "tools/list")], body),
        MISMATCH
    );
}

proptest! {
    /// A request that agrees names the same method and tool everywhere.
    #[test]
    fn agreement_never_panics_and_never_lies(
        version in "(2026-07-28|2025-11-25|x)?",
        method in "(tools/call|tools/list)?",
        name in "(add_comment|=\\?base64\\?YWRkX2NvbW1lbnQ=\\?=|other|\\PC{0,5})",
    ) {
        let headers = [("mcp-protocol-version", version.as_str()), ("mcp-method", &method), ("mcp-name", &name)];
        if check(&headers, CALL, &ALL).is_ok() {
            prop_assert_eq!(method, "tools/call");
            prop_assert!(name.trim() == "add_comment" || name.starts_with("=?base64?"));
        }
    }
}
