//! The Content-Security-Policy of our pages ([CSP 3]).
//!
//! Nothing is allowed but our own stylesheet and images, and no page can be framed (AS-41, N-019).
//! `form-action` is the one part that differs: browsers apply it to the redirects that answer a form
//! as well, so a page names the address its answer may lead to.
//!
//! [CSP 3]: https://www.w3.org/TR/CSP3/

use axum::http::HeaderValue;
use symbolon_protocol::redirect_uri::VerifiedRedirectUri;

/// The policy of one page.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContentSecurityPolicy {
    form_targets: Vec<String>,
}

impl ContentSecurityPolicy {
    /// A page without a form, or with one that stays here.
    pub(crate) fn strict() -> Self {
        Self::default()
    }

    /// A page whose form ends at the client.
    pub(crate) fn leading_to(mut self, redirect_uri: &VerifiedRedirectUri) -> Self {
        let source = redirect_uri.csp_source();
        // The grammar of host sources has no IPv6 addresses.
        let source = if source.contains('[') {
            "http:".to_owned()
        } else {
            source
        };
        self.form_targets.push(source);
        self
    }

    /// A page whose form leads to an identity provider, and from there to whatever it asks on the
    /// way.
    pub(crate) fn leading_to_identity_provider(mut self, is_https: bool) -> Self {
        self.form_targets.push("https:".to_owned());
        if !is_https {
            self.form_targets.push("http:".to_owned());
        }
        self
    }

    pub(super) fn to_header(&self) -> HeaderValue {
        let mut policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                          frame-ancestors 'none'; form-action 'self'"
            .to_owned();
        for target in &self.form_targets {
            policy.push(' ');
            policy.push_str(target);
        }
        HeaderValue::try_from(policy).expect("sources are schemes and ASCII origins")
    }
}

#[cfg(test)]
mod tests {
    use symbolon_protocol::redirect_uri::{RegisteredRedirectUri, select};

    use super::*;

    fn leading_to(redirect_uri: &str) -> HeaderValue {
        let registered = [RegisteredRedirectUri::parse(redirect_uri).unwrap()];
        let verified = select(None, &registered).unwrap();
        ContentSecurityPolicy::strict()
            .leading_to(&verified)
            .to_header()
    }

    /// N-019.
    #[test]
    fn no_page_can_be_framed_or_scripted() {
        let policy = ContentSecurityPolicy::strict().to_header();
        let policy = policy.to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; "));
        assert!(policy.contains("; frame-ancestors 'none'; "));
        assert!(!policy.contains("unsafe"));
        assert!(policy.ends_with("; form-action 'self'"));
    }

    #[test]
    fn a_form_may_end_at_the_client_only() {
        let ends = |uri, source| leading_to(uri).to_str().unwrap().ends_with(source);
        assert!(ends(
            "https://a.example/cb",
            "; form-action 'self' https://a.example"
        ));
        assert!(ends(
            "http://127.0.0.1:5000/cb",
            "; form-action 'self' http://127.0.0.1:5000"
        ));
        assert!(ends("http://[::1]:5000/cb", "; form-action 'self' http:"));
        assert!(ends(
            "com.example.app:/cb",
            "; form-action 'self' com.example.app:"
        ));
    }
}
