//! The product's own addresses: what it asks there would ask it again, and so on.

use std::net::IpAddr;

use url::Url;

use super::Refused;
use crate::config::Config;

/// Why they are refused.
pub const SELF: Refused = Refused("it is the address of this product itself");

/// Where this process answers.
#[derive(Clone, Debug)]
pub struct Own {
    /// What people type, with its port.
    public: Option<(String, u16)>,
    /// The ports that its services listen on, on this machine.
    ports: Vec<u16>,
}

impl Own {
    /// As the settings have it.
    pub fn of(config: &Config) -> Self {
        let listens = [
            &config.gateway_listen,
            &config.auth_listen,
            &config.incident_listen,
            &config.ai_listen,
            &config.integration_listen,
            &config.websocket_listen,
        ];
        let ports = listens.into_iter().filter_map(|listen| listen.rsplit_once(':')?.1.parse().ok());
        let public = Url::parse(&config.public_url).ok().and_then(|url| place(&url));
        Self { public, ports: ports.filter(|port| *port != 0).collect() }
    }

    /// Whether `url` is of the host that people type.
    pub fn is_named(&self, url: &Url) -> bool {
        self.public.is_some() && self.public == place(url)
    }

    /// Whether one of its services listens there.
    pub fn answers(&self, ip: IpAddr, port: u16) -> bool {
        (ip.is_loopback() || ip.is_unspecified()) && self.ports.contains(&port)
    }
}

/// The host and port of an address.
fn place(url: &Url) -> Option<(String, u16)> {
    Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
}
