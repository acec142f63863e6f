//! Key sets: what is kept, what is skipped, what is refused, and which key is chosen.

use serde_json::{Value, json};
use symbolon_protocol::jose::{
    Algorithm, Jwk, JwkError, JwkSet, JwkSetError, SelectError, SigningKey, UnverifiedJwt,
};

use crate::support::{generate, key, rsa_key, set_of};

fn parse(document: Value) -> Result<JwkSet, JwkSetError> {
    JwkSet::parse(document.to_string().as_bytes())
}

fn without(key: &SigningKey, members: &[&str]) -> Value {
    let mut jwk = key.public_jwk();
    jwk.as_object_mut()
        .unwrap()
        .retain(|name, _| !members.contains(&name.as_str()));
    jwk
}

fn changed(key: &SigningKey, member: &str, value: Value) -> Value {
    let mut jwk = key.public_jwk();
    jwk[member] = value;
    jwk
}

#[test]
fn every_algorithm_signs_what_its_public_key_verifies() {
    for algorithm in Algorithm::ALL {
        let key = generate(algorithm, "k");
        let token = key.sign("JWT", &json!({"sub": "ada"})).unwrap();
        let jwt = UnverifiedJwt::parse(&token).unwrap();
        assert_eq!(
            (jwt.algorithm(), jwt.kid()),
            (algorithm, Some("k")),
            "{algorithm}"
        );
        assert!(jwt.verify(&set_of(&[&key])).is_ok(), "{algorithm}");
        assert!(
            jwt.verify(&JwkSet::from_keys([key.jwk()])).is_ok(),
            "{algorithm}"
        );
    }
}

#[test]
fn a_key_is_chosen_by_its_kid_and_nothing_else() {
    let (first, second) = (
        generate(Algorithm::Es256, "a"),
        generate(Algorithm::Es256, "b"),
    );
    let keys = set_of(&[&first, &second]);
    let chosen = keys.select(Some("b"), Algorithm::Es256).unwrap();
    assert_eq!(chosen.kid(), Some("b"));
    let refused = |kid, algorithm| keys.select(kid, algorithm).unwrap_err();
    assert_eq!(
        refused(Some("c"), Algorithm::Es256),
        SelectError::UnknownKid
    );
    assert_eq!(
        refused(Some("a"), Algorithm::Rs256),
        SelectError::NoUsableKey
    );
    assert_eq!(refused(None, Algorithm::Es256), SelectError::Ambiguous);
    assert_eq!(refused(None, Algorithm::EdDsa), SelectError::NoUsableKey);
}

#[test]
fn without_a_kid_the_only_fitting_key_is_taken() {
    let keys = set_of(&[key(), rsa_key()]);
    assert_eq!(
        keys.select(None, Algorithm::Es256).unwrap().kid(),
        Some("k1")
    );
    let unnamed = parse(json!({"keys": [without(key(), &["kid"])]})).unwrap();
    assert!(unnamed.select(None, Algorithm::Es256).is_ok());
    let named = unnamed.select(Some("k1"), Algorithm::Es256);
    assert_eq!(named.unwrap_err(), SelectError::UnknownKid);
}

#[test]
fn two_keys_of_one_name_are_ambiguous_unless_they_are_one_key() {
    let (first, second) = (
        generate(Algorithm::Es256, "a"),
        generate(Algorithm::Es256, "a"),
    );
    let twins = set_of(&[&first, &second]);
    assert_eq!(
        twins.select(Some("a"), Algorithm::Es256).unwrap_err(),
        SelectError::Ambiguous
    );
    let same = set_of(&[&first, &first]);
    assert!(same.select(Some("a"), Algorithm::Es256).is_ok());
}

#[test]
fn an_rsa_key_without_alg_fits_both_paddings() {
    let keys = parse(json!({"keys": [without(rsa_key(), &["alg"])]})).unwrap();
    assert!(keys.select(Some("rsa"), Algorithm::Rs256).is_ok());
    assert!(keys.select(Some("rsa"), Algorithm::Ps256).is_ok());
    let named = set_of(&[rsa_key()]);
    let other = named.select(Some("rsa"), Algorithm::Ps256).unwrap_err();
    assert_eq!(other, SelectError::NoUsableKey);
}

