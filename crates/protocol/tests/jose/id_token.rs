//! What an ID token must say, at sign-in and as a subject token (requirements 5.1 and 5.6).

use std::time::Duration;

use serde_json::{Value, json};
use symbolon_protocol::id_token::{self, Expectations, IdToken, IdTokenError, Origin, token_hash};
use symbolon_protocol::issuer::{Issuer, TenantClaim};
use symbolon_protocol::jose::Algorithm;
use symbolon_protocol::jose::claims::ClaimError;

use crate::support::{NOW, now, verified, with};

const IDP: &str = "https://login.acme.example";
const SIGN_IN: Origin<'static> = Origin::SignIn {
    nonce: "n1",
    access_token: Some("at"),
};

fn base() -> Value {
    json!({
        "iss": IDP, "sub": "ada", "aud": "symbolon", "nonce": "n1", "iat": NOW, "exp": NOW + 3600,
        "auth_time": NOW - 100,
    })
}

struct Case {
    typ: &'static str,
    origin: Origin<'static>,
    tenant: Option<TenantClaim<'static>>,
    max_age: Option<Duration>,
}

const CASE: Case = Case {
    typ: "JWT",
    origin: SIGN_IN,
    tenant: None,
    max_age: None,
};

impl Case {
    fn check(self, changes: Value) -> Result<IdToken, IdTokenError> {
        let issuer = Issuer::parse(IDP).unwrap();
        let expected = Expectations {
            issuer: &issuer,
            tenant: self.tenant,
            client_id: "symbolon",
            origin: self.origin,
            max_age: self.max_age,
        };
        id_token::verify(
            &verified(self.typ, &with(&base(), changes)),
            &expected,
            now(),
        )
    }
}

fn check(changes: Value) -> Result<IdToken, IdTokenError> {
    CASE.check(changes)
}

fn refusal(changes: Value) -> IdTokenError {
    check(changes).unwrap_err()
}

fn brought(changes: Value) -> Result<IdToken, IdTokenError> {
    Case {
        origin: Origin::SubjectToken,
        ..CASE
    }
    .check(changes)
}

#[test]
fn a_plain_id_token_is_accepted() {
    let token = check(json!({"email": "ada@acme.example", "email_verified": "true"})).unwrap();
    assert_eq!(token.subject, "ada");
    assert_eq!(token.email_verified, Some(true));
    assert!(brought(json!({"nonce": null, "groups": ["eng"]})).is_ok());
}

/// What real providers write: `aud` in an array, fractions of seconds, one method as a string.
#[test]
fn the_dialects_of_providers_are_read() {
    let token = check(json!({
        "aud": ["symbolon"], "azp": "symbolon", "auth_time": 1_795_201_100.25, "amr": "pwd",
        "groups": ["eng"], "acr": "1",
    }))
    .unwrap();
    assert_eq!(token.amr, ["pwd"]);
    assert_eq!(token.auth_time.unwrap().micros(), 1_795_201_100_250_000);
    assert_eq!(token.claims["groups"], json!(["eng"]));
}

/// N-024.
#[test]
fn a_token_for_another_sign_in_is_refused() {
    for nonce in [json!("n2"), json!(null), json!("")] {
        assert_eq!(refusal(json!({ "nonce": nonce })), IdTokenError::WrongNonce);
    }
}

/// N-024: `azp` decides between several audiences.
#[test]
fn an_audience_names_this_client() {
    assert!(check(json!({"aud": ["symbolon", "api"], "azp": "symbolon"})).is_ok());
    assert_eq!(
        refusal(json!({"aud": "other"})),
        IdTokenError::WrongAudience
    );
    assert_eq!(
        refusal(json!({"aud": ["other", "api"]})),
        IdTokenError::WrongAudience
    );
    let several = json!({"aud": ["symbolon", "api"]});
    assert_eq!(refusal(several), IdTokenError::WrongAuthorizedParty);
    let foreign = json!({"aud": ["symbolon", "api"], "azp": "api"});
    assert_eq!(refusal(foreign), IdTokenError::WrongAuthorizedParty);
    assert_eq!(
        refusal(json!({"azp": "other"})),
        IdTokenError::WrongAuthorizedParty
    );
}

