//! Mirrored tool arguments.

use serde_json::{Value, json};

use crate::mcp::{
    Headers, InvalidAnnotation, ParameterHeader, agree_parameters, code, parameter_headers,
};

fn schema() -> Value {
    json!({ "type": "object", "properties": {
        "region": { "type": "string", "x-mcp-header": "Region" },
        "options": { "type": "object", "properties": {
            "limit": { "type": "integer", "x-mcp-header": "Limit" },
            "dry": { "type": "boolean", "x-mcp-header": "Dry-Run" },
        } },
        "query": { "type": "string", "default": { "x-mcp-header": "data" } },
    } })
}

fn agrees(headers: &[(&str, &str)], arguments: &Value) -> bool {
    let annotated = parameter_headers(&schema()).unwrap();
    let headers = Headers::read(
        headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes())),
    );
    match agree_parameters(&headers, &annotated, arguments.as_object()) {
        Ok(()) => true,
        Err(refused) => {
            assert_eq!((refused.status, refused.code), (400, code::HEADER_MISMATCH));
            false
        }
    }
}

#[test]
fn annotations_are_found_along_properties() {
    let mut found = parameter_headers(&schema()).unwrap();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let header = |name: &str, path: &[&str]| ParameterHeader {
        name: name.to_owned(),
        path: path.iter().map(|&key| key.to_owned()).collect(),
    };
    assert_eq!(
        found,
        [
            header("Dry-Run", &["options", "dry"]),
            header("Limit", &["options", "limit"]),
            header("Region", &["region"]),
        ]
    );
}

#[test]
fn annotations_in_the_wrong_place_are_refused() {
    let property = |property: Value| parameter_headers(&json!({ "properties": { "a": property } }));
    let place = Err(InvalidAnnotation::Place);
    assert_eq!(
        property(json!({ "type": "number", "x-mcp-header": "A" })),
        place
    );
    assert_eq!(
        property(json!({ "type": "array", "items": { "x-mcp-header": "A" } })),
        place
    );
    assert_eq!(
        property(json!({ "anyOf": [{ "type": "string", "x-mcp-header": "A" }] })),
        place
    );
    assert_eq!(parameter_headers(&json!({ "x-mcp-header": "A" })), place);
    for name in [json!(""), json!("a b"), json!("a\r\nb"), json!(1)] {
        let annotated = property(json!({ "type": "string", "x-mcp-header": name }));
        assert_eq!(annotated, Err(InvalidAnnotation::Name));
    }
    let twice = json!({ "properties": {
        "a": { "type": "string", "x-mcp-header": "Region" },
        "b": { "type": "string", "x-mcp-header": "REGION" },
    } });
    assert_eq!(parameter_headers(&twice), Err(InvalidAnnotation::Duplicate));
}

/// N-212, RS-67.
#[test]
fn a_mirrored_argument_must_equal_its_header() {
    let eu = json!({ "region": "eu" });
    assert!(agrees(&[("Mcp-Param-Region", "eu")], &eu));
    assert!(agrees(&[("mcp-param-REGION", "=?base64?ZXU=?=")], &eu));
    assert!(agrees(
        &[("Mcp-Param-Region", "eu"), ("Mcp-Param-Unknown", "\u{7f}")],
        &eu
    ));
    assert!(!agrees(&[("Mcp-Param-Region", "us")], &eu));
    assert!(!agrees(&[("Mcp-Param-Region", "EU")], &eu));
    assert!(!agrees(&[("Mcp-Param-Region", "=?base64?ZXU?=")], &eu));
    assert!(!agrees(&[], &eu), "omitted while the argument is there");
    assert!(
        !agrees(
            &[("Mcp-Param-Region", "eu"), ("Mcp-Param-Region", "eu")],
            &eu
        ),
        "N-213"
    );
}

#[test]
fn an_absent_argument_has_no_header() {
    for none in [json!({}), json!({ "region": null }), json!(null)] {
        assert!(agrees(&[], &none));
        assert!(!agrees(&[("Mcp-Param-Region", "eu")], &none));
    }
}

/// RS-66.
#[test]
fn integers_compare_as_numbers_and_booleans_as_words() {
    let limit = |header, value: Value| {
        agrees(
            &[("Mcp-Param-Limit", header)],
            &json!({ "options": { "limit": value } }),
        )
    };
    assert!(limit("42", json!(42)) && limit("42.0", json!(42)) && limit("-7", json!(-7.0)));
    assert!(!limit("43", json!(42)) && !limit("", json!(0)) && !limit("inf", json!(42)));
    assert!(!limit("42", json!("42 ")) && !limit("42", json!([42])));
    assert!(
        !limit("9007199254740993", json!(9_007_199_254_740_993_i64)),
        "not a safe integer"
    );
    let dry = |header, value: Value| {
        agrees(
            &[("Mcp-Param-Dry-Run", header)],
            &json!({ "options": { "dry": value } }),
        )
    };
    assert!(dry("true", json!(true)) && dry("false", json!(false)));
    assert!(!dry("True", json!(true)) && !dry("1", json!(true)));
}
