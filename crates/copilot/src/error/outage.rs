//! Telling of what lasts, such as a database that is away, once in a while, not every time that it is noticed.

use std::collections::BTreeMap;
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

/// What is told seldom: a message, and what of it is of a kind.
type Subject = (&'static str, &'static str);

static OUTAGES: Mutex<BTreeMap<Subject, Outage>> = Mutex::new(BTreeMap::new());

/// Counts one more of what a lasting failure brings about many times a minute; says how often it was noticed since `message`
/// was last logged about this `kind`, this time included, when it is time to log it.
pub fn seldom(message: &'static str, kind: &'static str) -> Option<u64> {
    let mut outages = OUTAGES.lock().unwrap_or_else(PoisonError::into_inner);
    outages.entry((message, kind)).or_default().notice(Instant::now())
}

/// Logs that the database did not answer, with how many noticed since it was last told.
pub(super) fn log(error: &sqlx::Error) {
    metrics::counter!("sre_copilot_database_errors_total").increment(1);
    if let Some(times) = seldom("the database does not answer", "") {
        tracing::error!(error = error.to_string(), times, "the database does not answer");
    }
}

/// Logs that the database refused what it may do later: its disk is full, or others were faster.
pub(super) fn log_refusal(error: &sqlx::Error) {
    metrics::counter!("sre_copilot_database_errors_total").increment(1);
    if let Some(times) = seldom("the database could not do it now", "") {
        tracing::error!(error = error.to_string(), times, "the database could not do it now");
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

    #[test]
    fn one_kind_keeps_no_other_quiet() {
        assert_eq!(seldom("a test", "one"), Some(1));
        assert_eq!(seldom("a test", "one"), None);
        assert_eq!(seldom("a test", "other"), Some(1));
        assert_eq!(seldom("another test", "one"), Some(1));
    }
}
