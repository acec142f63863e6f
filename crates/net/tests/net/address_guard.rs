//! Which addresses are connected to. Every test counts what a real listener accepted.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, http::header::CONNECTION, routing::get};
use symbolon_net::{AddressRefused, FetchError, HttpClient, Names, NetConfig, UrlClass};

use crate::peer::{Authority, Peer, client, loopback, loopback_allowed};

fn hello() -> Router {
    // Closing makes the next request resolve and connect anew.
    Router::new().route("/", get(|| async { ([(CONNECTION, "close")], "hello") }))
}

fn assert_refused(result: Result<symbolon_net::Response, FetchError>) {
    match result {
        Err(error) => assert!(error.is_refusal(), "{error:?}"),
        Ok(response) => panic!("answered {}", response.status),
    }
}

/// `N-041`, `CL-08`.
#[tokio::test]
async fn an_address_that_is_not_allowed_is_refused_before_connecting() {
    let peer = Peer::start(hello()).await;
    let client = client();
    for class in [UrlClass::Stranger, UrlClass::OrganizationAdmin] {
        let plain = peer.url("/");
        let mut tls = plain.clone();
        tls.set_scheme("https").expect("a scheme");
        assert_refused(client.get(class, &plain, 100).await);
        assert_refused(client.get(class, &tls, 100).await);
    }
    assert_eq!(peer.accepted(), 0);
}

/// `N-041`, `AS-175`: a name is judged by its addresses.
#[tokio::test]
async fn a_name_at_an_address_that_is_not_allowed_is_refused_before_connecting() {
    let peer = Peer::start(hello()).await;
    let config = NetConfig {
        names: Names::answered_by(|_| loopback()),
        ..NetConfig::default()
    };
    let client = HttpClient::new(config).expect("a client");
    let mut url = peer.url_at("client.example", "/");
    url.set_scheme("https").expect("a scheme");
    for class in [
        UrlClass::Stranger,
        UrlClass::OrganizationAdmin,
        UrlClass::DeploymentAdmin,
    ] {
        let refused = client.get(class, &url, 100).await;
        let expected = AddressRefused::SpecialUse {
            host: "client.example".to_owned(),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        assert!(
            matches!(&refused, Err(FetchError::AddressRefused(found)) if *found == expected),
            "{refused:?}"
        );
    }
    assert_eq!(peer.accepted(), 0);
}

/// `N-042`: a good address beside a bad one does not help.
#[tokio::test]
async fn a_name_with_one_address_that_is_not_allowed_is_refused_as_a_whole() {
    let peer = Peer::start(hello()).await;
    let both = vec![
        IpAddr::from([93, 184, 216, 34]),
        IpAddr::V4(Ipv4Addr::LOCALHOST),
    ];
    let config = NetConfig {
        names: Names::answered_by(move |_| both.clone()),
        ..NetConfig::default()
    };
    let client = HttpClient::new(config).expect("a client");
    let mut url = peer.url_at("client.example", "/");
    url.set_scheme("https").expect("a scheme");
    assert_refused(client.get(UrlClass::Stranger, &url, 100).await);
    assert_eq!(peer.accepted(), 0);
}

#[tokio::test]
async fn an_allowed_network_is_reached_by_address_and_by_name() {
    let peer = Peer::start(hello()).await;
    let config = NetConfig {
        names: Names::answered_by(|_| loopback()),
        ..loopback_allowed()
    };
    let client = HttpClient::new(config).expect("a client");
    for url in [peer.url("/"), peer.url_at("idp.example", "/")] {
        let response = client.get(UrlClass::DeploymentAdmin, &url, 100).await;
        assert_eq!(response.expect("an answer").body, "hello");
    }
    assert_eq!(peer.accepted(), 2);
}

#[tokio::test]
async fn an_organization_admin_reaches_what_the_deployment_allowed_organizations() {
    let peer = Peer::start(hello()).await;
    let config = NetConfig {
        organization_allow: vec!["127.0.0.1/32".parse().expect("a network")],
        ..NetConfig::default()
    };
    let client = HttpClient::new(config).expect("a client");
    let url = peer.url("/");
    assert!(
        client
            .get(UrlClass::OrganizationAdmin, &url, 100)
            .await
            .is_ok()
    );
    assert_refused(client.get(UrlClass::DeploymentAdmin, &url, 100).await);
    assert_refused(client.get(UrlClass::Stranger, &url, 100).await);
    assert_eq!(peer.accepted(), 1);
}

/// `N-042`: the answer that was checked is the answer that is connected to, every time.
#[tokio::test]
async fn a_dns_answer_that_changes_leads_to_no_other_address() {
    let vetted = Peer::start(hello()).await;
    let rebound = SocketAddr::from(([127, 0, 0, 2], vetted.address.port()));
    let victim = Peer::start_at(rebound, hello()).await;
    let lookups = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&lookups);
    let config = NetConfig {
        allow: vec!["127.0.0.1/32".parse().expect("a network")],
        names: Names::answered_by(move |_| match count.fetch_add(1, Ordering::SeqCst) {
            0 => loopback(),
            _ => vec![IpAddr::from([127, 0, 0, 2])],
        }),
        ..NetConfig::default()
    };
    let client = HttpClient::new(config).expect("a client");
    let url = vetted.url_at("rebinding.example", "/");

    let first = client.get(UrlClass::DeploymentAdmin, &url, 100).await;
    assert_eq!(first.expect("an answer").body, "hello");
    assert_eq!(lookups.load(Ordering::SeqCst), 1);

    assert_refused(client.get(UrlClass::DeploymentAdmin, &url, 100).await);
    assert_eq!((vetted.accepted(), victim.accepted()), (1, 0));
}

/// `AS-175`: the development exception, and the budget that holds there too (design rule 20).
#[tokio::test]
async fn strangers_are_served_on_loopback_for_development_within_a_budget() {
    let authority = Authority::new();
    let peer = Peer::start_tls(&authority, hello()).await;
    let config = NetConfig {
        is_loopback_open_to_strangers: true,
        ca_pems: vec![authority.pem()],
        clock: symbolon_net::TestClock::at(symbolon_protocol::time::Timestamp::from_unix_seconds(
            0,
        )),
        ..NetConfig::default()
    };
    let client = HttpClient::new(config).expect("a client");
    let url = peer.url("/");
    for _ in 0..30 {
        let response = client.get(UrlClass::Stranger, &url, 100).await;
        assert_eq!(response.expect("an answer").body, "hello");
    }
    let refused = client.get(UrlClass::Stranger, &url, 100).await;
    assert!(
        matches!(refused, Err(FetchError::BudgetExhausted { .. })),
        "{refused:?}"
    );
    assert_eq!(peer.accepted(), 30);
}
