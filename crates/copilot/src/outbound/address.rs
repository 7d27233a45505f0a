//! What an address is: its text read once, and the class of an IP address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::Refused;

/// The longest address that is accepted, in bytes.
const MAX_BYTES: usize = 2048;

/// Cloud metadata services: an answer from one is a credential. AWS, Azure, GCP and others share the first.
const METADATA_V4: [Ipv4Addr; 5] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// The metadata service of AWS over IPv6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// What an IP address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Reachable from everywhere.
    Public,
    /// This machine or this organisation's network.
    Private,
    /// Reserved for something that is no server of a user; only the operator's list opens it.
    Special,
    /// Never asked, whatever the list says: metadata, multicast, "this network".
    Never,
}

/// Reads an address and refuses every spelling that two programs could read differently.
///
/// The answer ends in `/`, so that paths can be put below it.
///
/// # Errors
/// When it is not a plain http or https address.
pub fn parse(text: &str) -> Result<Url, Refused> {
    if text.is_empty() || text.len() > MAX_BYTES {
        return Err(Refused("it is empty or longer than 2,048 bytes"));
    }
    if text.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == '\\') {
        return Err(Refused("it contains a blank, a backslash or a control character"));
    }
    if text.contains(['?', '#']) {
        return Err(Refused("it must end before `?` and `#`"));
    }
    let (scheme, rest) = text.split_once("://").ok_or(Refused("it must begin with http:// or https://"))?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(Refused("it must begin with http:// or https://"));
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains(['@', '%', '_']) {
        return Err(Refused("its host contains a user name or a character that no host has"));
    }
    let mut url = Url::parse(text).map_err(|_| Refused("it is not a valid address"))?;
    check_host(&url, authority)?;
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// As [`parse`], for an address that is asked exactly as it is written: its path gets no `/`, and it may have a query.
///
/// # Errors
/// As [`parse`].
pub fn parse_exact(text: &str) -> Result<Url, Refused> {
    if text.len() > MAX_BYTES {
        return Err(Refused("it is empty or longer than 2,048 bytes"));
    }
    let (place, query) = text.split_once('?').map_or((text, None), |(place, query)| (place, Some(query)));
    let hostile =
        |letter: char| letter.is_control() || letter.is_whitespace() || ['\\', '#'].contains(&letter);
    if query.is_some_and(|query| query.chars().any(hostile)) {
        return Err(Refused("its query contains a blank, a backslash, `#` or a control character"));
    }
    let mut url = parse(place)?;
    if !place.ends_with('/') && url.path() != "/" {
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
    }
    url.set_query(query);
    Ok(url)
}

/// Refuses hosts that are an IP address in disguise, and names that can't exist.
fn check_host(url: &Url, authority: &str) -> Result<(), Refused> {
    match url.host() {
        Some(Host::Ipv4(ip)) => {
            let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
            let plain = host == ip.to_string();
            if plain { Ok(()) } else { Err(Refused("write an IPv4 address as four decimal numbers")) }
        }
        Some(Host::Ipv6(_)) => Ok(()),
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            let fits = !name.is_empty()
                && name.len() <= 253
                && name.split('.').all(|label| !label.is_empty() && label.len() <= 63);
            if fits { Ok(()) } else { Err(Refused("its host is not a valid name")) }
        }
        None => Err(Refused("it has no host")),
    }
}

/// The class of an address; one that carries an IPv4 address inside is judged by the inner one.
pub fn class(ip: IpAddr) -> Class {
    match ip {
        IpAddr::V4(ip) => class_v4(ip),
        IpAddr::V6(ip) => class_v6(ip),
    }
}

/// IANA's special-purpose registry for IPv4.
fn class_v4(ip: Ipv4Addr) -> Class {
    if METADATA_V4.contains(&ip) {
        return Class::Never;
    }
    match ip.octets() {
        [0, ..] | [224..=239, ..] | [255, 255, 255, 255] => Class::Never,
        [10, ..] | [127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Class::Private,
        [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [240..=255, ..] => Class::Special,
        _ => Class::Public,
    }
}

/// IANA's special-purpose registry for IPv6.
fn class_v6(ip: Ipv6Addr) -> Class {
    if ip == METADATA_V6 || ip == Ipv6Addr::UNSPECIFIED {
        return Class::Never;
    }
    if ip == Ipv6Addr::LOCALHOST {
        return Class::Private;
    }
    if let Some(inner) = ip.to_ipv4_mapped() {
        return class_v4(inner);
    }
    match ip.segments() {
        [0xff00..=0xffff, ..] => Class::Never,
        [0xfc00..=0xfdff, ..] => Class::Private,
        // ::/96 (compatible), NAT64, discard, 2001::/23, documentation, 6to4, SRv6, link-local.
        [0, 0, 0, 0, 0, 0, ..]
        | [0x64, 0xff9b, ..]
        | [0x100, 0, 0, 0, ..]
        | [0x2001, 0..=0x1ff, ..]
        | [0x2001, 0xdb8, ..]
        | [0x2002, ..]
        | [0x3fff, 0..=0x0fff, ..]
        | [0x5f00, ..]
        | [0xfe80..=0xfeff, ..] => Class::Special,
        [0x2000..=0x3fff, ..] => Class::Public,
        _ => Class::Special,
    }
}
