//! What an ID-JAG must say (requirements 1.7 and 5.5).

use std::time::Duration;

use serde_json::{Value, json};
use symbolon_protocol::confirmation::{Confirmation, ConfirmationError};
use symbolon_protocol::id_jag::{self, Expectations, IdJag, IdJagError};
use symbolon_protocol::ids::ClientId;
use symbolon_protocol::issuer::{Issuer, TenantClaim};
use symbolon_protocol::jose::claims::ClaimError;
use symbolon_protocol::jose::validity::ValidityError;

use crate::support::{NOW, now, verified, with};

const US: &str = "https://auth.tracker.example/t1";
const IDP: &str = "https://idp.globex.example";
const THUMBPRINT: &str = "odZFPNXSWsONsoFpobwsJYpWUWtQlOw5Z-paEmAG1yQ";

fn base() -> Value {
    json!({
        "iss": IDP, "sub": "ada", "aud": US, "client_id": "agent", "jti": "j1",
        "iat": NOW, "exp": NOW + 120,
    })
}

fn check_typed(
    typ: &str,
    changes: Value,
    tenant: Option<TenantClaim<'_>>,
) -> Result<IdJag, IdJagError> {
    let (issuer, client) = (
        Issuer::parse(IDP).unwrap(),
        ClientId::parse("agent").unwrap(),
    );
    let expected = Expectations {
        issuer: &issuer,
        tenant,
        audience: &[US, "https://old.tracker.example"],
        client_id: &client,
        max_lifetime: Duration::from_secs(300),
    };
    id_jag::verify(&verified(typ, &with(&base(), changes)), &expected, now())
}

fn check(changes: Value) -> Result<IdJag, IdJagError> {
    check_typed(id_jag::TYP, changes, None)
}

fn refusal(changes: Value) -> IdJagError {
    check(changes).unwrap_err()
}

fn missing(claim: &'static str) -> IdJagError {
    IdJagError::Claim(ClaimError::Missing { claim })
}

fn malformed(claim: &'static str) -> IdJagError {
    IdJagError::Claim(ClaimError::Malformed { claim })
}

/// AS-99, AS-102, AS-104.
#[test]
fn the_required_claims_are_enough() {
    let id_jag = check(json!({})).unwrap();
    assert_eq!(
        (id_jag.subject.as_str(), id_jag.jti.as_str()),
        ("ada", "j1")
    );
    assert!(id_jag.resource.is_none() && id_jag.scope.is_none() && id_jag.confirmation.is_none());
}

/// AS-93.
#[test]
fn the_type_may_have_any_case_and_a_prefix() {
    for typ in [
        "oauth-id-jag+jwt",
        "OAuth-ID-JAG+JWT",
        "application/oauth-id-jag+jwt",
    ] {
        assert!(check_typed(typ, json!({}), None).is_ok(), "{typ}");
    }
}

/// N-111, N-112, N-113, N-153.
#[test]
fn another_kind_of_token_is_refused() {
    for typ in [
        "JWT",
        "at+jwt",
        "logout+jwt",
        "dpop+jwt",
        "authorization-grant+jwt",
        "",
        "id-jag",
    ] {
        let error = check_typed(typ, json!({}), None).unwrap_err();
        assert_eq!(
            error,
            IdJagError::WrongType {
                found: Some(typ.to_owned())
            }
        );
    }
}

/// N-117, N-118.
#[test]
fn an_issuer_is_compared_byte_for_byte() {
    for other in [
        "https://idp.globex.example/",
        "HTTPS://idp.globex.example",
        "https://evil.example",
    ] {
        let expected = IdJagError::WrongIssuer {
            found: other.to_owned(),
        };
        assert_eq!(refusal(json!({ "iss": other })), expected);
    }
}

/// AS-96, N-119.
#[test]
fn a_shared_issuer_must_name_the_expected_tenant() {
    let tenant = Some(TenantClaim {
        claim: "tid",
        value: "globex",
    });
    let of = |changes| check_typed(id_jag::TYP, changes, tenant);
    assert!(of(json!({"tid": "globex"})).is_ok());
    for changes in [
        json!({}),
        json!({"tid": "initech"}),
        json!({"tid": ["globex"]}),
    ] {
        assert_eq!(of(changes).unwrap_err(), IdJagError::WrongTenant);
    }
}

