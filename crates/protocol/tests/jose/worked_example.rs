//! The worked example of requirements §6, byte for byte, with the time frozen.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use symbolon_protocol::access_token::{self, AccessTokenClaims, AccessTokenError};
use symbolon_protocol::confirmation::Confirmation;
use symbolon_protocol::digest::{base64url, sha256};
use symbolon_protocol::id_jag::{self, IdJagClaims};
use symbolon_protocol::id_token::IdTokenClaims;
use symbolon_protocol::ids::{ClientId, GrantId, OrganizationId};
use symbolon_protocol::issuer::{Issuer, TenantClaim};
use symbolon_protocol::jose::claims::ClaimError;
use symbolon_protocol::jose::{Algorithm, Jwk, JwkSet, UnverifiedJwt, VerifiedJwt};
use symbolon_protocol::scope::ScopeSet;
use symbolon_protocol::time::Timestamp;

use crate::support::NOW;

/// 6.7.
const ID_JAG: &str = concat!(
    "eyJhbGciOiJFUzI1NiIsInR5cCI6Im9hdXRoLWlkLWphZytqd3QiLCJraWQiOiJpZHAtMjAyNi0xMSJ9.",
    "eyJpc3MiOiJodHRwczovL2lkcC5nbG9iZXguZXhhbXBsZSIsInN1YiI6IjAwdTdxMi1hZGEiLCJhdWQiOiJodHRwcz",
    "ovL2F1dGgudHJhY2tlci5leGFtcGxlL3QxIiwiY2xpZW50X2lkIjoiaHR0cHM6Ly9hZ2VudC5pbml0ZWNoLmV4YW1w",
    "bGUvb2F1dGgvY2xpZW50Lmpzb24iLCJqdGkiOiJqYWctNWQwYzFmN2U5YiIsImlhdCI6MTc5NTIwMTIwMCwiZXhwIj",
    "oxNzk1MjAxMzIwLCJyZXNvdXJjZSI6Imh0dHBzOi8vbWNwLnRyYWNrZXIuZXhhbXBsZS9tY3AiLCJzY29wZSI6Imlz",
    "c3VlczpyZWFkIGlzc3Vlczpjb21tZW50IiwiYXV0aF90aW1lIjoxNzk1MjAwNjAwLCJhY3IiOiJ1cm46Z2xvYmV4Om",
    "xvYToyIiwiYW1yIjpbInB3ZCIsIm90cCIsIm1mYSJdLCJ0ZW5hbnQiOiJnbG9iZXgtcHJvZCIsImF1ZF90ZW5hbnQi",
    "OiJ3c180NDExIiwiZW1haWwiOiJhZGFAZ2xvYmV4LmV4YW1wbGUiLCJjbmYiOnsiamt0Ijoib2RaRlBOWFNXc09Oc2",
    "9GcG9id3NKWXBXVVd0UWxPdzVaLXBhRW1BRzF5USJ9fQ.",
    "u4Bs8EtyO6oZoVInMuSmkUVP8KThZteOK76mjqF0whIPdPh0Kry73jJeaVM8Uk0CvbooGGnKlhHv_3byklYfxg",
);
/// 6.9.
const ACCESS_TOKEN: &str = concat!(
    "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImFzLTIwMjYtMTEifQ.",
    "eyJpc3MiOiJodHRwczovL2F1dGgudHJhY2tlci5leGFtcGxlL3QxIiwic3ViIjoidXNyXzlmMzEiLCJhdWQiOiJodH",
    "RwczovL21jcC50cmFja2VyLmV4YW1wbGUvbWNwIiwiY2xpZW50X2lkIjoiaHR0cHM6Ly9hZ2VudC5pbml0ZWNoLmV4",
    "YW1wbGUvb2F1dGgvY2xpZW50Lmpzb24iLCJqdGkiOiJhdC03NzEwY2UiLCJpYXQiOjE3OTUyMDEyMDIsImV4cCI6MT",
    "c5NTIwMjEwMiwic2NvcGUiOiJpc3N1ZXM6cmVhZCBpc3N1ZXM6Y29tbWVudCIsImF1dGhfdGltZSI6MTc5NTIwMDYw",
    "MCwiYWNyIjoidXJuOmdsb2JleDpsb2E6MiIsImFtciI6WyJwd2QiLCJvdHAiLCJtZmEiXSwiY25mIjp7ImprdCI6Im",
    "9kWkZQTlhTV3NPTnNvRnBvYndzSllwV1VXdFFsT3c1Wi1wYUVtQUcxeVEifX0.",
    "qdJtJjd85163FVUTRRj6ub8X297jE471hDdjaxQy-5RQzaxDbvV3KqyfanAnFWGsgjCFNxVOqOy78-OfKagi-g",
);
/// 6.10.
const DPOP_PROOF: &str = concat!(
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7ImNydiI6IlAtMjU2Iiwia3R5IjoiRUMiLCJ4Ij",
    "oicE1yRks0alVIcGRVaDJfcnhZU3kxRkhIazM2c3BzUDIyZm9JUDliSWpLcyIsInkiOiJFRUw0TERnbmo5YTlGZk1u",
    "TTVoMFdMZlVTVmFnNnBmeXZNc1R5cFF3b2EwIn19.",
    "eyJqdGkiOiJwZi0wMUoiLCJodG0iOiJQT1NUIiwiaHR1IjoiaHR0cHM6Ly9tY3AudHJhY2tlci5leGFtcGxlL21jcC",
    "IsImlhdCI6MTc5NTIwMTIwNSwiYXRoIjoiSmY1MTNtZVRjY3d1OFlTSU9fc3c0QXpVTlhJaXhwdEFPUnZyRHpnUmNR",
    "ZyJ9.",
    "4KyPu9eOriKHDO83xSAwDcaXzjK6TBC95t9pIL4j0FwQPUpOXyU32o8jHiblBEwJFheyouVBn8RqaPUfZS11rA",
);
const KEY_THUMBPRINT: &str = "odZFPNXSWsONsoFpobwsJYpWUWtQlOw5Z-paEmAG1yQ";

