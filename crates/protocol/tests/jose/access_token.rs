//! What an access token must say (requirements 3.2 and 5.7).

use serde_json::{Value, json};
use symbolon_protocol::access_token::{self, AccessTokenClaims, AccessTokenError};
use symbolon_protocol::issuer::Issuer;
use symbolon_protocol::jose::claims::ClaimError;
use symbolon_protocol::jose::validity::ValidityError;

use crate::support::{NOW, now, verified, with};

const AS: &str = "https://id.acme.example/as";
const RESOURCE: &str = "https://id.acme.example/mcp/tracker";

fn base() -> Value {
    json!({
        "iss": AS, "sub": "u1", "aud": RESOURCE, "client_id": "agent", "jti": "t1",
        "iat": NOW, "exp": NOW + 900, "scope": "issues:read", "grant_id": "g1", "org": "acme",
    })
}

fn check_typed(typ: &str, changes: Value) -> Result<AccessTokenClaims, AccessTokenError> {
    let jwt = verified(typ, &with(&base(), changes));
    access_token::verify(&jwt, &Issuer::parse(AS).unwrap(), RESOURCE, now())
}

fn refusal(changes: Value) -> AccessTokenError {
    check_typed(access_token::TYP, changes).unwrap_err()
}

#[test]
fn a_token_reads_as_it_was_written() {
    let token = check_typed(access_token::TYP, json!({"amr": ["pwd"], "sid": "s1"})).unwrap();
    let written = serde_json::to_value(&token).unwrap();
    assert_eq!(written, with(&base(), json!({"amr": ["pwd"], "sid": "s1"})));
}

/// RS-23, N-195, N-196.
#[test]
fn no_other_kind_of_token_is_an_access_token() {
    for typ in [
        "JWT",
        "oauth-id-jag+jwt",
        "client-authentication+jwt",
        "dpop+jwt",
        "",
    ] {
        let error = check_typed(typ, json!({})).unwrap_err();
        assert_eq!(
            error,
            AccessTokenError::WrongType {
                found: Some(typ.to_owned())
            }
        );
    }
}

/// RS-22, N-194.
#[test]
fn the_audience_is_this_resource_exactly() {
    for aud in [
        "https://id.acme.example/mcp/tracker/",
        "https://id.acme.example/mcp",
        "https://id.acme.example/mcp/track",
        "https://id.acme.example/mcp/tracker2",
        AS,
    ] {
        let expected = AccessTokenError::WrongAudience {
            found: aud.to_owned(),
        };
        assert_eq!(refusal(json!({ "aud": aud })), expected);
    }
    let array = refusal(json!({ "aud": [RESOURCE] }));
    assert_eq!(
        array,
        AccessTokenError::Claim(ClaimError::Malformed { claim: "aud" })
    );
}

/// The issuer itself looks at tokens for any of its resources.
#[test]
fn introspection_reads_a_token_for_any_resource() {
    let jwt = verified(
        access_token::TYP,
        &with(&base(), json!({"aud": "https://x"})),
    );
    let token = access_token::verify_issued(&jwt, &Issuer::parse(AS).unwrap(), now()).unwrap();
    assert_eq!(token.aud, "https://x");
}

/// N-193.
#[test]
fn a_token_of_another_issuer_or_time_is_refused() {
    let other = refusal(json!({"iss": "https://id.acme.example/idp/acme"}));
    assert!(matches!(other, AccessTokenError::WrongIssuer { .. }));
    let expired = refusal(json!({"iat": NOW - 900, "exp": NOW}));
    let expected = ValidityError::Expired { expired_at: now() };
    assert_eq!(expired, AccessTokenError::Validity(expected));
    assert!(matches!(
        refusal(json!({"nbf": NOW + 31})),
        AccessTokenError::Validity(_)
    ));
    assert!(matches!(
        refusal(json!({"iat": NOW + 31})),
        AccessTokenError::Validity(_)
    ));
}

/// RFC 9068 §2.2, and ours: what cannot be revoked is not accepted.
#[test]
fn every_required_claim_is_required() {
    for claim in [
        "iss",
        "sub",
        "aud",
        "client_id",
        "jti",
        "iat",
        "exp",
        "grant_id",
        "org",
    ] {
        let mut changes = json!({});
        changes[claim] = Value::Null;
        let expected = AccessTokenError::Claim(ClaimError::Missing { claim });
        assert_eq!(refusal(changes), expected);
    }
}

#[test]
fn malformed_claims_are_refused() {
    for changes in [
        json!({"org": "Acme Inc."}),
        json!({"grant_id": "g 1"}),
        json!({"scope": ["a"]}),
        json!({"scope": "a\\b"}),
        json!({"cnf": {}}),
        json!({"sid": ""}),
        json!({"act": []}),
    ] {
        assert!(
            check_typed(access_token::TYP, changes.clone()).is_err(),
            "{changes}"
        );
    }
}
