//! Where people's own requests may go: the public network, and what an allow list opens.
//!
//! An address is judged where a connection is made, after the name was resolved, so that a name which
//! changes its address between check and use gains nothing. Redirects are not followed.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use model::hint::Hint;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::resolver::ResolveError;

/// The setting that opens more.
const SETTING: &str = "egress.allow";

/// Where requests may go beside the public network.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EgressPolicy {
    /// Networks, addresses and host names: `10.1.0.0/16`, `::1`, `siem.corp.example`, `*.corp.example`.
    #[serde(default)]
    pub allow: Vec<Allowed>,
}

/// One line of the allow list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Allowed {
    /// The addresses of a network.
    Network(IpNet),
    /// A host, whatever address it has.
    Host(String),
    /// Every host below a domain.
    Below(String),
}

/// A line of the allow list that says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` in `egress.allow` is no network, address or host name")]
pub struct InvalidAllowed(String);

impl Hint for InvalidAllowed {
    fn hint(&self) -> Option<String> {
        Some(
            "write `10.1.0.0/16`, `192.168.7.9`, `siem.corp.example` or `*.corp.example`"
                .to_owned(),
        )
    }
}

/// A place that requests may not go to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("request to `{host}` is refused: {address} is no address of the public network")]
pub struct EgressRefused {
    /// The host as it was asked for.
    pub host: String,
    /// The address that it has.
    pub address: IpAddr,
}

impl Hint for EgressRefused {
    fn hint(&self) -> Option<String> {
        Some(format!("if it is meant, add `{}` or the host to `{SETTING}`", self.address))
    }
}

impl TryFrom<String> for Allowed {
    type Error = InvalidAllowed;

    fn try_from(text: String) -> Result<Self, InvalidAllowed> {
        let line = text.trim().trim_end_matches('.').to_lowercase();
        if let Ok(network) = line.parse::<IpNet>() {
            return Ok(Self::Network(network));
        }
        if let Ok(address) = line.parse::<IpAddr>() {
            return Ok(Self::Network(IpNet::from(address)));
        }
        let (is_below, name) = match line.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, &*line),
        };
        match Host::parse(name) {
            Ok(Host::Domain(_)) if !name.contains(['*', '/']) && is_below => {
                Ok(Self::Below(format!(".{name}")))
            }
            Ok(Host::Domain(_)) if !name.contains(['*', '/']) => Ok(Self::Host(name.to_owned())),
            _ => Err(InvalidAllowed(text)),
        }
    }
}

impl From<Allowed> for String {
    fn from(line: Allowed) -> Self {
        match line {
            Allowed::Network(network) => network.to_string(),
            Allowed::Host(name) => name,
            Allowed::Below(name) => format!("*{name}"),
        }
    }
}

impl EgressPolicy {
    /// A policy that opens these lines.
    ///
    /// # Errors
    /// A line is no network, address or host name.
    pub fn allowing<T: Into<String>>(
        lines: impl IntoIterator<Item = T>,
    ) -> Result<Self, InvalidAllowed> {
        let allow = lines
            .into_iter()
            .map(|line| Allowed::try_from(line.into()))
            .collect::<Result<_, _>>()?;
        Ok(Self { allow })
    }

    /// Judges an address that a host has.
    ///
    /// # Errors
    /// It is not public, and nothing opens it.
    pub fn judge(&self, host: &str, address: IpAddr) -> Result<(), EgressRefused> {
        let address = plain(address);
        if is_public(address) || self.opens_host(host) || self.opens_address(address) {
            return Ok(());
        }
        Err(EgressRefused { host: host.to_owned(), address })
    }

    /// Judges a URL whose host is an address; names are judged when they are resolved.
    ///
    /// # Errors
    /// The address is not public, and nothing opens it.
    pub fn judge_url(&self, url: &Url) -> Result<(), EgressRefused> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.judge(&address.to_string(), address.into()),
            Some(Host::Ipv6(address)) => self.judge(&address.to_string(), address.into()),
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }

    fn opens_host(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_lowercase();
        self.allow.iter().any(|line| match line {
            Allowed::Network(_) => false,
            Allowed::Host(name) => *name == host,
            Allowed::Below(end) => host.ends_with(end),
        })
    }

    fn opens_address(&self, address: IpAddr) -> bool {
        self.allow.iter().any(|line| match line {
            Allowed::Network(network) => network.contains(&address),
            Allowed::Host(_) | Allowed::Below(_) => false,
        })
    }
}