fn idp_key() -> Value {
    json!({
        "crv": "P-256", "kty": "EC", "kid": "idp-2026-11", "alg": "ES256", "use": "sig",
        "x": "4TF-ALkAvV9sWazYWfgfhctAE84MOAE3EeV4uXiNKyU",
        "y": "CLgv8BKj_RPv86QR24QRWR3Ke17pS4b6n-VrQ4ySoOI",
    })
}

fn as_key() -> Value {
    json!({
        "crv": "P-256", "kty": "EC", "kid": "as-2026-11", "alg": "ES256", "use": "sig",
        "x": "tFAsg4PctJZ4ghG91FhRXKgZEYbICOoHQP4C8iU7UwM",
        "y": "J3fzUxZN6HZ3QocsH6teyWpJJI_4uSFbkbEUUuWSJ8o",
    })
}

fn verified(token: &str, key: Value) -> VerifiedJwt {
    let keys = JwkSet::parse(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
    UnverifiedJwt::parse(token).unwrap().verify(&keys).unwrap()
}

fn issuer(text: &str) -> Issuer {
    Issuer::parse(text).unwrap()
}

fn client() -> ClientId {
    ClientId::parse("https://agent.initech.example/oauth/client.json").unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn payload(token: &str) -> &str {
    token.split('.').nth(1).unwrap()
}

fn written(claims: &impl Serialize) -> String {
    base64url(serde_json::to_string(claims).unwrap().as_bytes())
}

#[test]
fn the_id_jag_is_accepted_and_says_what_the_example_says() {
    let jwt = verified(ID_JAG, idp_key());
    let (idp, us, client) = (
        issuer("https://idp.globex.example"),
        "https://auth.tracker.example/t1",
        client(),
    );
    let expected = id_jag::Expectations {
        issuer: &idp,
        tenant: Some(TenantClaim {
            claim: "tenant",
            value: "globex-prod",
        }),
        audience: &[us],
        client_id: &client,
        max_lifetime: Duration::from_secs(300),
    };

    let id_jag = id_jag::verify(&jwt, &expected, at(NOW)).unwrap();

    assert_eq!(id_jag.subject, "00u7q2-ada");
    assert_eq!(id_jag.audience, us);
    assert_eq!(id_jag.jti, "jag-5d0c1f7e9b");
    assert_eq!(id_jag.expires_at, at(NOW + 120));
    assert_eq!(
        id_jag.resource.unwrap(),
        ["https://mcp.tracker.example/mcp"]
    );
    assert_eq!(
        id_jag.scope.unwrap().to_string(),
        "issues:read issues:comment"
    );
    assert_eq!(id_jag.auth_time, Some(at(1_795_200_600)));
    assert_eq!(id_jag.amr, ["pwd", "otp", "mfa"]);
    assert_eq!(id_jag.aud_tenant.as_deref(), Some("ws_4411"));
    assert_eq!(
        id_jag.confirmation,
        Some(Confirmation::Jkt(KEY_THUMBPRINT.to_owned()))
    );
}

#[test]
fn the_id_jag_we_would_write_is_the_examples() {
    let claims = IdJagClaims {
        iss: issuer("https://idp.globex.example"),
        sub: "00u7q2-ada".to_owned(),
        aud: issuer("https://auth.tracker.example/t1"),
        client_id: client(),
        jti: "jag-5d0c1f7e9b".to_owned(),
        iat: at(NOW),
        exp: at(NOW + 120),
        resource: "https://mcp.tracker.example/mcp".to_owned(),
        scope: ScopeSet::parse("issues:read issues:comment").unwrap(),
        auth_time: Some(at(1_795_200_600)),
        acr: Some("urn:globex:loa:2".to_owned()),
        amr: ["pwd", "otp", "mfa"].map(str::to_owned).to_vec(),
        tenant: Some("globex-prod".to_owned()),
        aud_tenant: Some("ws_4411".to_owned()),
        aud_sub: None,
        sub_id: None,
        email: Some("ada@globex.example".to_owned()),
        email_verified: None,
        cnf: Some(Confirmation::Jkt(KEY_THUMBPRINT.to_owned())),
    };
    assert_eq!(written(&claims), payload(ID_JAG));
}

fn access_token() -> AccessTokenClaims {
    AccessTokenClaims {
        iss: issuer("https://auth.tracker.example/t1"),
        sub: "usr_9f31".to_owned(),
        aud: "https://mcp.tracker.example/mcp".to_owned(),
        client_id: client(),
        jti: "at-7710ce".to_owned(),
        iat: at(NOW + 2),
        exp: at(NOW + 902),
        scope: ScopeSet::parse("issues:read issues:comment").unwrap(),
        auth_time: Some(at(1_795_200_600)),
        acr: Some("urn:globex:loa:2".to_owned()),
        amr: ["pwd", "otp", "mfa"].map(str::to_owned).to_vec(),
        cnf: Some(Confirmation::Jkt(KEY_THUMBPRINT.to_owned())),
        act: None,
        sid: None,
        grant_id: GrantId::parse("grant-1").unwrap(),
        org: OrganizationId::parse("globex").unwrap(),
    }
}

/// Our tokens carry two claims more than the example; they come last.
#[test]
fn the_access_token_we_would_write_is_the_examples_and_our_two_claims() {
    let ours = serde_json::to_string(&access_token()).unwrap();
    let common = ours
        .strip_suffix(r#","grant_id":"grant-1","org":"globex"}"#)
        .unwrap();
    assert_eq!(
        base64url(format!("{common}}}").as_bytes()),
        payload(ACCESS_TOKEN)
    );
}

#[test]
fn the_access_token_verifies_but_is_not_one_that_we_could_revoke() {
    let jwt = verified(ACCESS_TOKEN, as_key());
    let us = issuer("https://auth.tracker.example/t1");
    let result = access_token::verify(&jwt, &us, "https://mcp.tracker.example/mcp", at(NOW + 5));
    let missing = ClaimError::Missing { claim: "grant_id" };
    assert_eq!(result, Err(AccessTokenError::Claim(missing)));
}

/// 6.5: the payload of the ID token.
#[test]
fn the_id_token_we_would_write_is_the_examples() {
    let claims = IdTokenClaims {
        iss: issuer("https://idp.globex.example"),
        sub: "pw-agent-6f1".to_owned(),
        aud: client(),
        nonce: Some("n-88f".to_owned()),
        iat: at(1_795_200_605),
        exp: at(1_795_204_205),
        auth_time: Some(at(1_795_200_600)),
        acr: Some("urn:globex:loa:2".to_owned()),
        amr: ["pwd", "otp", "mfa"].map(str::to_owned).to_vec(),
        sid: None,
        at_hash: None,
        email: Some("ada@globex.example".to_owned()),
        email_verified: None,
        name: None,
    };
    let expected = concat!(
        r#"{"iss":"https://idp.globex.example","sub":"pw-agent-6f1","#,
        r#""aud":"https://agent.initech.example/oauth/client.json","nonce":"n-88f","#,
        r#""iat":1795200605,"exp":1795204205,"auth_time":1795200600,"acr":"urn:globex:loa:2","#,
        r#""amr":["pwd","otp","mfa"],"email":"ada@globex.example"}"#,
    );
    assert_eq!(serde_json::to_string(&claims).unwrap(), expected);
}

/// 6.10: the key in the proof is the one that both tokens are bound to.
#[test]
fn the_proof_is_signed_with_the_confirmed_key() {
    let proof = UnverifiedJwt::parse(DPOP_PROOF).unwrap();
    let key = Jwk::parse(proof.header().member("jwk").unwrap().as_object().unwrap()).unwrap();
    assert_eq!(key.thumbprint(), KEY_THUMBPRINT);
    let proof = proof
        .verify_with(&key.verification_key(Algorithm::Es256).unwrap())
        .unwrap();
    assert!(proof.has_type("dpop+jwt"));
    assert_eq!(
        proof.claims().text("ath").unwrap(),
        base64url(&sha256(ACCESS_TOKEN.as_bytes()))
    );
}
