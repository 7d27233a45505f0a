//! The one door for requests to addresses that users configured.
//!
//! An address is checked twice: as text when it is saved ([`Outbound::check`]), and as the addresses it resolves
//! to when it is used ([`Outbound::open`]), where the connection is pinned to what was checked.

pub mod address;
pub mod allow;
mod own;
mod post;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::config::{Config, Registration};
use crate::error::Error;
use address::Class;
use allow::Allow;
use own::Own;

pub use post::Posted;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a request may take altogether.
const TOTAL: Duration = Duration::from_secs(10);

/// How much of an answer is read when nothing else is said, in bytes.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Ports of public addresses that may be asked without being listed.
const PUBLIC_PORTS: [u16; 6] = [80, 443, 3000, 8080, 9090, 9093];

/// Why an address may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this address can't be used: {0}")]
pub struct Refused(pub &'static str);

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused("url-not-allowed", refused.to_string())
    }
}

/// Why a request brought no answer; says the kind of failure and never what the other side sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The address may not be used.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The name has no address.
    #[error("its name can't be resolved")]
    Unresolved,
    /// There was no connection, or it broke.
    #[error("it can't be reached")]
    Unreachable,
    /// There was no complete answer in time.
    #[error("it did not answer in time")]
    Timeout,
    /// The answer was larger than the limit.
    #[error("its answer is too large")]
    TooLarge,
    /// No client could be made: the system has no root certificates.
    #[error("no HTTPS client can be made here")]
    Client,
}

/// What a user entered for an address to sign in there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase", tag = "type", expecting = "an object with a `type`, basic or bearer")]
pub enum Credentials {
    /// A name and a password.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: String,
    },
    /// A token.
    Bearer {
        /// The token.
        token: String,
    },
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(hidden)",
            Self::Bearer { .. } => "Bearer(hidden)",
        })
    }
}

impl Credentials {
    fn header(&self) -> Option<HeaderValue> {
        use base64::Engine as _;
        let text = match self {
            Self::Basic { username, password } => {
                let pair = format!("{username}:{password}");
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
            }
            Self::Bearer { token } => format!("Bearer {token}"),
        };
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// Sends requests to allowed addresses only.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Whether private addresses may be used without being listed: one organisation runs this.
    private: bool,
    allow: Allow,
    own: Own,
}

/// An address that was checked, with connections pinned to what it resolved to.
#[derive(Clone, Debug)]
pub struct Target {
    base: Url,
    client: reqwest::Client,
    credentials: Option<HeaderValue>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Outbound {
    /// The door as the settings want it.
    ///
    /// # Errors
    /// When the list of allowed addresses can't be read.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        // A second installation fails and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let private = config.registration != Registration::Open;
        Ok(Self { private, allow: config.outbound_allow.parse()?, own: Own::of(config) })
    }

    /// Checks an address that is about to be saved, names by what they resolve to now.
    ///
    /// A name that does not resolve is accepted: its system may not run yet, and every use checks again.
    ///
    /// # Errors
    /// When it must not be used.
    pub async fn check(&self, text: &str) -> Result<Url, Refused> {
        self.check_url(address::parse(text)?).await
    }

    async fn check_url(&self, url: Url) -> Result<Url, Refused> {
        match self.resolve(&url).await {
            Ok(_) | Err(Failure::Unresolved) => Ok(url),
            Err(Failure::Refused(refused)) => Err(refused),
            Err(_) => Err(Refused("its host can't be read")),
        }
    }

    /// Resolves and checks `text` and pins connections to the result.
    ///
    /// # Errors
    /// When the address must not be used or has no address now.
    pub async fn open(&self, text: &str, credentials: Option<&Credentials>) -> Result<Target, Failure> {
        let base = address::parse(text)?;
        let client = self.pinned(&base).await?;
        Ok(Target { base, client, credentials: credentials.and_then(Credentials::header) })
    }

    /// A client whose connections to the host of `base` go to the addresses that were checked.
    async fn pinned(&self, base: &Url) -> Result<reqwest::Client, Failure> {
        let addresses = self.resolve(base).await?;
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .referer(false);
        if let Some(Host::Domain(name)) = base.host() {
            builder = builder.resolve_to_addrs(name, &addresses);
        }
        builder.build().map_err(|_| Failure::Client)
    }

