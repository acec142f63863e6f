//! Which addresses a request may be sent to.
//!
//! The registries of special-use addresses ([RFC 6890], kept by IANA) and the addresses on which
//! clouds serve credentials to their machines. IPv4 in disguise (IPv4-mapped, IPv4-compatible,
//! NAT64, 6to4, Teredo) is judged by the address inside. Link-local and metadata addresses are
//! refused whatever an administrator allowed.
//!
//! [RFC 6890]: https://www.rfc-editor.org/rfc/rfc6890

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// What an address is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AddressKind {
    /// A host on the internet.
    Global,
    /// Loopback, private, shared, documentation, reserved: reached only where `[net] allow` names
    /// it.
    SpecialUse,
    /// Link-local, cloud metadata, unspecified, multicast, broadcast: never reached.
    Forbidden,
}

/// Why no connection was opened.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressRefused {
    /// The address is link-local, a cloud metadata service, unspecified, multicast or broadcast.
    #[error("{host} is at {address}, which is never reached")]
    Forbidden {
        /// The host of the URL.
        host: String,
        /// One of its addresses.
        address: IpAddr,
    },
    /// The address is special-use and not allowed for this class of URL.
    #[error("{host} is at {address}, a special-use address: add its network to [net] allow")]
    SpecialUse {
        /// The host of the URL.
        host: String,
        /// One of its addresses.
        address: IpAddr,
    },
    /// Plain http outside the allowed networks.
    #[error("{host} is at {address}, where plain http is not allowed: use https")]
    PlainHttp {
        /// The host of the URL.
        host: String,
        /// One of its addresses.
        address: IpAddr,
    },
    /// The name has no address.
    #[error("{host} has no address")]
    NoAddress {
        /// The host of the URL.
        host: String,
    },
}

/// Networks that are always refused (RFC 3927, RFC 1122 §3.2.1.3, RFC 5771, and cloud metadata
/// services).
const FORBIDDEN_V4: [Ipv4Net; 7] = [
    v4([0, 0, 0, 0], 8), // "this network": Linux connects 0.0.0.0 to itself
    v4([169, 254, 0, 0], 16),
    v4([224, 0, 0, 0], 4),
    v4([255, 255, 255, 255], 32),
    v4([100, 100, 100, 200], 32), // Alibaba Cloud metadata
    v4([168, 63, 129, 16], 32),   // Azure platform services
    v4([192, 0, 0, 192], 32),     // Oracle Cloud metadata
];

/// Special-use IPv4 networks (IANA registry of RFC 6890 as of 2026).
const SPECIAL_V4: [Ipv4Net; 12] = [
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([240, 0, 0, 0], 4),
];

/// IPv6 networks that are always refused.
const FORBIDDEN_V6: [Ipv6Net; 8] = [
    v6([0; 8], 128),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), // local NAT64: no telling what is inside
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32), // Amazon metadata and credentials
    v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128), // Scaleway metadata
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128), // Google metadata
];

/// Parts of 2000::/3 that are special-use; everything outside 2000::/3 is too.
const SPECIAL_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // protocol assignments, Teredo, ORCHID, benchmarks
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), // 6to4
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);
const TEREDO: Ipv6Net = v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32);
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// The address that the network will see: IPv4-mapped IPv6 becomes IPv4.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Classifies an address.
pub(crate) fn kind(address: IpAddr) -> AddressKind {
    match canonical(address) {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> AddressKind {
    if FORBIDDEN_V4
        .iter()
        .any(|network| network.contains(&address))
    {
        AddressKind::Forbidden
    } else if SPECIAL_V4.iter().any(|network| network.contains(&address)) {
        AddressKind::SpecialUse
    } else {
        AddressKind::Global
    }
}

fn kind_v6(address: Ipv6Addr) -> AddressKind {
    let inside = embedded(address).map(kind_v4);
    if inside == Some(AddressKind::Forbidden) || is_within(&FORBIDDEN_V6, address) {
        AddressKind::Forbidden
    } else if NAT64.contains(&address) {
        inside.unwrap_or(AddressKind::SpecialUse)
    } else if !GLOBAL_UNICAST.contains(&address) || is_within(&SPECIAL_V6, address) {
        AddressKind::SpecialUse
    } else {
        AddressKind::Global
    }
}

/// The IPv4 address that an IPv6 transition mechanism would deliver to.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let from = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    if NAT64.contains(&address) {
        Some(from(g, h))
    } else if a == 0x2002 {
        Some(from(b, c))
    } else if TEREDO.contains(&address) {
        Some(from(!g, !h))
    } else if [a, b, c, d, e, f] == [0; 6] && address != Ipv6Addr::LOCALHOST {
        Some(from(g, h))
    } else {
        None
    }
}

fn is_within(networks: &[Ipv6Net], address: Ipv6Addr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

const fn v4(network: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = network;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(network: [u16; 8], prefix: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = network;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(address: &str) -> AddressKind {
        kind(address.parse().expect("an address"))
    }

    #[test]
    fn hosts_on_the_internet_are_global() {
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "2606:4700::1111",
            "64:ff9b::8.8.8.8",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(kind_of(address), AddressKind::Global, "{address}");
        }
    }

    /// `AS-175`, `N-041`: RFC 6890 and every way to write an IPv4 address inside IPv6.
    #[test]
    fn special_use_addresses_are_recognised_in_every_disguise() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "203.0.113.9",
            "240.0.0.1",
            "::1",
            "fc00::1",
            "fd12::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:0a00:0001::1",
            "2002:7f00:0001::",
            "2002:0808:0808::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "100::1",
            "5f00::1",
            "3fff::1",
        ] {
            assert_eq!(kind_of(address), AddressKind::SpecialUse, "{address}");
        }
    }

    #[test]
    fn link_local_and_metadata_addresses_are_forbidden_in_every_disguise() {
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "2001:0:0:0:0:0:5601:5601",
            "fe80::1",
            "fec0::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
        ] {
            assert_eq!(kind_of(address), AddressKind::Forbidden, "{address}");
        }
    }
}
