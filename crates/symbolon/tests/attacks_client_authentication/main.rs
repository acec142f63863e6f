//! Attacks on client authentication and on the frame of the token endpoint (requirements N-060 to
//! N-071, but for mTLS, which this version does not offer).

#[path = "../support/mod.rs"]
mod support;

mod assertion;
mod frame;
mod secret;

pub(crate) use http::{Method, header};
pub(crate) use serde_json::json;
pub(crate) use support::{
    ASSERTION_TYPE, As, FORM, Form, JWT_BEARER, Product, Reply, form, set, unset,
};
pub(crate) use symbolon_testkit::{Signer, Token};

/// Redeems a fresh ID-JAG for `notary`, who presents this client assertion.
pub(crate) async fn with_assertion(
    product: &Product,
    assertion: &str,
    more: &[(&str, &str)],
) -> Reply {
    let id_jag = product.id_jag().with("client_id", "notary").sign();
    let form = [
        form([
            ("grant_type", JWT_BEARER),
            ("assertion", &id_jag),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ]),
        support::form_of(more),
    ];
    product.token("as", As::Nobody, &form.concat()).await
}

/// A redemption by `desk`, to be broken; its client authentication comes apart from it.
pub(crate) fn redemption(product: &Product) -> Form {
    form([
        ("grant_type", JWT_BEARER),
        ("assertion", &product.id_jag().sign()),
    ])
}

pub(crate) fn basic(product: &Product) -> String {
    use base64::Engine as _;
    let pair = format!("desk:{}", product.secret("desk"));
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair)
    )
}

pub(crate) fn encoded(form: &Form) -> String {
    serde_urlencoded::to_string(form).expect("a form")
}
