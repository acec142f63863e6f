//! Where a request comes from: the connection's peer, or what trusted proxies say.
//!
//! `X-Forwarded-For` grows at its right end, and only the entries that our own proxies appended are
//! theirs: the address is the right-most one that is no trusted proxy. Without a trusted peer the
//! header is somebody's claim and is not looked at.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;
use symbolon_gateway::SourceAddress;

/// The address of a caller that a trusted proxy did not name.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// More hops than any deployment has.
const MAX_HOPS: usize = 32;

/// The networks of `[trust] proxies`.
pub(super) type Proxies = Arc<[IpNet]>;

/// Puts the address where the gateway looks for it.
pub(super) async fn note(
    State(proxies): State<Proxies>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0.ip());
    if let Some(peer) = peer {
        let source = source(&proxies, peer.to_canonical(), request.headers());
        request.extensions_mut().insert(SourceAddress(source));
    }
    next.run(request).await
}

fn source(proxies: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_trusted = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let values = headers.get_all("x-forwarded-for").iter().rev();
    let texts = values.map(|value| value.to_str().unwrap_or_default());
    let hops = texts.flat_map(|text| text.rsplit(',')).take(MAX_HOPS);
    let mut nearest = peer;
    for hop in hops {
        // What cannot be read may be anybody: no policy about a network must take it for a proxy.
        let Some(address) = read(hop.trim()) else {
            return UNKNOWN;
        };
        nearest = address.to_canonical();
        if !is_trusted(&nearest) {
            break;
        }
    }
    nearest
}

/// An address, which some proxies write with the port.
fn read(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().map(|address| address.ip());
    hop.parse::<IpAddr>().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(peer: &str, forwarded: &[&str]) -> String {
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        source(&proxies, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_stranger_cannot_say_where_it_comes_from() {
        assert_eq!(asked("203.0.113.9", &["192.0.2.1"]), "203.0.113.9");
    }

    #[test]
    fn the_right_most_untrusted_hop_counts() {
        assert_eq!(
            asked("10.0.0.1", &["192.0.2.1, 203.0.113.9"]),
            "203.0.113.9"
        );
        assert_eq!(
            asked("10.0.0.1", &["192.0.2.1, 203.0.113.9, 10.0.0.2"]),
            "203.0.113.9"
        );
        assert_eq!(
            asked("10.0.0.1", &["192.0.2.1", "203.0.113.9"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn an_unreadable_hop_is_nobody_in_particular() {
        assert_eq!(asked("10.0.0.1", &["192.0.2.1, unknown"]), "0.0.0.0");
        assert_eq!(asked("10.0.0.1", &["203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(asked("10.0.0.1", &[]), "10.0.0.1");
    }
}
