//! Request limits: per person or key once it is known, per network before.
//!
//! The cells (GCRA) are this process's own. Webhooks never pass here.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use uuid::Uuid;

use crate::address::{self, Proxies};
use crate::app::App;
use crate::auth::Source;
use crate::config::Config;
use crate::error::{Error, Result};

/// Clients that are counted one by one; further ones share a cell until some have been idle.
const MAX_CLIENTS: usize = 100_000;

/// Cells that are full again are forgotten after so many checks.
const SWEEP_EVERY: usize = 4096;

/// Request limits of this process, and whose word it takes for a client's address.
pub struct Limits {
    /// The proxies in front of this process.
    pub proxies: Proxies,
    cells: Option<Cells>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Client {
    /// A person or an API key.
    Principal(Uuid),
    /// Whoever has not signed in, by network.
    Stranger(IpAddr),
}

struct Cells {
    each: DefaultKeyedRateLimiter<Client>,
    crowd: DefaultDirectRateLimiter,
    checks: AtomicUsize,
    clock: DefaultClock,
}

impl Limits {
    /// The limits that the settings ask for; none when `api_requests_per_minute` is 0.
    ///
    /// # Errors
    /// When `trusted_proxies` can't be read.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let cells = NonZeroU32::new(config.api_requests_per_minute).map(|requests| Cells {
            each: RateLimiter::keyed(Quota::per_minute(requests)),
            crowd: RateLimiter::direct(Quota::per_minute(requests)),
            checks: AtomicUsize::new(0),
            clock: DefaultClock::default(),
        });
        Ok(Self { proxies: Proxies::parse(&config.trusted_proxies)?, cells })
    }

    /// Counts a request of a person or an API key.
    ///
    /// # Errors
    /// When there were too many.
    pub fn principal(&self, id: Uuid) -> Result<()> {
        self.count(Client::Principal(id))
    }

    /// Counts a request of somebody who has not signed in.
    ///
    /// # Errors
    /// When there were too many from that network.
    pub fn stranger(&self, address: IpAddr) -> Result<()> {
        self.count(Client::Stranger(address::prefix(address)))
    }

    fn count(&self, client: Client) -> Result<()> {
        let Some(cells) = &self.cells else { return Ok(()) };
        if cells.checks.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP_EVERY) {
            cells.each.retain_recent();
            cells.each.shrink_to_fit();
        }
        let counted =
            if cells.each.len() < MAX_CLIENTS { cells.each.check_key(&client) } else { cells.crowd.check() };
        counted.map_err(|until| {
            let wait = until.wait_time_from(cells.clock.now());
            Error::RateLimited("rate-limited", wait.as_secs() + 1)
        })
    }
}

/// Counts requests that carry no credential; the others are counted once it is known whose they are.
pub(super) async fn strangers(
    State(app): State<App>,
    source: Source,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let anonymous = !headers.contains_key(header::AUTHORIZATION) && !headers.contains_key(header::COOKIE);
    let api = request.uri().path().starts_with("/api/");
    if anonymous
        && api
        && let Err(error) = app.limits.stranger(source.address)
    {
        return error.into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_minute: u32) -> Limits {
        let (mut config, _) = crate::config::load(None, |_| None).unwrap();
        config.api_requests_per_minute = per_minute;
        Limits::new(&config).unwrap()
    }

    #[test]
    fn each_client_has_its_own_cell() {
        let limits = limits(5);
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        let accepted = (0..20).filter(|_| limits.principal(one).is_ok()).count();
        assert_eq!(accepted, 5);
        let Err(Error::RateLimited("rate-limited", wait)) = limits.principal(one) else {
            panic!("not limited")
        };
        assert!((1..=13).contains(&wait), "{wait}");
        assert!(limits.principal(other).is_ok());
        let v6 = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        let accepted = (0..20).filter(|last| limits.stranger(v6(*last)).is_ok()).count();
        assert_eq!(accepted, 5, "a /64 is one client");
    }

    #[test]
    fn zero_is_no_limit() {
        let limits = limits(0);
        assert!((0..10_000).all(|_| limits.principal(Uuid::nil()).is_ok()));
    }

    #[test]
    fn the_table_is_bounded() {
        let limits = limits(1);
        for n in 0..(MAX_CLIENTS as u32 + 5_000) {
            let _ = limits.stranger(IpAddr::from(n.to_be_bytes()));
        }
        let cells = limits.cells.as_ref().unwrap();
        assert!(cells.each.len() <= MAX_CLIENTS, "{}", cells.each.len());
    }
}
