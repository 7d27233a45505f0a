//! A process's own count of requests: one cell a client (GCRA), in bounded memory.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock, QuantaInstant};
use governor::middleware::{StateInformationMiddleware, StateSnapshot};
use governor::state::keyed::DefaultKeyedStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, Quota, RateLimiter};

use super::limits::Client;
use crate::redis::limit::Left;

/// Clients that are counted one by one; further ones share a cell until some have been idle.
const MAX_CLIENTS: usize = 100_000;

/// Cells that are full again are forgotten after so many checks.
const SWEEP_EVERY: usize = 4096;

type Keyed = RateLimiter<Client, DefaultKeyedStateStore<Client>, DefaultClock, StateInformationMiddleware>;
type Single = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

/// Cells of one size.
pub(super) struct Cells {
    per_minute: NonZeroU32,
    each: Keyed,
    crowd: Single,
    checks: AtomicUsize,
    clock: DefaultClock,
}

/// What is left, or how long to wait: of the client's own cell, or of the one it shares.
pub(super) enum Checked {
    Own(Result<Left, Duration>),
    Crowd(Result<Left, Duration>),
}

impl Cells {
    /// Cells that allow so many requests a minute; `None` for 0.
    pub(super) fn new(per_minute: u32) -> Option<Self> {
        let per_minute = NonZeroU32::new(per_minute)?;
        let quota = Quota::per_minute(per_minute);
        Some(Self {
            per_minute,
            each: RateLimiter::keyed(quota).with_middleware(),
            crowd: RateLimiter::direct(quota).with_middleware(),
            checks: AtomicUsize::new(0),
            clock: DefaultClock::default(),
        })
    }

    /// Counts a request of `client`.
    pub(super) fn check(&self, client: Client) -> Checked {
        if self.checks.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP_EVERY) {
            self.each.retain_recent();
            self.each.shrink_to_fit();
        }
        if self.each.len() < MAX_CLIENTS {
            Checked::Own(self.left(self.each.check_key(&client)))
        } else {
            Checked::Crowd(self.left(self.crowd.check()))
        }
    }

    fn left(&self, checked: Result<StateSnapshot, NotUntil<QuantaInstant>>) -> Result<Left, Duration> {
        let per_minute = self.per_minute.get();
        let snapshot = checked.map_err(|until| until.wait_time_from(self.clock.now()))?;
        let remaining = snapshot.remaining_burst_capacity();
        let taken = u64::from(per_minute.saturating_sub(remaining));
        let full_in = Duration::from_micros(taken.saturating_mul(60_000_000 / u64::from(per_minute)));
        Ok(Left { per_minute, remaining, full_in })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::super::limits::Door;
    use super::*;

    #[test]
    fn the_table_is_bounded() {
        let cells = Cells::new(1).unwrap();
        for n in 0..(MAX_CLIENTS as u32 + 5_000) {
            cells.check(Client::Stranger(Door::Credential, IpAddr::from(n.to_be_bytes())));
        }
        assert!(cells.each.len() <= MAX_CLIENTS, "{}", cells.each.len());
    }

    #[test]
    fn what_is_left_is_said() {
        let cells = Cells::new(60).unwrap();
        let client = Client::Known(uuid::Uuid::nil());
        let Checked::Own(Ok(left)) = cells.check(client) else { panic!("refused") };
        assert_eq!((left.per_minute, left.remaining, left.full_in.as_secs()), (60, 59, 1));
    }
}
