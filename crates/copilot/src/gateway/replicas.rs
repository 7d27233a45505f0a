//! The addresses of a service that runs elsewhere, and which of them to ask.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::time::Instant;
use url::Url;

use crate::service::Service;

/// How long an address that did not answer is asked last.
const REST: Duration = Duration::from_secs(2);

/// One or more addresses that answer for the same service.
pub(super) struct Replicas {
    all: Vec<Replica>,
    turn: AtomicUsize,
    begun: Instant,
}

struct Replica {
    base: String,
    /// `HOST:PORT`.
    place: String,
    /// Until when it rests, in milliseconds since `begun`.
    rests_until_ms: AtomicU64,
}

impl Replicas {
    /// Reads the comma-separated `addresses` of `service`.
    ///
    /// # Errors
    /// When there is none, or one is not an address.
    pub fn parse(service: Service, addresses: &str) -> anyhow::Result<Self> {
        let mut all = Vec::new();
        for address in addresses.split(',').map(str::trim).filter(|address| !address.is_empty()) {
            let url = Url::parse(address)
                .with_context(|| format!("the address of {}: {address}", service.name()))?;
            let base = url.as_str().trim_end_matches('/').to_owned();
            let host = url.host_str().unwrap_or_default();
            let place = url.port_or_known_default().map_or(host.to_owned(), |port| format!("{host}:{port}"));
            all.push(Replica { base, place, rests_until_ms: AtomicU64::new(0) });
        }
        ensure!(!all.is_empty(), "the address of {} is empty", service.name());
        Ok(Self { all, turn: AtomicUsize::new(0), begun: Instant::now() })
    }

    /// Every address once, in the order to ask: in turns, the resting ones last.
    pub fn order(&self, now: Instant) -> Vec<usize> {
        let (count, now_ms) = (self.all.len(), self.ms(now));
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut order: Vec<usize> = (0..count).map(|step| first.wrapping_add(step) % count).collect();
        order.sort_by_key(|index| self.all.get(*index).is_some_and(|replica| replica.rests(now_ms)));
        order
    }

    /// The address with this place in [`Replicas::order`].
    pub fn base(&self, index: usize) -> &str {
        self.all.get(index).map_or("", |replica| &replica.base)
    }

    /// Every address.
    pub fn bases(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|replica| replica.base.as_str())
    }

    /// Where an address leads, without what it may sign in with.
    pub fn place(&self, index: usize) -> &str {
        self.all.get(index).map_or("", |replica| &replica.place)
    }

    /// Remembers that an address did not answer.
    pub fn rest(&self, index: usize, now: Instant) {
        if let Some(replica) = self.all.get(index) {
            replica.rests_until_ms.store(self.ms(now + REST), Ordering::Relaxed);
        }
    }

    fn ms(&self, at: Instant) -> u64 {
        at.duration_since(self.begun).as_millis() as u64
    }
}

impl Replica {
    fn rests(&self, now_ms: u64) -> bool {
        self.rests_until_ms.load(Ordering::Relaxed) > now_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_take_turns_and_one_that_did_not_answer_is_asked_last() {
        let replicas = Replicas::parse(Service::Auth, "http://a:1/, http://b:2,http://c:3").unwrap();
        let now = Instant::now();
        assert_eq!(replicas.base(0), "http://a:1");
        assert_eq!((replicas.order(now), replicas.order(now)), (vec![0, 1, 2], vec![1, 2, 0]));
        replicas.rest(2, now);
        assert_eq!(replicas.order(now), [0, 1, 2], "the third would have been first");
        assert_eq!(replicas.order(now), [0, 1, 2]);
        assert_eq!(replicas.order(now + REST), [1, 2, 0]);
        assert_eq!(replicas.order(now + REST), [2, 0, 1]);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in ["", " , ", "http://a:1,nonsense"] {
            assert!(Replicas::parse(Service::Auth, wrong).is_err(), "{wrong:?}");
        }
    }
}
