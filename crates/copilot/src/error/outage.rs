//! Telling of a database that is away once in a while, not with every request that notices.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is told.
const EVERY: Duration = Duration::from_secs(10);

/// What was noticed and not told yet.
#[derive(Debug, Default)]
struct Outage {
    told_at: Option<Instant>,
    untold: u64,
}

static OUTAGE: Mutex<Outage> = Mutex::new(Outage { told_at: None, untold: 0 });

impl Outage {
    /// Counts one more; says how many there were, this one included, when it is time to tell.
    fn notice(&mut self, now: Instant) -> Option<u64> {
        self.untold += 1;
        if self.told_at.is_some_and(|told_at| now.duration_since(told_at) < EVERY) {
            return None;
        }
        self.told_at = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

/// Logs that the database did not answer, with how many noticed since it was last told.
pub(super) fn log(error: &sqlx::Error) {
    metrics::counter!("sre_copilot_database_errors_total").increment(1);
    let times = OUTAGE.lock().unwrap_or_else(PoisonError::into_inner).notice(Instant::now());
    if let Some(times) = times {
        tracing::error!(error = error.to_string(), times, "the database does not answer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_others_together() {
        let (mut outage, begin) = (Outage::default(), Instant::now());
        assert_eq!(outage.notice(begin), Some(1));
        for milliseconds in [1, 5_000, 9_999] {
            assert_eq!(outage.notice(begin + Duration::from_millis(milliseconds)), None);
        }
        assert_eq!(outage.notice(begin + EVERY), Some(4));
        assert_eq!(outage.notice(begin + 3 * EVERY), Some(1));
    }
}