/// An IPv4 address that is written as IPv6, as IPv4.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Networks of IPv4 that no public host has: RFC 6890 and multicast.
const CLOSED_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
    v4([255, 255, 255, 255], 32),
];

/// What is public of IPv6, and what is not public inside of it: transitions to IPv4, and documentation.
const OPEN_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
const CLOSED_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

const fn v4(octets: [u8; 4], length: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(groups: [u16; 8], length: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = groups;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), length)
}

/// Whether an address is one of the public network.
pub fn is_public(address: IpAddr) -> bool {
    match plain(address) {
        IpAddr::V4(address) => !CLOSED_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            OPEN_V6.contains(&address)
                && !CLOSED_V6.iter().any(|network| network.contains(&address))
        }
    }
}

/// Asks the machine's resolver and keeps only the addresses that the policy permits.
#[derive(Debug)]
pub(super) struct GuardedResolver(pub(super) Arc<EgressPolicy>);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            let addresses: Addrs = Box::new(permitted(&policy, name.as_str()).await?.into_iter());
            Ok(addresses)
        })
    }
}

/// The addresses of a name that the policy permits.
pub(super) async fn permitted(
    policy: &EgressPolicy,
    name: &str,
) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
    let found = tokio::net::lookup_host((name, 0)).await.map_err(ResolveError)?;
    let mut refused = None;
    let mut addresses = Vec::new();
    for address in found {
        match policy.judge(name, address.ip()) {
            Ok(()) => addresses.push(address),
            Err(error) => refused = Some(error),
        }
    }
    match (addresses.is_empty(), refused) {
        (true, Some(refused)) => Err(refused.into()),
        (true, None) => Err(ResolveError(io::Error::from(io::ErrorKind::NotFound)).into()),
        (false, _) => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(policy: &EgressPolicy, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| policy.judge_url(&url).is_ok())
    }

    #[test]
    fn nothing_but_the_public_network_is_open() {
        let policy = EgressPolicy::default();
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "0",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[fe80::1]",
            "[fec0::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[ff02::1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[2001:db8::1]",
            "[fd00:ec2::254]",
        ] {
            assert!(!opened(&policy, &format!("http://{host}/")), "{host}");
        }
        for host in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "[2606:4700::1111]",
            "[::ffff:1.1.1.1]",
        ] {
            assert!(opened(&policy, &format!("http://{host}/")), "{host}");
        }
    }

    #[test]
    fn the_allow_list_opens_networks_and_hosts() {
        let policy =
            EgressPolicy::allowing(["10.1.0.0/16", "::1", "Siem.corp.example.", "*.lab.example"])
                .unwrap();
        assert!(opened(&policy, "http://10.1.2.3/") && opened(&policy, "http://[::1]/"));
        assert!(!opened(&policy, "http://10.2.2.3/") && !opened(&policy, "http://127.0.0.1/"));
        let inside: IpAddr = [192, 168, 0, 1].into();
        for (host, is_open) in [
            ("siem.corp.example", true),
            ("SIEM.corp.example.", true),
            ("x.siem.corp.example", false),
            ("a.lab.example", true),
            ("lab.example", false),
            ("evillab.example", false),
        ] {
            assert_eq!(policy.judge(host, inside).is_ok(), is_open, "{host}");
        }
        for wrong in ["10.0.0.0/40", "", "*", "http://x/", "a b"] {
            assert!(EgressPolicy::allowing([wrong]).is_err(), "{wrong}");
        }
        let refused = policy.judge("evil.example", inside).unwrap_err();
        assert!(refused.hint().unwrap().contains("`egress.allow`"));
    }
}
