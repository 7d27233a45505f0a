//! Sends requests over many connections from one thread, as fast as they are answered or at a set rate.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use crate::alert_set::{AlertSet, end_when_sent};
use crate::now;
use crate::wire::Connection;

/// How much is sent.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// Every request of the set once.
    Once,
    /// The set over and over, for so long.
    For(Duration),
}

/// What the end of each alert says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Four minutes after it is sent, as Prometheus says it.
    Later,
    /// The same in every request, so that a repeat is the same bytes.
    Same,
}

/// One stretch of sending.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Connections that are kept open, each with one request at a time.
    pub connections: usize,
    /// How much is sent.
    pub amount: Amount,
    /// What the alerts say about their end.
    pub ends: Ends,
    /// Alerts a second to send, each request at its time however late the answers; none: as fast as answered.
    pub rate: Option<f64>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Alerts answered 2xx.
    pub accepted: usize,
    /// Requests answered otherwise, or not at all.
    pub refused: usize,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Milliseconds from when a request was due to its answer, in order.
    pub latencies_ms: Vec<f64>,
}

impl Outcome {
    /// Alerts accepted a second.
    pub fn rate(&self) -> f64 {
        self.accepted as f64 / self.seconds.max(1e-9)
    }

    /// The latency that `share` of the requests stayed under, in milliseconds.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        crate::report::quantile(&self.latencies_ms, share)
    }
}

/// Sends `set` to `address` as `plan` says.
///
/// # Errors
/// When no connection can be opened, or nothing at all is accepted.
pub fn send(address: &str, set: &AlertSet, plan: Plan) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut open = Vec::with_capacity(plan.connections);
        for _ in 0..plan.connections {
            open.push(Connection::open(address).await?);
        }
        let shared =
            Shared { set, plan, begun: Instant::now(), next: Cell::new(0), outcome: RefCell::default() };
        let mut working: FuturesUnordered<_> = open.into_iter().map(|one| shared.work(one)).collect();
        let mut failed = None;
        while let Some(ended) = working.next().await {
            if let Err(error) = ended {
                shared.outcome.borrow_mut().refused += 1;
                failed = Some(error);
            }
        }
        drop(working);
        let mut outcome = shared.outcome.into_inner();
        if let (0, Some(error)) = (outcome.accepted, failed) {
            return Err(error.context("nothing was accepted"));
        }
        outcome.latencies_ms.sort_by(f64::total_cmp);
        Ok(outcome)
    })
}

struct Shared<'a> {
    set: &'a AlertSet,
    plan: Plan,
    begun: Instant,
    /// The next request that nobody has taken.
    next: Cell<usize>,
    outcome: RefCell<Outcome>,
}

impl Shared<'_> {
    /// Sends on one connection until nothing is left.
    async fn work(&self, mut connection: Connection) -> anyhow::Result<()> {
        let mut buffer = Vec::new();
        let same = end_when_sent(now());
        while let Some((at, due)) = self.take() {
            let Some(batch) = self.set.batch(at) else { return Ok(()) };
            if self.plan.rate.is_some() {
                tokio::time::sleep_until(due).await;
            }
            match self.plan.ends {
                Ends::Same => batch.write(&mut buffer, &same),
                Ends::Later => batch.write(&mut buffer, &end_when_sent(now())),
            }
            let begun = if self.plan.rate.is_some() { due } else { Instant::now() };
            let status = connection.ask(&buffer).await?;
            let mut outcome = self.outcome.borrow_mut();
            outcome.latencies_ms.push(begun.elapsed().as_secs_f64() * 1e3);
            outcome.seconds = self.begun.elapsed().as_secs_f64();
            if (200..300).contains(&status) {
                outcome.accepted += batch.alerts();
            } else {
                outcome.refused += 1;
            }
        }
        Ok(())
    }

    /// The number of the next request and when it is due.
    fn take(&self) -> Option<(usize, Instant)> {
        let at = self.next.get();
        let due = match self.plan.rate {
            Some(rate) => {
                let alerts_each = self.set.alerts as f64 / self.set.requests().max(1) as f64;
                self.begun + Duration::from_secs_f64(at as f64 * alerts_each / rate.max(1.0))
            }
            None => Instant::now(),
        };
        let more = match self.plan.amount {
            Amount::Once => at < self.set.requests(),
            Amount::For(time) => due < self.begun + time,
        };
        self.next.set(at + 1);
        more.then_some((at, due))
    }
}
