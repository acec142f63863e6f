//! Attacks on the redemption of an ID-JAG at `/as` (requirements N-110 to N-150, N-153, N-154).
//!
//! Every case breaks one thing about an assertion that is right otherwise; the control at the end of
//! each test is that assertion.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod parties;
mod signature;
mod subject;
mod validity;

pub(crate) use serde_json::{Value, json};
pub(crate) use support::{
    As, FILES, JWT_BEARER, Product, Reply, SignIn, TRACKER, VAULT, VENDOR, WIKI, claims, form, set,
};
pub(crate) use symbolon_protocol::digest::base64url;
pub(crate) use symbolon_storage::audit::By;
pub(crate) use symbolon_storage::linked_identity::TombstoneSecret;
pub(crate) use symbolon_storage::secret_key::{self, SecretPurpose};
pub(crate) use symbolon_storage::user;
pub(crate) use symbolon_testkit::Token;

/// Every broken assertion is refused as such; the one without the attack is redeemed.
pub(crate) async fn refused<const N: usize>(product: &Product, broken: [(&str, String); N]) {
    for (what, assertion) in broken {
        let reply = product.redeem(&assertion).await;
        assert_eq!((what, reply.status), (what, 400), "{}", reply.body());
        reply.assert_refused(400, "invalid_grant");
    }
    product
        .redeem(&product.id_jag().sign())
        .await
        .assert_issued();
}

pub(crate) async fn redeem_as(product: &Product, client: &str, assertion: &str) -> Reply {
    let form = form([("grant_type", JWT_BEARER), ("assertion", assertion)]);
    product.token("as", As::Client(client), &form).await
}
