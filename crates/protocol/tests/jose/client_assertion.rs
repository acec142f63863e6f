//! What a client assertion must say (requirements AS-52 to AS-55, N-065).

use serde_json::{Value, json};
use symbolon_protocol::client_assertion::{self, ClientAssertion, ClientAssertionError};
use symbolon_protocol::ids::ClientId;
use symbolon_protocol::issuer::Issuer;
use symbolon_protocol::jose::claims::ClaimError;

use crate::support::{NOW, now, verified, with};

const AS: &str = "https://id.acme.example/as";

fn check_typed(typ: &str, changes: Value) -> Result<ClientAssertion, ClientAssertionError> {
    let base = json!({
        "iss": "nightly", "sub": "nightly", "aud": AS, "jti": "a1", "iat": NOW, "exp": NOW + 60,
    });
    let jwt = verified(typ, &with(&base, changes));
    let client = ClientId::parse("nightly").unwrap();
    client_assertion::verify(&jwt, &Issuer::parse(AS).unwrap(), &client, now())
}

fn refusal(changes: Value) -> ClientAssertionError {
    check_typed("JWT", changes).unwrap_err()
}

/// AS-52, AS-53.
#[test]
fn a_plain_assertion_is_accepted() {
    for typ in [
        "JWT",
        "jwt",
        "client-authentication+jwt",
        "application/client-authentication+jwt",
    ] {
        let assertion = check_typed(typ, json!({})).unwrap();
        assert_eq!(
            (assertion.jti.as_str(), assertion.expires_at.unix_seconds()),
            ("a1", NOW + 60)
        );
    }
}

/// AS-53, N-065.
#[test]
fn another_kind_of_token_is_refused() {
    for typ in [
        "at+jwt",
        "dpop+jwt",
        "oauth-id-jag+jwt",
        "logout+jwt",
        "secevent+jwt",
    ] {
        let error = check_typed(typ, json!({})).unwrap_err();
        assert_eq!(
            error,
            ClientAssertionError::WrongType {
                found: Some(typ.to_owned())
            }
        );
    }
}

/// AS-54, N-065: CVE-2025-27370, CVE-2025-27371.
#[test]
fn the_audience_is_our_issuer_as_a_lone_string() {
    for aud in [
        json!([AS]),
        json!([AS, "https://evil.example"]),
        json!("https://id.acme.example/as/token"),
        json!("https://id.acme.example/as/"),
        json!("https://id.acme.example/idp/acme"),
        json!(1),
    ] {
        assert_eq!(
            refusal(json!({ "aud": aud })),
            ClientAssertionError::WrongAudience,
            "{aud}"
        );
    }
}

/// AS-52, N-065.
#[test]
fn issuer_and_subject_are_both_the_client() {
    for claim in ["iss", "sub"] {
        let mut changes = json!({});
        changes[claim] = json!("other");
        let expected = ClientAssertionError::WrongClient {
            claim,
            found: "other".to_owned(),
        };
        assert_eq!(refusal(changes), expected);
    }
}

/// AS-52, N-065.
#[test]
fn it_is_short_lived_and_has_a_name() {
    for claim in ["iss", "sub", "aud", "jti", "iat", "exp"] {
        let mut changes = json!({});
        changes[claim] = Value::Null;
        let expected = ClientAssertionError::Claim(ClaimError::Missing { claim });
        assert_eq!(refusal(changes), expected);
    }
    for changes in [
        json!({"exp": NOW + 601}),
        json!({"iat": NOW - 90, "exp": NOW - 30}),
        json!({"iat": NOW + 31, "exp": NOW + 60}),
        json!({"nbf": NOW + 31}),
    ] {
        assert!(matches!(
            refusal(changes),
            ClientAssertionError::Validity(_)
        ));
    }
}