/// AS-97, Q-07: our name or an alias that an administrator listed, as a string or alone in an array.
#[test]
fn the_audience_is_this_server_alone() {
    for aud in [json!(US), json!([US]), json!("https://old.tracker.example")] {
        assert!(check(json!({ "aud": aud })).is_ok(), "{aud}");
    }
}

/// AS-97, AS-110, N-120, N-121, N-145.
#[test]
fn another_audience_is_refused() {
    for aud in [
        json!("https://auth.tracker.example/t2"),
        json!("https://auth.tracker.example/t1/"),
        json!("https://auth.tracker.example/t1/token"),
        json!("https://mcp.tracker.example/mcp"),
        json!([US, "https://auth.other.example"]),
        json!([US, US]),
        json!([]),
        json!([[US]]),
        json!([1]),
        json!(1),
        json!({"a": US}),
    ] {
        assert_eq!(
            refusal(json!({ "aud": aud })),
            IdJagError::WrongAudience,
            "{aud}"
        );
    }
}

/// AS-98, N-122, N-123.
#[test]
fn the_id_jag_of_another_client_is_refused() {
    let expected = IdJagError::WrongClient {
        found: "thief".to_owned(),
    };
    assert_eq!(refusal(json!({"client_id": "thief"})), expected);
    assert_eq!(
        refusal(json!({"client_id": ["agent"]})),
        malformed("client_id")
    );
}

/// AS-99, N-126.
#[test]
fn every_required_claim_is_required() {
    for claim in ["iss", "sub", "aud", "client_id", "jti", "iat", "exp"] {
        let mut changes = json!({});
        changes[claim] = Value::Null;
        assert_eq!(refusal(changes), missing(claim));
    }
    assert_eq!(refusal(json!({"jti": ""})), malformed("jti"));
    assert_eq!(refusal(json!({"jti": 7})), malformed("jti"));
    assert_eq!(refusal(json!({"jti": "x".repeat(513)})), malformed("jti"));
    assert_eq!(refusal(json!({"sub": "a\u{0}b"})), malformed("sub"));
}

/// AS-99, N-125.
#[test]
fn times_are_numbers_within_limits() {
    let of = |changes| match refusal(changes) {
        IdJagError::Validity(error) => error,
        other => panic!("{other}"),
    };
    assert_eq!(refusal(json!({"exp": "1795201320"})), malformed("exp"));
    assert!(matches!(
        of(json!({"iat": NOW - 120, "exp": NOW - 30})),
        ValidityError::Expired { .. }
    ));
    assert!(matches!(
        of(json!({"iat": NOW + 31})),
        ValidityError::IssuedInFuture { .. }
    ));
    assert!(matches!(
        of(json!({"nbf": NOW + 31})),
        ValidityError::NotYetValid { .. }
    ));
    assert!(matches!(
        of(json!({"exp": NOW + 301})),
        ValidityError::Lifetime { .. }
    ));
    let future = of(json!({"auth_time": NOW + 31}));
    assert!(matches!(
        future,
        ValidityError::AuthenticatedInFuture { .. }
    ));
    assert!(check(json!({"exp": NOW + 300, "auth_time": NOW as f64 - 0.5})).is_ok());
}

/// AS-99: whatever a row says, 900 s is the most.
#[test]
fn no_row_can_allow_more_than_fifteen_minutes() {
    let (issuer, client) = (
        Issuer::parse(IDP).unwrap(),
        ClientId::parse("agent").unwrap(),
    );
    let expected = Expectations {
        issuer: &issuer,
        tenant: None,
        audience: &[US],
        client_id: &client,
        max_lifetime: Duration::from_secs(86_400),
    };
    let of = |exp| {
        let jwt = verified(id_jag::TYP, &with(&base(), json!({ "exp": exp })));
        id_jag::verify(&jwt, &expected, now())
    };
    assert!(of(NOW + 900).is_ok());
    assert!(of(NOW + 901).is_err());
}

