//! Attacks on codes and refresh tokens (requirements N-072 to N-081; the two that need DPoP or
//! client credentials belong to later versions).

#[path = "../support/mod.rs"]
mod support;

mod code;
mod refresh;

pub(crate) use serde_json::json;
pub(crate) use support::{
    As, CALLBACK, Product, Reply, SignIn, TRACKER, WIKI, claims, form, other_end, set, unset,
};
pub(crate) use symbolon::demo::walk::Browser;
pub(crate) use symbolon_protocol::ids::{OrganizationId, SessionId, UserId};
pub(crate) use symbolon_protocol::pkce::CodeVerifier;
pub(crate) use symbolon_storage::audit::By;
pub(crate) use symbolon_storage::revocation::{self, Subject};
pub(crate) use symbolon_storage::user;

pub(crate) async fn refresh(product: &Product, client: &str, token: &str) -> Reply {
    let form = form([("grant_type", "refresh_token"), ("refresh_token", token)]);
    product.token("as", As::Client(client), &form).await
}

pub(crate) async fn is_active(product: &Product, reply: &Reply) -> bool {
    let answer = product
        .introspect("files-server", &reply.text("access_token"))
        .await;
    answer["active"]
        .as_bool()
        .expect("introspection says whether")
}

pub(crate) async fn revoke(product: &Product, subject: Subject) {
    let now = product.now();
    let revoked = product.running.store().write(move |tx| {
        Box::pin(
            async move { revocation::revoke(tx, &subject, "a test", &By::system(), now).await },
        )
    });
    revoked.await.expect("the database answers");
}
