//! A second implementation (the `jsonwebtoken` crate) reads what we sign, and we read what it signs.

use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde_json::{Value, json};
use symbolon_protocol::jose::{Algorithm, JwkSet, SigningKey, UnverifiedJwt};

use crate::support::{NOW, generate};

fn foreign(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Es384 => jsonwebtoken::Algorithm::ES384,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
    }
}

#[test]
fn it_reads_what_we_sign() {
    for algorithm in Algorithm::ALL {
        let key = generate(algorithm, "k");
        let token = key
            .sign("at+jwt", &json!({"sub": "ada", "exp": NOW}))
            .unwrap();
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.public_jwk()).unwrap();
        let mut rules = Validation::new(foreign(algorithm));
        rules.validate_exp = false;
        let read = decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &rules).unwrap();
        assert_eq!(read.claims["sub"], "ada", "{algorithm}");
        assert_eq!(read.header.typ.as_deref(), Some("at+jwt"));
    }
}

#[test]
fn we_read_what_it_signs() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
        let pkcs8 = SigningKey::generate(algorithm).unwrap();
        let kid = symbolon_protocol::ids::KeyId::parse("k").unwrap();
        let key = SigningKey::from_pkcs8(algorithm, kid, &pkcs8).unwrap();
        let secret = match algorithm {
            Algorithm::EdDsa => EncodingKey::from_ed_der(&pkcs8),
            _ => EncodingKey::from_ec_der(&pkcs8),
        };
        let token = encode(
            &Header::new(foreign(algorithm)),
            &json!({"sub": "ada"}),
            &secret,
        );
        let token = token.unwrap();
        let jwt = UnverifiedJwt::parse(&token).unwrap();
        let jwt = jwt.verify(&JwkSet::from_keys([key.jwk()])).unwrap();
        assert_eq!(jwt.claims().text("sub"), Ok("ada"), "{algorithm}");
    }
}
