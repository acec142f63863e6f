//! Attacks on redirect URIs, by the ids of requirements §5.1.

use proptest::prelude::*;

use super::*;

fn registered(text: &str) -> RegisteredRedirectUri {
    RegisteredRedirectUri::parse(text).unwrap()
}

fn matches(requested: &str, text: &str) -> bool {
    RequestedRedirectUri::new(requested).matches(&registered(text))
}

/// N-003.
#[test]
fn https_uris_match_exactly_only() {
    let good = "https://good.example/cb";
    assert!(matches(good, good));
    for bad in [
        "https://good.example.evil.example/cb",
        "https://good.example@evil.example/cb",
        "https://good.example/cb/more",
        "https://good.example/cb?x=1",
        "https://good.example/a/%2e%2e/cb",
        "https://good.example/CB",
        "https://GOOD.example/cb",
        "https://good.example:443/cb",
        "https://good.example:8443/cb",
        "https://good.example/cb/",
        "https://good.example/cb#",
        "http://good.example/cb",
        "",
    ] {
        assert!(!matches(bad, good), "{bad}");
    }
}

/// N-005.
#[test]
fn on_loopback_the_port_is_free() {
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        let with_port = format!("http://{host}:49152/cb");
        assert!(matches(&with_port, &format!("http://{host}/cb")));
        assert!(matches(&with_port, &format!("http://{host}:3000/cb")));
        assert!(matches(&format!("http://{host}/cb"), &with_port));
    }
}

/// N-004, and tricks around the free port.
#[test]
fn on_loopback_nothing_but_the_port_is_free() {
    let good = "http://127.0.0.1:3000/cb";
    for bad in [
        "http://127.0.0.1:3000/other",
        "http://127.0.0.1:3000/cb?x=1",
        "https://127.0.0.1:3000/cb",
        "http://localhost:3000/cb",
        "http://[::1]:3000/cb",
        "http://127.0.0.1:@evil.example/cb",
        "http://127.0.0.1:3000@evil.example/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1evil.example/cb",
        "http://127.0.0.1\\.evil.example/cb",
    ] {
        assert!(!matches(bad, good), "{bad}");
    }
}

#[test]
fn dangerous_uris_cannot_be_registered() {
    use RedirectUriError::{Malformed, ReservedParameter, Scheme};
    for (text, error) in [
        ("javascript:alert(1)", Scheme),
        ("data:text/html,x", Scheme),
        ("file:///etc/passwd", Scheme),
        ("myapp:/cb", Scheme),
        ("http://app.example/cb", Scheme),
        ("http://127.0.0.2/cb", Scheme),
        ("http://localhost.evil.example/cb", Scheme),
        ("https://*.app.example/cb", Malformed),
        ("https://app.example/cb#x", Malformed),
        ("https://app.example/a/../cb", Malformed),
        ("https://user@app.example/cb", Malformed),
        ("/cb", Malformed),
        ("https://app.example/cb?state=1", ReservedParameter),
    ] {
        assert_eq!(RegisteredRedirectUri::parse(text), Err(error), "{text}");
    }
    assert_eq!(
        registered("com.example.app:/cb").kind(),
        RedirectUriKind::PrivateUse
    );
    assert_eq!(
        registered("https://app.example").kind(),
        RedirectUriKind::Https
    );
}

/// N-002.
#[test]
fn the_request_may_leave_it_out_only_where_one_is_registered() {
    let one = [registered("https://a.example/cb")];
    let two = [
        registered("https://a.example/cb"),
        registered("https://b.example/cb"),
    ];
    assert_eq!(select(None, &one).unwrap().as_str(), "https://a.example/cb");
    assert_eq!(select(None, &two), Err(RedirectUriError::Ambiguous));
    assert_eq!(select(None, &[]), Err(RedirectUriError::Ambiguous));
    let other = RequestedRedirectUri::new("https://c.example/cb");
    assert_eq!(
        select(Some(&other), &two),
        Err(RedirectUriError::NotRegistered)
    );
}

#[test]
fn pages_learn_host_and_policy_source() {
    let requested = RequestedRedirectUri::new("http://127.0.0.1:5000/cb");
    let verified = select(Some(&requested), &[registered("http://127.0.0.1/cb")]).unwrap();
    assert_eq!(verified.display_host(), "127.0.0.1");
    assert_eq!(verified.csp_source(), "http://127.0.0.1:5000");
    let app = select(None, &[registered("com.example.app:/cb")]).unwrap();
    assert_eq!(app.display_host(), "com.example.app");
    assert_eq!(app.csp_source(), "com.example.app:");
}

proptest! {
    /// Whatever matches goes to the registered host.
    #[test]
    fn a_match_never_changes_the_host(
        requested in "http://(127\\.0\\.0\\.1|localhost)[-:@./a-z0-9\\\\%]{0,20}/cb"
    ) {
        if matches(&requested, "http://127.0.0.1/cb") {
            let url = Url::parse(&requested).unwrap();
            prop_assert_eq!(url.host_str(), Some("127.0.0.1"));
            prop_assert_eq!(url.path(), "/cb");
            prop_assert_eq!(url.username(), "");
        }
    }

    #[test]
    fn parsing_never_panics(text in "\\PC*") {
        if let Ok(registered) = RegisteredRedirectUri::parse(&text) {
            let _ = registered.kind();
            prop_assert!(RequestedRedirectUri::new(text).matches(&registered));
        }
    }
}
