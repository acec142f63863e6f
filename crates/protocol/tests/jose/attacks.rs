//! Attacks on the form and the signature of a token (requirements 5.5, RFC 8725).

use proptest::prelude::*;
use serde_json::{Value, json};
use symbolon_protocol::digest::{base64url, hmac_sha256};
use symbolon_protocol::jose::{Algorithm, JwtError, SelectError, UnverifiedJwt};

use crate::support::{generate, key, rsa_key, set_of, unsigned};

fn refusal(token: &str) -> JwtError {
    match UnverifiedJwt::parse(token) {
        Err(error) => error,
        Ok(jwt) => jwt.verify(&set_of(&[key(), rsa_key()])).unwrap_err(),
    }
}

fn headed(header: Value) -> String {
    unsigned(&header, &json!({"sub": "ada"}))
}

/// N-025, N-065, N-114.
#[test]
fn alg_none_is_refused_in_every_spelling() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let token = headed(json!({"alg": alg}));
        assert!(matches!(refusal(&token), JwtError::Algorithm(_)), "{alg}");
        let unsecured = format!("{}.", token.rsplit_once('.').unwrap().0);
        assert!(
            matches!(refusal(&unsecured), JwtError::Algorithm(_)),
            "{alg}"
        );
    }
}

/// N-025, N-065, N-114: the public key, which everybody has, as an HMAC secret.
#[test]
fn hmac_keyed_with_the_public_key_is_refused() {
    let secret = key().public_jwk().to_string();
    let header = base64url(json!({"alg": "HS256", "kid": "k1"}).to_string().as_bytes());
    let input = format!("{header}.{}", base64url(b"{}"));
    let mac = base64url(&hmac_sha256(secret.as_bytes(), input.as_bytes()));
    assert!(matches!(
        refusal(&format!("{input}.{mac}")),
        JwtError::Algorithm(_)
    ));
}

/// AS-95, N-115: a key in the header is not a key.
#[test]
fn an_embedded_key_is_never_used() {
    let attacker = generate(Algorithm::Es256, "k1");
    for name in ["jwk", "jku", "x5u", "x5c"] {
        let mut header = json!({"alg": "ES256", "kid": "k1"});
        header[name] = match name {
            "jwk" => attacker.public_jwk(),
            "x5c" => json!(["MIIB"]),
            _ => json!("https://evil.example/keys"),
        };
        assert!(
            matches!(refusal(&headed(header)), JwtError::BadSignature(_)),
            "{name}"
        );
    }
    let signed = attacker.sign("JWT", &json!({"sub": "ada"})).unwrap();
    assert!(matches!(refusal(&signed), JwtError::BadSignature(_)));
}

/// N-116.
#[test]
fn an_unknown_kid_is_told_apart_so_that_keys_can_be_fetched_once() {
    let stranger = generate(Algorithm::Es256, "k2")
        .sign("JWT", &json!({}))
        .unwrap();
    assert_eq!(refusal(&stranger), JwtError::Key(SelectError::UnknownKid));
}

/// A key of one algorithm under the name of another.
#[test]
fn an_algorithm_that_is_not_the_keys_is_refused() {
    let token = headed(json!({"alg": "PS256", "kid": "rsa"}));
    assert_eq!(refusal(&token), JwtError::Key(SelectError::NoUsableKey));
    let signed = rsa_key().sign("JWT", &json!({})).unwrap();
    let jwt = UnverifiedJwt::parse(&signed).unwrap();
    let keys = set_of(&[key()]);
    let other = keys.select(Some("k1"), Algorithm::Es256).unwrap();
    assert!(matches!(
        jwt.verify_with(other),
        Err(JwtError::BadSignature(_))
    ));
}

/// CVE-2022-21449 and its kin: zero, and the order of the group, as `R` and `S`.
#[test]
fn degenerate_ecdsa_signatures_are_refused() {
    let order = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let signed = key().sign("JWT", &json!({})).unwrap();
    let input = signed.rsplit_once('.').unwrap().0;
    let der = [&[0x30, 0x44, 0x02, 0x20][..], &order, &[0x02, 0x20], &order].concat();
    for signature in [
        vec![],
        vec![0; 64],
        [order, order].concat(),
        vec![1; 63],
        vec![1; 65],
        der,
    ] {
        let token = format!("{input}.{}", base64url(&signature));
        assert!(
            matches!(refusal(&token), JwtError::BadSignature(_)),
            "{signature:?}"
        );
    }
}