#[test]
fn keys_that_are_not_for_our_signatures_are_skipped() {
    let skipped = [
        changed(key(), "use", json!("enc")),
        changed(key(), "key_ops", json!(["sign"])),
        changed(key(), "alg", json!("ES512")),
        changed(key(), "alg", json!("RS256")),
        changed(key(), "alg", json!("HS256")),
        changed(key(), "crv", json!("secp256k1")),
        changed(key(), "kty", json!("AKP")),
        changed(key(), "kid", json!(7)),
        without(key(), &["y"]),
        changed(key(), "x", json!("AAAA")),
        changed(key(), "x", key().public_jwk()["y"].clone()),
        changed(rsa_key(), "n", json!("AQAB")),
        changed(rsa_key(), "e", json!("AQ")),
        changed(rsa_key(), "e", json!("Ag")),
        changed(rsa_key(), "e", json!("AQABAAEAAQ")),
    ];
    for jwk in skipped {
        assert!(
            parse(json!({ "keys": [jwk.clone()] })).unwrap().is_empty(),
            "{jwk}"
        );
    }
}

#[test]
fn a_point_off_the_curve_is_no_key() {
    let jwk = changed(key(), "x", key().public_jwk()["y"].clone());
    let jwk = Jwk::parse(jwk.as_object().unwrap()).unwrap();
    assert_eq!(
        jwk.verification_key(Algorithm::Es256).unwrap_err(),
        JwkError::Malformed
    );
}

#[test]
fn a_set_that_shows_a_secret_is_refused_as_a_whole() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let leaked = changed(rsa_key(), member, json!("AQAB"));
        let set = parse(json!({"keys": [key().public_jwk(), leaked]}));
        assert_eq!(set.unwrap_err(), JwkSetError::NotPublic, "{member}");
    }
}

#[test]
fn a_set_has_a_size_and_a_form() {
    let many = vec![key().public_jwk(); 65];
    assert_eq!(
        parse(json!({ "keys": many })).unwrap_err(),
        JwkSetError::TooLarge
    );
    let long = format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(64 * 1024));
    assert_eq!(
        JwkSet::parse(long.as_bytes()).unwrap_err(),
        JwkSetError::TooLarge
    );
    for document in [json!({}), json!({"keys": {}}), json!({"keys": [1]})] {
        assert_eq!(parse(document).unwrap_err(), JwkSetError::NotAKeySet);
    }
    for text in [
        "[]",
        "{",
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[{"kty":"EC","kty":"RSA"}]}"#,
    ] {
        assert!(
            matches!(JwkSet::parse(text.as_bytes()), Err(JwkSetError::Json(_))),
            "{text}"
        );
    }
}

#[test]
fn a_leading_zero_of_a_modulus_changes_nothing() {
    use symbolon_protocol::digest::{base64url, from_base64url};
    let modulus = from_base64url(rsa_key().public_jwk()["n"].as_str().unwrap()).unwrap();
    let padded = base64url(&[&[0], modulus.as_slice()].concat());
    let jwk = Jwk::parse(changed(rsa_key(), "n", json!(padded)).as_object().unwrap()).unwrap();
    assert_eq!(&jwk, rsa_key().jwk());
    assert_eq!(jwk.thumbprint(), rsa_key().jwk().thumbprint());
}

#[test]
fn a_private_key_does_not_show_itself() {
    let pkcs8 = SigningKey::generate(Algorithm::Es256).unwrap();
    let kid = symbolon_protocol::ids::KeyId::parse("k").unwrap();
    let key = SigningKey::from_pkcs8(Algorithm::Es256, kid.clone(), &pkcs8).unwrap();
    let public = key.public_jwk();
    assert!(public.get("d").is_none() && !format!("{key:?}").contains("Pair"));
    for algorithm in [Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256] {
        assert!(
            SigningKey::from_pkcs8(algorithm, kid.clone(), &pkcs8).is_err(),
            "{algorithm}"
        );
    }
}
