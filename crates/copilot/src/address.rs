//! Where a request came from, when proxies stand in between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context, ensure};
use axum::http::HeaderMap;

/// A range of addresses, such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    base: u128,
    bits: u32,
}

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Range>);

impl Proxies {
    /// Reads comma-separated ranges.
    ///
    /// # Errors
    /// When one is not an address with a prefix length.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let ranges = text.split(',').map(str::trim).filter(|range| !range.is_empty());
        ranges
            .map(|range| parse_range(range).with_context(|| format!("trusted_proxies: {range}")))
            .collect::<anyhow::Result<_>>()
            .map(Self)
    }

    /// The client's address: the peer's, or, through trusted proxies, the right-most one that is none of them.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let hops = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = hops.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut client = peer;
        for hop in hops.into_iter().rev() {
            if !self.trusts(client) {
                break;
            }
            let Ok(address) = hop.parse() else { break };
            client = address;
        }
        client.to_canonical()
    }

    /// Whether the address is one of them.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = number(address);
        self.0.iter().any(|range| (address ^ range.base).checked_shr(128 - range.bits).unwrap_or(0) == 0)
    }
}

/// The network that is counted as one client: an IPv4 address, or the first 64 bits of an IPv6 one.
pub fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

fn parse_range(text: &str) -> anyhow::Result<Range> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().context("not an address")?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Ok(width), str::parse::<u32>).context("not a prefix length")?;
    ensure!(bits <= width, "a prefix has at most {width} bits");
    Ok(Range { base: number(address), bits: 128 - width + bits })
}

/// An address as a number, IPv4 in its IPv6 form.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address when none is known, as in a test without a connection.
pub const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let cases = [
            ("", "192.0.2.1", "127.0.0.1", "192.0.2.1"),
            ("10.0.0.0/8", "10.1.2.3", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.0/8", "10.1.2.3", "127.0.0.1, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.0/8", "10.1.2.3", "198.51.100.7, 10.9.9.9", "198.51.100.7"),
            ("10.0.0.0/8", "10.1.2.3", "rubbish", "10.1.2.3"),
            ("10.0.0.0/8", "10.1.2.3", "", "10.1.2.3"),
            ("10.0.0.0/8", "11.1.2.3", "198.51.100.7", "11.1.2.3"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "198.51.100.7", "198.51.100.7"),
            ("fd00::/8, ::1", "fd12::1", "2001:db8::1", "2001:db8::1"),
            ("0.0.0.0/0", "1.2.3.4", "5.6.7.8", "5.6.7.8"),
        ];
        for (trusted, peer, forwarded, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            let client = Proxies::parse(trusted).unwrap().client(peer.parse().unwrap(), &headers);
            assert_eq!(client, expected.parse::<IpAddr>().unwrap(), "{trusted} {peer} {forwarded}");
        }
        for bad in ["10.0.0.0/33", "ten", "10.0.0.0/x", "::/129"] {
            assert!(Proxies::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_network_counts_as_one_client() {
        let of = |text: &str| prefix(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
