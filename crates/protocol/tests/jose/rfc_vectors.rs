//! The vectors of RFC 7515, 7517, 7519, 7638 and 8037.

use serde_json::{Value, json};
use symbolon_protocol::digest::from_base64url;
use symbolon_protocol::jose::{
    Algorithm, Jwk, JwkError, JwkSet, JwkSetError, JwtError, SelectError, UnverifiedJwt,
};

/// RFC 7515 A.2.1, with line breaks removed.
const RSA_SIGNED: &str = concat!(
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm",
    "NvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AA",
    "uHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75v",
    "RK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7",
    "noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
);
/// RFC 7515 A.2.1, the public half.
const RSA_MODULUS: &str = concat!(
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4",
    "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re",
    "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX",
    "FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
);
/// RFC 7515 A.3.1.
const EC_SIGNED: &str = concat!(
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm",
    "NvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmW",
    "QxfKTUJqPP3-Kg6NU1Q",
);
/// RFC 7517 A.1 and RFC 7638 §3.1.
const RSA_MODULUS_2011: &str = concat!(
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP",
    "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY",
    "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f",
    "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
);

fn set(keys: Value) -> Result<JwkSet, JwkSetError> {
    JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

fn jwk(key: Value) -> Result<Jwk, JwkError> {
    Jwk::parse(key.as_object().unwrap())
}

fn rsa_2011() -> Value {
    json!({"kty": "RSA", "n": RSA_MODULUS_2011, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})
}

fn ec_a3() -> Value {
    json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

#[test]
fn rfc7515_a2_verifies() {
    let keys = set(json!([{"kty": "RSA", "n": RSA_MODULUS, "e": "AQAB"}])).unwrap();
    let jwt = UnverifiedJwt::parse(RSA_SIGNED)
        .unwrap()
        .verify(&keys)
        .unwrap();
    assert_eq!(jwt.claims().text("iss"), Ok("joe"));
    assert_eq!(
        jwt.claims().value("http://example.com/is_root"),
        Some(&json!(true))
    );
}

#[test]
fn rfc7515_a3_verifies() {
    let keys = set(json!([ec_a3()])).unwrap();
    let jwt = UnverifiedJwt::parse(EC_SIGNED)
        .unwrap()
        .verify(&keys)
        .unwrap();
    assert_eq!(
        jwt.claims().time("exp").unwrap().unix_seconds(),
        1_300_819_380
    );
}

#[test]
fn a_vector_does_not_verify_with_the_key_of_another() {
    let both = set(json!([ec_a3(), rsa_2011()])).unwrap();
    let jwt = UnverifiedJwt::parse(RSA_SIGNED).unwrap();
    assert!(matches!(jwt.verify(&both), Err(JwtError::BadSignature(_))));
}

/// RFC 7519 §3.1 and §6.1: an HMAC and an unsecured JWT (N-114).
#[test]
fn rfc7519_hmac_and_unsecured_tokens_are_refused() {
    let payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let hmac = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    let unsecured = format!("eyJhbGciOiJub25lIn0.{payload}.");
    for token in [hmac, unsecured] {
        assert!(
            matches!(UnverifiedJwt::parse(&token), Err(JwtError::Algorithm(_))),
            "{token}"
        );
    }
}

#[test]
fn rfc7517_a1_keeps_the_signing_key_and_skips_the_encryption_key() {
    let encryption = json!({
        "kty": "EC", "crv": "P-256", "use": "enc", "kid": "1",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    });
    let keys = set(json!([encryption, rsa_2011()])).unwrap();
    assert!(keys.select(Some("2011-04-29"), Algorithm::Rs256).is_ok());
    let unknown = keys.select(Some("1"), Algorithm::Es256).unwrap_err();
    assert_eq!(unknown, SelectError::UnknownKid);
}

#[test]
fn rfc7517_a2_and_a3_private_and_symmetric_keys_are_refused() {
    let private = json!({
        "kty": "EC", "crv": "P-256", "use": "enc", "kid": "1",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
    });
    let symmetric = json!({"kty": "oct", "alg": "A128KW", "k": "GawgguFyGrWKav7AX4VKUg"});
    for key in [private, symmetric] {
        assert_eq!(
            set(json!([rsa_2011(), key])).unwrap_err(),
            JwkSetError::NotPublic
        );
    }
}

#[test]
fn rfc7638_thumbprint() {
    let expected = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    assert_eq!(jwk(rsa_2011()).unwrap().thumbprint(), expected);
}

#[test]
fn rfc8037_thumbprint_and_signature() {
    let key = jwk(json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }))
    .unwrap();
    assert_eq!(
        key.thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    // The payload of A.4 is a sentence and not a JSON object, so this is a signature without a JWT.
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = from_base64url(
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    )
    .unwrap();
    let key = key.verification_key(Algorithm::EdDsa).unwrap();
    assert!(key.verify(message, &signature).is_ok());
    assert!(key.verify(b"another message", &signature).is_err());
}
