//! Where a request came from, for limits, sessions and the audit log.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};

use super::cookie::Cookie;
use crate::address;
use crate::app::App;

/// The longest user agent that is kept, in characters.
const MAX_USER_AGENT: usize = 256;

/// Who sent a request, as far as the connection tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The client's address.
    pub address: IpAddr,
    /// What the client calls itself, cut and without control characters.
    pub user_agent: String,
    /// The mark of the browser, as it was sent.
    pub device: Option<String>,
}

impl Source {
    /// Reads the connection and the headers of a request.
    pub fn of(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Self {
        let peer = extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(address::UNKNOWN, |ConnectInfo(peer)| peer.ip());
        let agent = headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        Self {
            address: app.limits.proxies.client(peer, headers),
            user_agent: agent
                .unwrap_or_default()
                .chars()
                .filter(|c| !c.is_control())
                .take(MAX_USER_AGENT)
                .collect(),
            device: Cookie::Device.read(&app.config, headers).unwrap_or_default(),
        }
    }
}

impl FromRequestParts<App> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(app, &parts.extensions, &parts.headers))
    }
}