/// N-163: a stolen ID token of another client.
#[test]
fn a_subject_token_of_another_client_is_refused() {
    let stolen = brought(json!({"aud": "other"})).unwrap_err();
    assert_eq!(stolen, IdTokenError::WrongAudience);
}

/// N-024, N-164.
#[test]
fn issuer_and_time_are_checked() {
    let slash = refusal(json!({"iss": "https://login.acme.example/"}));
    assert!(matches!(slash, IdTokenError::WrongIssuer { .. }));
    for changes in [
        json!({"exp": NOW - 30}),
        json!({"iat": NOW + 31}),
        json!({"nbf": NOW + 31}),
        json!({"auth_time": NOW + 31}),
    ] {
        assert!(matches!(refusal(changes), IdTokenError::Validity(_)));
    }
    for claim in ["iss", "sub", "aud", "iat", "exp"] {
        let mut changes = json!({});
        changes[claim] = Value::Null;
        assert_eq!(
            refusal(changes),
            IdTokenError::Claim(ClaimError::Missing { claim })
        );
    }
}

/// N-165, N-177.
#[test]
fn another_kind_of_token_is_refused_by_its_type() {
    for typ in [
        "at+jwt",
        "logout+jwt",
        "oauth-id-jag+jwt",
        "id_token+cnf",
        "secevent+jwt",
    ] {
        let error = Case { typ, ..CASE }.check(json!({})).unwrap_err();
        assert_eq!(
            error,
            IdTokenError::WrongType {
                found: Some(typ.to_owned())
            }
        );
    }
    assert_eq!(
        refusal(json!({"cnf": {"jkt": "x"}})),
        IdTokenError::KeyBound
    );
}

/// N-165: providers that call every token `JWT`.
#[test]
fn another_kind_of_token_is_refused_by_its_claims() {
    let logout = json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}});
    assert_eq!(
        refusal(logout),
        IdTokenError::NotAnIdToken { claim: "events" }
    );
    let access = brought(json!({"scope": "openid"})).unwrap_err();
    assert_eq!(access, IdTokenError::NotAnIdToken { claim: "scope" });
    let access = brought(json!({"scp": ["files"]})).unwrap_err();
    assert_eq!(access, IdTokenError::NotAnIdToken { claim: "scp" });
    assert!(check(json!({"scope": "openid"})).is_ok());
}

/// Design §4 rule 11.
#[test]
fn a_shared_issuer_must_name_the_expected_tenant() {
    let tenant = Some(TenantClaim {
        claim: "hd",
        value: "acme.example",
    });
    let of = |changes| Case { tenant, ..CASE }.check(changes);
    assert!(of(json!({"hd": "acme.example"})).is_ok());
    assert_eq!(
        of(json!({"hd": "evil.example"})).unwrap_err(),
        IdTokenError::WrongTenant
    );
    assert_eq!(of(json!({})).unwrap_err(), IdTokenError::WrongTenant);
}

#[test]
fn the_access_token_beside_it_is_the_hashed_one() {
    let hash = token_hash(Algorithm::Es256, "at");
    assert!(check(json!({ "at_hash": hash })).is_ok());
    assert_eq!(
        refusal(json!({"at_hash": "AAAA"})),
        IdTokenError::WrongAccessTokenHash
    );
}

/// OpenID Connect Core A.3 (with RS256) shows this pair.
#[test]
fn a_token_hash_is_the_left_half() {
    let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    assert_eq!(
        token_hash(Algorithm::Rs256, access_token),
        "77QmUPtjPfzWtF2AnpK9RQ"
    );
    assert_eq!(token_hash(Algorithm::Es384, access_token).len(), 32);
    assert_eq!(token_hash(Algorithm::EdDsa, access_token).len(), 43);
}

/// N-174.
#[test]
fn an_old_sign_in_is_told_apart() {
    let within = |seconds| Case {
        max_age: Some(Duration::from_secs(seconds)),
        ..CASE
    };
    assert!(within(100).check(json!({})).is_ok());
    let limit = Duration::from_secs(60);
    assert_eq!(
        within(60).check(json!({})).unwrap_err(),
        IdTokenError::TooOld { limit }
    );
    let unknown = within(60).check(json!({"auth_time": null})).unwrap_err();
    assert_eq!(unknown, IdTokenError::TooOld { limit });
}
