//! `health`: whether a running service is well, for containers that have no other program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::Settings;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `url`, or the gateway that the settings describe, and prints what it says.
///
/// # Errors
/// When nothing answers there in time, or with another status than 200.
pub async fn health(url: Option<String>, settings: &Settings) -> anyhow::Result<()> {
    let url = match url {
        Some(url) => url,
        None => format!("http://{}/-/healthy", reachable(&settings.load()?.0.gateway_listen)),
    };
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
    let answer = client.get(&url).send().await.with_context(|| format!("asking {url}"))?;
    let status = answer.status();
    let said = answer.text().await.unwrap_or_default();
    ensure!(status.as_u16() == 200, "{url} answers {status}: {said}");
    super::print::line(said.trim())
}

/// Where somebody on this machine reaches what listens at `listen`.
fn reachable(listen: &str) -> String {
    let Ok(mut address) = listen.parse::<SocketAddr>() else { return listen.to_owned() };
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_here() {
        for (listen, asked) in [
            ("0.0.0.0:18600", "127.0.0.1:18600"),
            ("[::]:8500", "[::1]:8500"),
            ("10.0.0.7:80", "10.0.0.7:80"),
            ("localhost:8500", "localhost:8500"),
        ] {
            assert_eq!(reachable(listen), asked);
        }
    }
}
