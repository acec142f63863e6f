//! Access tokens of an issuer that an administrator named for a server (design §4 rules 11 and 12,
//! §9 `access_token_issuer`; N-195, N-196).

use std::time::Duration;

use serde_json::{Value, json};
use symbolon_protocol::ids::{ConnectionId, KeyId, UserId};
use symbolon_protocol::jose::{Algorithm, SigningKey};
use symbolon_storage::StorageError;
use symbolon_storage::linked_identity::{self, ExternalSubject, TombstoneSecret};
use symbolon_storage::revocation::Subject;

use crate::builder::world;
use crate::request::call;
use crate::world::{NOW, World, organization};

struct Idp(SigningKey);

impl Idp {
    fn new() -> Self {
        let pkcs8 = SigningKey::generate(Algorithm::Es256).unwrap();
        let kid = KeyId::parse("idp-1").unwrap();
        Self(SigningKey::from_pkcs8(Algorithm::Es256, kid, &pkcs8).unwrap())
    }

    fn jwks(&self) -> Value {
        json!({"keys": [self.0.public_jwk()]})
    }

    /// A token as that provider issues it, with some claims changed; `null` removes one.
    fn token(&self, typ: &str, changes: Value) -> String {
        let now = NOW.unix_seconds();
        let mut claims = json!({
            "iss": "https://login.acme.example", "aud": "api://tracker", "sub": "pairwise",
            "oid": "ada-at-idp", "azp": "agent", "scp": "issues:read", "iat": now,
            "exp": now + 7200, "jti": "foreign-1",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        self.0.sign(typ, &claims).unwrap()
    }
}

async fn start(idp: &Idp) -> World {
    let world = world().foreign_issuer(idp.jwks()).start().await;
    link(&world, world.ada.clone()).await;
    world
}

async fn link(world: &World, user: UserId) {
    let subject = ExternalSubject {
        organization: organization("acme"),
        connection: ConnectionId::parse("acme-oidc").unwrap(),
        tenant: None,
        subject: "ada-at-idp".to_owned(),
    };
    let secret = TombstoneSecret::new(symbolon_protocol::secret::SecretBytes::new([1; 32]));
    let linked = world.store.write::<_, StorageError, _>(move |tx| {
        Box::pin(async move { linked_identity::link(tx, &subject, &user, &secret, NOW).await })
    });
    linked.await.unwrap();
}

#[tokio::test]
async fn a_named_issuers_token_is_its_linked_persons() {
    let idp = Idp::new();
    let world = start(&idp).await;
    for typ in ["at+jwt", "JWT"] {
        let token = idp.token(typ, json!({}));
        assert_eq!(
            world.post(&token, &call("list_issues")).await.status,
            200,
            "{typ}"
        );
        let answer = world.post(&token, &call("close_issue")).await;
        answer.assert_challenge(403, Some("insufficient_scope"));
    }
    let (_, _, details) = world.calls().await.remove(0);
    assert_eq!(details["user"], world.ada.as_str());
    assert_eq!(
        (&details["client"], &details["jti"]),
        (&json!("agent"), &json!("foreign-1"))
    );
}

#[tokio::test]
async fn n195_n196_other_tokens_of_that_issuer_are_refused() {
    let idp = Idp::new();
    let world = start(&idp).await;
    let now = NOW.unix_seconds();
    for changes in [
        json!({"aud": "symbolon"}),
        json!({"aud": "api://tracker/"}),
        json!({"aud": null}),
        json!({"nonce": "n"}),
        json!({"at_hash": "x"}),
        json!({"typ": "ID"}),
        json!({"scp": null}),
        json!({"scp": 7}),
        json!({"oid": null}),
        json!({"iss": "https://login.acme.example/"}),
        json!({"exp": now}),
        json!({"nbf": now + 60}),
        json!({"iat": now - 3600}),
        json!({"cnf": {"jkt": "x"}}),
    ] {
        let answer = world
            .post(&idp.token("JWT", changes.clone()), &call("list_issues"))
            .await;
        assert_eq!(answer.status, 401, "{changes}");
        answer.assert_challenge(401, Some("invalid_token"));
    }
    for typ in ["oauth-id-jag+jwt", "logout+jwt", "secevent+jwt"] {
        let answer = world
            .post(&idp.token(typ, json!({})), &call("list_issues"))
            .await;
        answer.assert_challenge(401, Some("invalid_token"));
    }
    let answer = world
        .post(&Idp::new().token("at+jwt", json!({})), &call("list_issues"))
        .await;
    answer.assert_challenge(401, Some("invalid_token"));
    world.upstream.assert_untouched();
}

#[tokio::test]
async fn somebody_who_is_not_linked_is_forbidden_and_not_sent_for_another_token() {
    let idp = Idp::new();
    let world = world().foreign_issuer(idp.jwks()).start().await;
    let answer = world
        .post(&idp.token("at+jwt", json!({})), &call("list_issues"))
        .await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("www-authenticate"), None);
}

#[tokio::test]
async fn a_foreign_token_ends_with_its_person_and_after_an_hour() {
    let idp = Idp::new();
    let mut world = start(&idp).await;
    let token = idp.token("at+jwt", json!({}));
    world.wait(3599).await;
    assert_eq!(world.post(&token, &call("list_issues")).await.status, 200);
    world.wait(1).await;
    world
        .post(&token, &call("list_issues"))
        .await
        .assert_challenge(401, Some("invalid_token"));

    let later = json!({"iat": NOW.plus(Duration::from_secs(3600)).unix_seconds()});
    let token = idp.token("at+jwt", later);
    assert_eq!(world.post(&token, &call("list_issues")).await.status, 200);
    world.revoke(Subject::User(world.ada.clone())).await;
    world
        .post(&token, &call("list_issues"))
        .await
        .assert_challenge(401, Some("invalid_token"));
}
