//! Was a form sent by one of our own pages? ([Fetch Metadata], design §11)
//!
//! Browsers say so in `Sec-Fetch-Site`, which no page can set. One that does not send it is judged by
//! `Origin`; `null` is what our own pages send there, since they forbid referrers. The CSRF token is
//! checked in any case.
//!
//! [Fetch Metadata]: https://www.w3.org/TR/fetch-metadata/

use axum::http::{HeaderMap, header};

/// Whether a POST may come from one of our own pages.
pub(crate) fn is_same_origin(headers: &HeaderMap, own_origin: &str) -> bool {
    let text = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("invalid"))
    };
    match (text("sec-fetch-site"), text(header::ORIGIN.as_str())) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == own_origin || origin == "null",
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(pairs: &[(&'static str, &'static str)]) -> bool {
        let pairs = pairs.iter().map(|(name, value)| {
            (
                name.parse().expect("a name"),
                value.parse().expect("a value"),
            )
        });
        is_same_origin(&pairs.collect(), "https://id.example")
    }

    /// N-018.
    #[test]
    fn forms_of_other_sites_are_refused() {
        for site in ["cross-site", "same-site", "none", "", "Same-Origin"] {
            assert!(!judge(&[("sec-fetch-site", site)]), "{site:?}");
        }
        assert!(!judge(&[("origin", "https://evil.example")]));
        assert!(!judge(&[("origin", "http://id.example")]));
    }

    #[test]
    fn our_own_forms_are_accepted() {
        assert!(judge(&[
            ("sec-fetch-site", "same-origin"),
            ("origin", "null")
        ]));
        assert!(judge(&[("origin", "null")]));
        assert!(judge(&[("origin", "https://id.example")]));
        assert!(judge(&[]));
    }
}
