//! Attacks on the issuance of ID-JAGs at `/idp/{organization}` (requirements N-160 to N-181, but for
//! SAML and DPoP, which this version does not offer).

#[path = "../support/mod.rs"]
mod support;

mod decision;
mod subject_token;
mod target;

pub(crate) use std::time::Duration;

pub(crate) use serde_json::json;
pub(crate) use support::{
    As, FILES, Form, ID_JAG_TYPE, ID_TOKEN_TYPE, JWT_BEARER, Product, REFRESH_TOKEN_TYPE, Reply,
    SignIn, TOKEN_EXCHANGE, TRACKER, VAULT, claims, form, jose_header, other_end, set, unset,
};
pub(crate) use symbolon_protocol::ids::{OrganizationId, SessionId, UserId};
pub(crate) use symbolon_storage::audit::By;
pub(crate) use symbolon_storage::revocation::{self, Subject};
pub(crate) use symbolon_storage::user;
pub(crate) use symbolon_testkit::{Signer, Token};
pub(crate) use tokio::time::timeout;

pub(crate) const PARTNER: &str = "https://as.partner.example";

pub(crate) const PARTNER_MCP: &str = "https://mcp.partner.example/mcp";

pub(crate) const STRICT: &str = "https://as.strict.example";

pub(crate) const FRESH: &str = "https://mcp.strict.example/fresh";

pub(crate) const STRONG: &str = "https://mcp.strict.example/strong";

/// Exchanges a sign-in for an ID-JAG for the partner, right in every respect.
pub(crate) fn exchange(id_token: &str) -> Form {
    form([
        ("grant_type", TOKEN_EXCHANGE),
        ("requested_token_type", ID_JAG_TYPE),
        ("subject_token", id_token),
        ("subject_token_type", ID_TOKEN_TYPE),
        ("audience", PARTNER),
        ("resource", PARTNER_MCP),
        ("scope", "docs:read"),
    ])
}

pub(crate) fn to(form: Form, audience: &str, resource: &str, scope: &str) -> Form {
    set(
        set(set(form, "audience", audience), "resource", resource),
        "scope",
        scope,
    )
}

pub(crate) async fn ask(product: &Product, form: &Form) -> Reply {
    product
        .token("idp/acme", As::Client("idp-desk"), form)
        .await
}

pub(crate) async fn id_token(product: &Product) -> String {
    SignIn::to_acme().tokens(product).await.text("id_token")
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