    /// The addresses behind `url`, each of which may be used.
    async fn resolve(&self, url: &Url) -> Result<Vec<SocketAddr>, Failure> {
        if self.own.is_named(url) {
            return Err(own::SELF.into());
        }
        let port = url.port_or_known_default().ok_or(Refused("it has no port"))?;
        let addresses: Vec<SocketAddr> = match url.host() {
            Some(Host::Ipv4(ip)) => vec![(ip, port).into()],
            Some(Host::Ipv6(ip)) => vec![(ip, port).into()],
            // RFC 6761, 6.3: these names mean this machine, whatever a resolver says.
            Some(Host::Domain(name)) if is_localhost(name) => {
                vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]
            }
            Some(Host::Domain(name)) => {
                let found = tokio::time::timeout(CONNECT, tokio::net::lookup_host((name, port))).await;
                found.map_err(|_| Failure::Unresolved)?.map_err(|_| Failure::Unresolved)?.collect()
            }
            None => return Err(Refused("it has no host").into()),
        };
        self.judge(&addresses)?;
        Ok(addresses)
    }

    /// Refuses a set of addresses when one of them must not be used.
    fn judge(&self, addresses: &[SocketAddr]) -> Result<(), Failure> {
        if addresses.is_empty() {
            return Err(Failure::Unresolved);
        }
        addresses
            .iter()
            .try_for_each(|address| self.judge_one(address.ip(), address.port()).map_err(Into::into))
    }

    fn judge_one(&self, ip: IpAddr, port: u16) -> Result<(), Refused> {
        if port == 0 {
            return Err(Refused("port 0 is no port"));
        }
        if self.own.answers(ip, port) {
            return Err(own::SELF);
        }
        let listed = self.allow.contains(ip, port);
        match address::class(ip) {
            Class::Never => Err(Refused("it is an address that is never asked")),
            _ if listed => Ok(()),
            Class::Special => Err(Refused("it is not a public address")),
            Class::Private if self.private => Ok(()),
            Class::Private => Err(Refused("it is a private address, and the operator has not allowed it")),
            Class::Public if PUBLIC_PORTS.contains(&port) => Ok(()),
            Class::Public => Err(Refused("its port is not one that monitoring systems use")),
        }
    }
}

impl Target {
    /// The address, with `/` at its end.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Asks for `path` below the address with `query`, and reads at most `most` bytes of the answer.
    ///
    /// # Errors
    /// When there is no complete answer.
    pub async fn get(&self, path: &str, query: &[(&str, String)], most: usize) -> Result<Answer, Failure> {
        let mut url = self.below(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.client.get(url), most).await
    }

    /// Posts a form to `path` below the address, and reads at most `most` bytes of the answer.
    ///
    /// # Errors
    /// When there is no complete answer.
    pub async fn post_form(
        &self,
        path: &str,
        form: &[(&str, String)],
        most: usize,
    ) -> Result<Answer, Failure> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.client.post(self.below(path)?);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        self.send(request, most).await
    }

    /// Posts JSON to `path` below the address, and reads at most `most` bytes of the answer.
    ///
    /// # Errors
    /// When there is no complete answer.
    pub async fn post_json(
        &self,
        path: &str,
        body: &serde_json::Value,
        most: usize,
    ) -> Result<Answer, Failure> {
        self.send(self.client.post(self.below(path)?).json(body), most).await
    }

    fn below(&self, path: &str) -> Result<Url, Failure> {
        self.base.join(path.trim_start_matches('/')).map_err(|_| Refused("its path can't be read").into())
    }

    async fn send(&self, request: reqwest::RequestBuilder, most: usize) -> Result<Answer, Failure> {
        let request = match &self.credentials {
            Some(value) => request.header(AUTHORIZATION, value.clone()),
            None => request,
        };
        let mut response = request.send().await.map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if body.len().saturating_add(chunk.len()) > most {
                return Err(Failure::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

fn failure(error: &reqwest::Error) -> Failure {
    if error.is_timeout() { Failure::Timeout } else { Failure::Unreachable }
}

#[cfg(test)]
mod tests;
