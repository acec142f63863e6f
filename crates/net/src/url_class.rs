//! Who chose a URL, and what it may therefore reach (design rule 21).

use std::{net::IpAddr, sync::Arc};

use ipnet::IpNet;
use url::{Host, Url};

use crate::{
    address::{self, AddressKind, AddressRefused},
    config::NetConfig,
    error::FetchError,
};

/// Who chose a URL.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum UrlClass {
    /// Anybody: client metadata documents, logos, their `jwks_uri`. https to the internet only,
    /// within a budget.
    Stranger,
    /// An administrator of an organization: may also use [`NetConfig::organization_allow`].
    OrganizationAdmin,
    /// An administrator of the deployment, also by `symbolon apply`: may also use
    /// [`NetConfig::allow`].
    DeploymentAdmin,
}

impl UrlClass {
    /// Every class, in the order of their numbers.
    pub(crate) const ALL: [Self; 3] = [
        Self::Stranger,
        Self::OrganizationAdmin,
        Self::DeploymentAdmin,
    ];
}

/// How a request travels.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Transport {
    Tls,
    Plain,
}

/// What one class of URL may reach.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    networks: Arc<[IpNet]>,
    is_plain_allowed: bool,
}

impl Reach {
    pub(crate) fn new(class: UrlClass, config: &NetConfig) -> Self {
        let networks = match class {
            UrlClass::Stranger if config.is_loopback_open_to_strangers => loopback(),
            UrlClass::Stranger => Arc::default(),
            UrlClass::OrganizationAdmin => config.organization_allow.clone().into(),
            UrlClass::DeploymentAdmin => config.allow.clone().into(),
        };
        Self {
            networks,
            is_plain_allowed: class != UrlClass::Stranger,
        }
    }

    /// Checks everything about a URL that can be known without the DNS.
    pub(crate) fn admit(&self, url: &Url) -> Result<Transport, FetchError> {
        let refused = |reason| FetchError::UrlRefused { reason };
        let transport = match url.scheme() {
            "https" => Transport::Tls,
            "http" if self.is_plain_allowed && !self.networks.is_empty() => Transport::Plain,
            "http" => return Err(refused("plain http is not allowed here: use https")),
            _ => return Err(refused("only https is allowed")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("a user name or password in a URL is not allowed"));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err(refused("the URL has no host")),
        };
        if let Some(address) = literal {
            self.permit(transport, url.host_str().unwrap_or_default(), address)?;
        }
        Ok(transport)
    }

    /// Checks one address of `host`.
    pub(crate) fn permit(
        &self,
        transport: Transport,
        host: &str,
        address: IpAddr,
    ) -> Result<(), AddressRefused> {
        let address = address::canonical(address);
        let host = || host.to_owned();
        let kind = address::kind(address);
        let is_allowed = self.networks.iter().any(|net| net.contains(&address));
        match (kind, transport) {
            (AddressKind::Forbidden, _) => Err(AddressRefused::Forbidden {
                host: host(),
                address,
            }),
            _ if is_allowed => Ok(()),
            (_, Transport::Plain) => Err(AddressRefused::PlainHttp {
                host: host(),
                address,
            }),
            (AddressKind::SpecialUse, Transport::Tls) => Err(AddressRefused::SpecialUse {
                host: host(),
                address,
            }),
            (AddressKind::Global, Transport::Tls) => Ok(()),
        }
    }
}

fn loopback() -> Arc<[IpNet]> {
    let v4 = IpNet::new_assert(IpAddr::from([127, 0, 0, 0]), 8);
    let v6 = IpNet::new_assert(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), 128);
    Arc::from([v4, v6])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> NetConfig {
        NetConfig {
            allow: vec!["127.0.0.0/8".parse().expect("a network")],
            ..NetConfig::default()
        }
    }

    fn admit(class: UrlClass, url: &str) -> Result<Transport, FetchError> {
        Reach::new(class, &config()).admit(&Url::parse(url).expect("a url"))
    }

    /// `N-041`: IPv4-mapped, decimal, octal, hexadecimal and shortened forms are addresses, not
    /// names.
    #[test]
    fn a_host_that_is_a_special_use_address_is_refused_however_it_is_written() {
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0x7f.1",
            "127.1",
            "127.0.0.1.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a00:1]",
            "10.0.0.1",
            "[fd00::1]",
        ] {
            let refused = admit(UrlClass::Stranger, &format!("https://{host}/client.json"));
            assert!(
                matches!(refused, Err(FetchError::AddressRefused(_))),
                "{host}: {refused:?}"
            );
        }
    }

    #[test]
    fn only_a_deployment_admin_uses_the_allowed_networks() {
        for url in [
            "http://127.0.0.1:9/",
            "https://127.0.0.1:9/",
            "https://2130706433/",
        ] {
            assert!(admit(UrlClass::DeploymentAdmin, url).is_ok(), "{url}");
            assert!(admit(UrlClass::OrganizationAdmin, url).is_err(), "{url}");
            assert!(admit(UrlClass::Stranger, url).is_err(), "{url}");
        }
    }

    /// Design rule 21: link-local and metadata addresses are never reached.
    #[test]
    fn metadata_addresses_are_refused_even_where_everything_is_allowed() {
        let everything = vec![
            "0.0.0.0/0".parse().expect("v4"),
            "::/0".parse().expect("v6"),
        ];
        let config = NetConfig {
            allow: everything,
            ..NetConfig::default()
        };
        let reach = Reach::new(UrlClass::DeploymentAdmin, &config);
        for host in [
            "169.254.169.254",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "2852039166",
            "0.0.0.0",
        ] {
            let url = Url::parse(&format!("http://{host}/latest/")).expect("a url");
            let refused = reach.admit(&url);
            assert!(
                matches!(
                    refused,
                    Err(FetchError::AddressRefused(AddressRefused::Forbidden { .. }))
                ),
                "{host}: {refused:?}"
            );
        }
    }

    #[test]
    fn plain_http_outside_the_allowed_networks_is_refused() {
        let refused = admit(UrlClass::DeploymentAdmin, "http://93.184.216.34/");
        assert!(
            matches!(
                refused,
                Err(FetchError::AddressRefused(AddressRefused::PlainHttp { .. }))
            ),
            "{refused:?}"
        );
        for class in [UrlClass::Stranger, UrlClass::OrganizationAdmin] {
            assert!(admit(class, "http://example.com/").is_err(), "{class:?}");
        }
    }

    #[test]
    fn other_schemes_and_credentials_in_urls_are_refused() {
        for url in [
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://a:b@example.com/",
        ] {
            let refused = admit(UrlClass::DeploymentAdmin, url);
            assert!(
                matches!(refused, Err(FetchError::UrlRefused { .. })),
                "{url}"
            );
        }
    }

    /// `AS-175`: the development exception opens loopback by https and nothing else.
    #[test]
    fn strangers_reach_loopback_only_where_the_deployment_is_on_loopback() {
        let config = NetConfig {
            is_loopback_open_to_strangers: true,
            ..config()
        };
        let reach = Reach::new(UrlClass::Stranger, &config);
        let admit = |url: &str| reach.admit(&Url::parse(url).expect("a url"));
        assert!(admit("https://127.0.0.1:8443/client.json").is_ok());
        assert!(admit("http://127.0.0.1:8080/client.json").is_err());
        assert!(admit("https://10.0.0.1/client.json").is_err());
    }
}
