//! Statistics for PostgreSQL's planner while the tables grow faster than autovacuum comes by.
//!
//! It comes once a minute. Until then a new table's tenant and project count as two columns of many values, any index that
//! begins with them as good as the one of the alert's key, and a storm in the first minute is read through again and again.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::app::App;

/// Rows after which it looks for the first time.
const FIRST: u64 = 256;

/// The tables that a storm fills.
const TABLES: [&str; 8] =
    ["alerts", "analyses", "episodes", "events", "evidence", "incidents", "receipts", "steps"];

/// Counts what was written, and has the statistics renewed whenever the alerts have doubled.
#[derive(Debug)]
pub struct Statistics {
    written: AtomicU64,
    due: AtomicU64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self { written: AtomicU64::new(0), due: AtomicU64::new(FIRST) }
    }
}

impl Statistics {
    /// Notes that statements about so many alerts were written.
    pub fn wrote(&self, app: &App, alerts: usize) {
        let written = self.written.fetch_add(alerts as u64, Ordering::Relaxed) + alerts as u64;
        if written < self.due.load(Ordering::Relaxed)
            || self.due.swap(u64::MAX, Ordering::Relaxed) == u64::MAX
        {
            return;
        }
        let app = app.clone();
        app.clone().spawn(async move {
            let known = match app.db.renew_statistics("alerts", written, &TABLES).await {
                Ok(Some(known)) => known,
                Ok(None) => return,
                Err(error) => {
                    tracing::debug!(
                        error = error.to_string(),
                        "the planner's statistics could not be renewed"
                    );
                    written
                }
            };
            app.inbox.statistics.due.store(written + known.max(FIRST), Ordering::Relaxed);
        });
    }
}
