//! How often an integration may send, where its settings say so; by default as often as it likes.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;

use super::token::Proof;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::IntegrationId;
use crate::redis::limit::{Cell, Counted};

/// Integrations that are counted at most; who was not heard of for the longest time begins anew.
const MOST: u64 = 10_000;

/// After so long without a request a cell is full again.
const IDLE: Duration = Duration::from_secs(60);

/// A sender tries again after 503 and after nothing else.
const TOO_OFTEN: Error = Error::Unavailable(
    "ingest-overloaded",
    "this integration sends more often than its setting requests_per_minute allows; send it again",
);

/// The requests of integrations that have a rate. With Redis there is one count for all processes; while it does not
/// answer, and without it, each process counts for itself.
pub struct Rates {
    own: Cache<(IntegrationId, NonZeroU32), Arc<DefaultDirectRateLimiter>>,
}

impl Default for Rates {
    fn default() -> Self {
        Self { own: Cache::builder().max_capacity(MOST).time_to_idle(IDLE).build() }
    }
}

impl Rates {
    /// Counts a request of the integration that `proof` names.
    ///
    /// # Errors
    /// 503 when there were too many.
    pub async fn count(&self, app: &App, proof: &Proof) -> Result<()> {
        let Some(per_minute) = proof.integration.settings.requests_per_minute.and_then(NonZeroU32::new)
        else {
            return Ok(());
        };
        let id = proof.integration.id;
        let shared =
            Cell { key: format!("sre-copilot:limit:integration:{id}"), per_minute: per_minute.get() };
        let within = match app.redis.count(&[shared]).await {
            Ok(counted) => matches!(counted, Counted::Within(_)),
            Err(_) => self.own(id, per_minute).check().is_ok(),
        };
        if within { Ok(()) } else { Err(TOO_OFTEN) }
    }

    fn own(&self, id: IntegrationId, per_minute: NonZeroU32) -> Arc<DefaultDirectRateLimiter> {
        let begin = || Arc::new(RateLimiter::direct(Quota::per_minute(per_minute)));
        self.own.get_with((id, per_minute), begin)
    }
}