/// N-148.
#[test]
fn encrypted_and_nested_tokens_are_refused() {
    assert_eq!(refusal("e30.e30.e30.e30.e30"), JwtError::Encrypted);
    let header = json!({"alg": "ES256", "kid": "k1", "enc": "A128GCM"});
    assert_eq!(refusal(&headed(header)), JwtError::Encrypted);
    assert_eq!(
        refusal(&headed(json!({"alg": "ES256", "zip": "DEF"}))),
        JwtError::Encrypted
    );
    let inner = key().sign("JWT", &json!({"sub": "ada"})).unwrap();
    let header = base64url(br#"{"alg":"ES256","cty":"JWT"}"#);
    let nested = format!("{header}.{}.AA", base64url(inner.as_bytes()));
    assert!(matches!(refusal(&nested), JwtError::MalformedClaims(_)));
}

/// N-149.
#[test]
fn an_oversized_or_deep_token_is_over_a_limit() {
    let large = key()
        .sign("JWT", &json!({"x": "x".repeat(12 * 1024)}))
        .unwrap();
    assert_eq!(refusal(&large), JwtError::TooLarge);
    let long_header = headed(json!({"alg": "ES256", "kid": "x".repeat(2048)}));
    assert_eq!(refusal(&long_header), JwtError::TooLarge);
    let deep = format!("{}1{}", r#"{"a":"#.repeat(17), "}".repeat(17));
    let header = base64url(br#"{"alg":"ES256"}"#);
    let deep = format!("{header}.{}.AA", base64url(deep.as_bytes()));
    for token in [&large, &long_header, &deep] {
        assert!(refusal(token).is_oversized());
    }
    assert!(!refusal("a.b").is_oversized());
}

/// RFC 8725 §2.4: two readers of one token must not see two tokens.
#[test]
fn duplicate_members_are_refused() {
    let header = base64url(br#"{"alg":"ES256"}"#);
    let twice = base64url(br#"{"sub":"ada","sub":"bob"}"#);
    assert!(matches!(
        refusal(&format!("{header}.{twice}.AA")),
        JwtError::MalformedClaims(_)
    ));
    let nested = base64url(br#"{"act":{"sub":"ada","s\u0075b":"bob"}}"#);
    assert!(matches!(
        refusal(&format!("{header}.{nested}.AA")),
        JwtError::MalformedClaims(_)
    ));
    let header = base64url(br#"{"alg":"none","alg":"ES256"}"#);
    assert!(matches!(
        refusal(&format!("{header}.e30.AA")),
        JwtError::MalformedHeader(_)
    ));
}

#[test]
fn only_the_compact_form_is_read() {
    let signed = key().sign("JWT", &json!({"sub": "ada"})).unwrap();
    let padded = format!("{signed}==");
    let spaced = format!(" {signed}");
    let lined = format!("{signed}\n");
    for token in ["", ".", "...", "a.b.c", "e30.e30", &padded, &spaced, &lined] {
        assert_eq!(refusal(token), JwtError::NotCompact, "{token:?}");
    }
    let json = r#"{"payload":"e30","signatures":[]}"#;
    assert_eq!(refusal(json), JwtError::NotCompact);
}

/// RFC 4648 §3.5: bits beyond the last byte would give one token many names.
#[test]
fn a_signature_has_one_spelling() {
    let signed = key().sign("JWT", &json!({"sub": "ada"})).unwrap();
    let (rest, last) = signed.split_at(signed.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let accepted = alphabet.chars().filter(|other| {
        UnverifiedJwt::parse(&format!("{rest}{other}"))
            .is_ok_and(|jwt| jwt.verify(&set_of(&[key()])).is_ok())
    });
    assert_eq!(accepted.collect::<String>(), last);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = UnverifiedJwt::parse(&text);
    }

    #[test]
    fn any_parts_are_read_or_refused(header: Vec<u8>, claims: Vec<u8>, signature: Vec<u8>) {
        let parts = [base64url(&header), base64url(&claims), base64url(&signature)];
        prop_assert!(UnverifiedJwt::parse(&parts.join(".")).is_err());
    }

    #[test]
    fn a_token_with_one_changed_byte_does_not_verify(at in 0usize..10_000, byte in 0x21u8..0x7f) {
        let signed = key().sign("JWT", &json!({"sub": "ada", "iat": 1})).unwrap();
        let mut bytes = signed.clone().into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        let accepted = UnverifiedJwt::parse(&changed)
            .is_ok_and(|jwt| jwt.verify(&set_of(&[key()])).is_ok());
        prop_assert!(!accepted);
    }
}
