//! Telling of what lasts, such as a database that is away, once in a while, not every time that it is noticed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::http::followed_id;
use crate::seldom::Seldom;

/// What is told seldom: a message, and what of it is of a kind.
type Subject = (&'static str, &'static str);

static OUTAGES: Mutex<BTreeMap<Subject, Seldom>> = Mutex::new(BTreeMap::new());

static DEFECTS: AtomicU64 = AtomicU64::new(0);

/// How many requests failed by a defect of ours since the process started.
pub fn defects() -> u64 {
    DEFECTS.load(Ordering::Relaxed)
}

/// Counts a request that failed by a defect of ours.
pub(super) fn count_defect() {
    DEFECTS.fetch_add(1, Ordering::Relaxed);
    metrics::counter!("sre_copilot_internal_errors_total").increment(1);
}

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
        let request_id = followed_id();
        tracing::error!(request_id, error = error.to_string(), times, "the database does not answer");
    }
}

/// Logs that the database refused what it may do later: its disk is full, or others were faster.
pub(super) fn log_refusal(error: &sqlx::Error) {
    metrics::counter!("sre_copilot_database_errors_total").increment(1);
    if let Some(times) = seldom("the database could not do it now", "") {
        let request_id = followed_id();
        tracing::error!(request_id, error = error.to_string(), times, "the database could not do it now");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_kind_keeps_no_other_quiet() {
        assert_eq!(seldom("a test", "one"), Some(1));
        assert_eq!(seldom("a test", "one"), None);
        assert_eq!(seldom("a test", "other"), Some(1));
        assert_eq!(seldom("another test", "one"), Some(1));
    }
}
