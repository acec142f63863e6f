//! Two organizations on one deployment: nothing of one is of any use at the other (design §4 rules
//! 10 to 15, requirements AS-19, N-119, N-145).

mod support;

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use support::{
    As, CALLBACK, FILES, ID_JAG_TYPE, ID_TOKEN_TYPE, JWT_BEARER, Product, Reply, SignIn,
    TOKEN_EXCHANGE, VAULT, WIKI, claims, form, parameter, set,
};
use symbolon::demo::walk::Browser;
use symbolon_protocol::ids::OrganizationId;
use symbolon_storage::audit::{self, By, Filter, Scope};
use symbolon_storage::revocation::{self, Subject};

async fn redeem(product: &Product, client: &str, assertion: &str) -> Reply {
    let form = form([("grant_type", JWT_BEARER), ("assertion", assertion)]);
    product.token("as", As::Client(client), &form).await
}

fn organization(id: &str) -> OrganizationId {
    OrganizationId::parse(id).expect("an organization id")
}

#[tokio::test]
async fn a_client_of_one_identity_provider_is_unknown_at_the_other() {
    let product = Product::start().await;
    let unknown = form([("token", "unknown")]);
    let acme = product.secret("idp-desk").to_owned();
    let globex = product.secret("globex-idp-desk").to_owned();
    let at_as = product.secret("desk").to_owned();

    for (role, own, others) in [
        ("idp/acme", &acme, [&globex, &at_as]),
        ("idp/globex", &globex, [&acme, &at_as]),
        ("as", &at_as, [&acme, &globex]),
    ] {
        let path = format!("{role}/revoke");
        for other in others {
            let reply = product
                .post(&path, As::Basic("desk", other), &unknown)
                .await;
            reply.assert_refused(401, "invalid_client");
        }
        product
            .post(&path, As::Basic("desk", own), &unknown)
            .await
            .assert_status(200);
    }
    let rival = product.secret("idp-rival").to_owned();
    let reply = product
        .post("idp/globex/revoke", As::Basic("rival", &rival), &unknown)
        .await;
    reply.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn no_two_issuers_share_a_key_or_a_name() {
    let product = Product::start().await;
    let mut seen = BTreeSet::new();
    for role in ["as", "idp/acme", "idp/globex"] {
        let keys = product
            .send(Method::GET, &format!("{role}/jwks"), &[], "")
            .await
            .json();
        for key in keys["keys"].as_array().expect("keys") {
            assert!(seen.insert(key["kid"].to_string()), "{role}: {key}");
            assert!(seen.insert(key["x"].to_string()), "{role}: {key}");
        }
        let path = format!(".well-known/oauth-authorization-server/{role}");
        let metadata = product.send(Method::GET, &path, &[], "").await.json();
        assert_eq!(
            metadata["issuer"],
            format!("{}/{role}", product.public_url())
        );
    }
}

#[tokio::test]
async fn an_issuer_speaks_for_its_own_organization_only() {
    let product = Product::start().await;
    let right = || product.globex_id_jag();
    let broken = [
        (
            "globex-desk",
            right().with("resource", FILES).with("scope", "files:read"),
        ),
        (
            "globex-desk",
            right().with("resource", WIKI).with("scope", "wiki:read"),
        ),
        ("desk", right().with("client_id", "desk")),
        (
            "roamer",
            right()
                .with("client_id", "roamer")
                .with("resource", FILES)
                .with("scope", "files:read"),
        ),
        (
            "globex-desk",
            product.id_jag().with("client_id", "globex-desk"),
        ),
        (
            "roamer",
            product
                .id_jag()
                .with("client_id", "roamer")
                .with("resource", VAULT)
                .with("scope", "vault:open"),
        ),
    ];
    for (client, token) in broken {
        redeem(&product, client, &token.sign())
            .await
            .assert_refused(400, "invalid_grant");
    }
    redeem(&product, "globex-desk", &right().sign())
        .await
        .assert_issued();
    redeem(
        &product,
        "roamer",
        &right().with("client_id", "roamer").sign(),
    )
    .await
    .assert_issued();
    let acme = product.id_jag().with("client_id", "roamer");
    redeem(&product, "roamer", &acme.sign())
        .await
        .assert_issued();
}

#[tokio::test]
async fn one_subject_at_a_shared_issuer_is_two_people() {
    let product = Product::start().await;
    let shared = || {
        product
            .id_jag_of(&product.signers.shared, "https://idp.shared.example")
            .with("client_id", "roamer")
            .with("email", "admin@shared.example")
            .with("email_verified", true)
    };
    let acme = redeem(&product, "roamer", &shared().with("tenant", "acme").sign()).await;
    let globex = shared()
        .with("tenant", "globex")
        .with("resource", VAULT)
        .with("scope", "vault:open");
    let globex = redeem(&product, "roamer", &globex.sign()).await;

    let (acme, globex) = (
        claims(&acme.text("access_token")),
        claims(&globex.text("access_token")),
    );
    assert_ne!(acme["sub"], globex["sub"]);
    assert_eq!(
        (&acme["org"], &globex["org"]),
        (&json!("acme"), &json!("globex"))
    );
    assert_eq!(product.users("acme", "admin@shared.example").await.len(), 1);
    assert_eq!(
        product.users("globex", "admin@shared.example").await.len(),
        1
    );
}

#[tokio::test]
async fn a_shared_client_takes_each_person_to_her_own_servers() {
    let product = Product::start().await;
    let roamer = SignIn::to_files().client("roamer");
    let gus = roamer.clone().gus();
    for (resource, scope) in [(FILES, "files:read"), (WIKI, "wiki:read")] {
        let sign_in = gus.clone().with("resource", resource).with("scope", scope);
        let mut browser = Browser::new(product.http.clone());
        let (location, _) = sign_in.walk(&product, &mut browser).await;
        assert_eq!(parameter(&location, "code"), None, "{location}");
        assert_eq!(
            parameter(&location, "error").as_deref(),
            Some("invalid_target"),
            "{location}"
        );
    }
    roamer.tokens(&product).await.assert_issued();
    let vault = gus.with("resource", VAULT).with("scope", "vault:open");
    vault.tokens(&product).await.assert_issued();
}

#[tokio::test]
async fn a_client_of_one_organization_signs_in_nobody_of_another() {
    let product = Product::start().await;
    for sign_in in [SignIn::to_files().gus(), SignIn::to_acme().gus()] {
        let start = sign_in.start(&product);
        let mut browser = Browser::new(product.http.clone());
        let fields = [("login", "gus"), ("email", "gus@globex.example")];
        // The page goes on asking for an address, or the client is told no.
        let end = browser.walk(&start, CALLBACK, &fields).await;
        let code = end.ok().and_then(|end| parameter(&end, "code"));
        assert_eq!(code, None);
    }
    assert!(
        product
            .users("globex", "gus@globex.example")
            .await
            .is_empty(),
        "he came nowhere"
    );
    SignIn::to_globex().tokens(&product).await.assert_issued();
}

#[tokio::test]
async fn a_browser_session_is_one_of_one_issuer() {
    let product = Product::start().await;
    let mut browser = Browser::new(product.http.clone());
    let (location, _) = SignIn::to_acme().walk(&product, &mut browser).await;
    assert!(parameter(&location, "code").is_some(), "{location}");

    for other in [SignIn::to_globex(), SignIn::to_files()] {
        let silent = other.with("prompt", "none");
        let (location, _) = silent.walk(&product, &mut browser).await;
        assert_eq!(
            parameter(&location, "error").as_deref(),
            Some("login_required"),
            "{location}"
        );
    }
    let silent = SignIn::to_acme().with("prompt", "none");
    let (location, _) = silent.walk(&product, &mut browser).await;
    assert!(parameter(&location, "code").is_some(), "{location}");
}

#[tokio::test]
async fn an_id_token_is_exchanged_at_its_own_identity_provider_only() {
    let product = Product::start().await;
    let acme = SignIn::to_acme().tokens(&product).await.text("id_token");
    let globex = SignIn::to_globex().tokens(&product).await.text("id_token");
    let audience = product.authorization_server();
    let exchange = |id_token: &str, resource: &str| {
        form([
            ("grant_type", TOKEN_EXCHANGE),
            ("requested_token_type", ID_JAG_TYPE),
            ("subject_token", id_token),
            ("subject_token_type", ID_TOKEN_TYPE),
            ("audience", &audience),
            ("resource", resource),
        ])
    };

    let crossed = [
        (
            "idp/globex",
            "globex-idp-desk",
            exchange(&acme, VAULT),
            "invalid_grant",
        ),
        (
            "idp/acme",
            "idp-desk",
            exchange(&globex, FILES),
            "invalid_grant",
        ),
        (
            "idp/globex",
            "globex-idp-desk",
            exchange(&globex, FILES),
            "invalid_target",
        ),
        (
            "idp/acme",
            "idp-desk",
            exchange(&acme, VAULT),
            "invalid_target",
        ),
        (
            "idp/globex",
            "globex-idp-desk",
            set(
                exchange(&globex, VAULT),
                "audience",
                "https://as.partner.example",
            ),
            "invalid_target",
        ),
    ];
    for (role, client, form, error) in crossed {
        product
            .token(role, As::Client(client), &form)
            .await
            .assert_refused(400, error);
    }
    let (at_globex, own) = (As::Client("globex-idp-desk"), exchange(&globex, VAULT));
    product
        .token("idp/globex", at_globex, &own)
        .await
        .assert_issued();
    product
        .token("idp/acme", As::Client("idp-desk"), &exchange(&acme, FILES))
        .await
        .assert_issued();
}

#[tokio::test]
async fn a_policy_is_about_the_people_of_its_own_organization() {
    let extra = r#"
        [[policy]]
        organization = "globex"
        id = "closed"
        file = "closed.cedar"
    "#;
    let product = Product::with(extra).await;

    let closed = redeem(&product, "globex-desk", &product.globex_id_jag().sign()).await;

    closed.assert_refused(400, "invalid_grant");
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

#[tokio::test]
async fn revoking_one_organization_leaves_the_other() {
    let product = Product::start().await;
    let acme = product
        .redeem(&product.id_jag().sign())
        .await
        .text("access_token");
    let globex = redeem(&product, "globex-desk", &product.globex_id_jag().sign()).await;
    let globex = globex.text("access_token");
    let (subject, now) = (Subject::Organization(organization("acme")), product.now());

    let revoked = product.running.store().write(move |tx| {
        Box::pin(
            async move { revocation::revoke(tx, &subject, "a test", &By::system(), now).await },
        )
    });
    revoked.await.expect("the database answers");

    assert_eq!(
        product.introspect("files-server", &acme).await,
        json!({ "active": false })
    );
    assert_eq!(
        product.introspect("globex-server", &globex).await["active"],
        true
    );
}

#[tokio::test]
async fn an_audit_trail_names_nobody_of_the_neighbour() {
    let product = Product::start().await;
    let acme = product
        .redeem(&product.id_jag().sign())
        .await
        .text("access_token");
    let globex = redeem(&product, "globex-desk", &product.globex_id_jag().sign()).await;
    let globex = globex.text("access_token");
    let denied = product.globex_id_jag().with("scope", "unknown").sign();
    redeem(&product, "globex-desk", &denied)
        .await
        .assert_refused(400, "invalid_grant");

    for (own, token, other) in [("acme", &acme, &globex), ("globex", &globex, &acme)] {
        let filter = Filter {
            scope: Scope::Organization(organization(own)),
            ..Filter::default()
        };
        let read = product
            .running
            .store()
            .read(move |c| Box::pin(async move { audit::list(c, &filter, None, 500).await }));
        let events = read.await.expect("the database answers").events;
        let mentions = |jwt: &str, claim: &str| {
            let value: Value = claims(jwt)[claim].clone();
            events
                .iter()
                .any(|event| event.details.contains(value.as_str().expect("a text")))
        };
        assert!(events.iter().all(|event| event.organization == own));
        assert!(
            mentions(token, "sub") && mentions(token, "jti"),
            "its own event is there"
        );
        for claim in ["sub", "jti", "grant_id"] {
            assert!(
                !mentions(other, claim),
                "{own} sees {claim} of its neighbour"
            );
        }
    }
}
