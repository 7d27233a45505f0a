//! Telling of a database that is away once in a while, not with every request that notices.

use std::time::Instant;

use crate::seldom::Seldom;

static OUTAGE: Seldom = Seldom::new();

/// Logs that the database did not answer, with how many noticed since it was last told.
pub(super) fn log(error: &sqlx::Error) {
    metrics::counter!("sre_copilot_database_errors_total").increment(1);
    if let Some(times) = OUTAGE.notice(Instant::now()) {
        let request_id = crate::http::followed_id();
        tracing::error!(request_id, error = error.to_string(), times, "the database does not answer");
    }
}