/// AS-101, ID-JAG §3.1: a string or an array of strings.
#[test]
fn resources_are_strings() {
    let of = |resource| check(json!({ "resource": resource })).map(|id_jag| id_jag.resource);
    assert_eq!(of(json!("https://a")).unwrap().unwrap(), ["https://a"]);
    assert_eq!(
        of(json!(["https://a", "https://b"])).unwrap().unwrap(),
        ["https://a", "https://b"]
    );
    for bad in [json!([]), json!([1]), json!({}), json!(7)] {
        assert_eq!(of(bad).unwrap_err(), malformed("resource"));
    }
}

/// Q-03: one space-separated string; EMA-d's array is a known mistake.
#[test]
fn a_scope_is_one_string() {
    assert_eq!(
        check(json!({"scope": "a b"}))
            .unwrap()
            .scope
            .unwrap()
            .to_string(),
        "a b"
    );
    assert_eq!(refusal(json!({"scope": ["a", "b"]})), malformed("scope"));
    assert!(matches!(
        refusal(json!({"scope": "a\"b"})),
        IdJagError::Scope(_)
    ));
}

/// AS-105, N-133.
#[test]
fn authorization_details_are_an_array_of_objects() {
    let of = |details| check(json!({ "authorization_details": details }));
    let details = of(json!([{"type": "t"}])).unwrap().authorization_details;
    assert_eq!(details.unwrap(), [json!({"type": "t"})]);
    for bad in [
        json!(r#"[{"type":"t"}]"#),
        json!({"type": "t"}),
        json!(["t"]),
    ] {
        assert_eq!(of(bad).unwrap_err(), malformed("authorization_details"));
    }
}

/// AS-106, AS-107, N-138.
#[test]
fn a_confirmation_is_kept_or_the_id_jag_refused() {
    let of = |cnf| check(json!({ "cnf": cnf })).map(|id_jag| id_jag.confirmation);
    let bound = of(json!({"jkt": THUMBPRINT})).unwrap();
    assert_eq!(bound, Some(Confirmation::Jkt(THUMBPRINT.to_owned())));
    let unknown = of(json!({"jwe": "x"})).unwrap_err();
    assert_eq!(
        unknown,
        IdJagError::Confirmation(ConfirmationError::Unknown)
    );
    assert!(of(json!("x")).is_err());
}

/// A `cnf` that is `null` is a claim we cannot honour, not an absent one.
#[test]
fn a_null_confirmation_does_not_unbind() {
    let mut claims = base();
    claims["cnf"] = Value::Null;
    let (issuer, client) = (
        Issuer::parse(IDP).unwrap(),
        ClientId::parse("agent").unwrap(),
    );
    let expected = Expectations {
        issuer: &issuer,
        tenant: None,
        audience: &[US],
        client_id: &client,
        max_lifetime: Duration::from_secs(300),
    };
    let result = id_jag::verify(&verified(id_jag::TYP, &claims), &expected, now());
    let error = IdJagError::Confirmation(ConfirmationError::Malformed);
    assert_eq!(result.unwrap_err(), error);
}

#[test]
fn claims_of_other_namespaces_are_objects_and_kept() {
    let sub_id = json!({"format": "saml-nameid", "issuer": "https://x", "nameid": "ada"});
    let id_jag =
        check(json!({"sub_id": sub_id, "groups": ["eng"], "email_verified": true})).unwrap();
    assert_eq!(id_jag.sub_id, Some(sub_id));
    assert_eq!(id_jag.claims["groups"], json!(["eng"]));
    assert_eq!(id_jag.email_verified, Some(true));
    assert_eq!(refusal(json!({"sub_id": "ada"})), malformed("sub_id"));
    assert_eq!(refusal(json!({"act": "svc"})), malformed("act"));
}

/// AS-111: an error shows little of what it refuses.
#[test]
fn an_error_shows_an_excerpt_only() {
    let error = refusal(json!({"client_id": "x".repeat(2000)}));
    assert!(error.to_string().len() < 200, "{error}");
}
