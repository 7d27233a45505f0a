//! The operator's list of addresses that may be asked: `10.0.0.0/8:9090,[fd00::]/8:*`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use anyhow::{Context as _, bail};

/// Networks and their ports.
#[derive(Clone, Debug, Default)]
pub struct Allow(Vec<Entry>);

#[derive(Clone, Copy, Debug)]
struct Entry {
    network: IpAddr,
    bits: u32,
    port: Option<u16>,
}

impl Allow {
    /// Whether an entry covers this address and port; an IPv4 address inside an IPv6 one counts as itself.
    pub fn contains(&self, ip: IpAddr, port: u16) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|entry| entry.port.is_none_or(|own| own == port) && entry.covers(ip))
    }
}

impl Entry {
    fn covers(self, ip: IpAddr) -> bool {
        match (self.network, ip) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                masked_v4(network, self.bits) == masked_v4(ip, self.bits)
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => {
                masked_v6(network, self.bits) == masked_v6(ip, self.bits)
            }
            _ => false,
        }
    }
}

fn masked_v4(ip: Ipv4Addr, bits: u32) -> u32 {
    u32::from(ip) & u32::MAX.checked_shl(32 - bits).unwrap_or(0)
}

fn masked_v6(ip: Ipv6Addr, bits: u32) -> u128 {
    u128::from(ip) & u128::MAX.checked_shl(128 - bits).unwrap_or(0)
}

impl FromStr for Allow {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let read = |entry: &str| {
            parse(entry).with_context(|| {
                format!("outbound_allow: `{entry}` is not CIDR:port, such as 10.0.0.0/8:9090")
            })
        };
        entries.map(read).collect::<anyhow::Result<_>>().map(Self)
    }
}

fn parse(entry: &str) -> anyhow::Result<Entry> {
    let (network, port) = entry.rsplit_once(':').context("there is no port")?;
    let port = if port == "*" { None } else { Some(port.parse().context("the port is not a number")?) };
    let (ip, bits) = network.split_once('/').context("there is no prefix length")?;
    let network: IpAddr = ip.trim_start_matches('[').trim_end_matches(']').parse()?;
    let bits: u32 = bits.trim_end_matches(']').parse()?;
    if bits > if network.is_ipv4() { 32 } else { 128 } {
        bail!("the prefix is longer than the address");
    }
    Ok(Entry { network, bits, port })
}
