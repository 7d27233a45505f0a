//! Gauges that are read when somebody asks, and the queues, which are counted now and then.

use std::time::Duration;

use metrics_process::Collector;
use outbox::{Pool, lease};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::Result;

/// How often queues are counted: by a task, so that scraping asks the database nothing.
const EVERY: Duration = Duration::from_secs(15);

/// Sets what is read from memory and from the system.
pub fn look(app: &App) {
    Collector::default().collect();
    metrics::gauge!("sre_copilot_commit_waiting_requests").set(app.inbox.waiting() as f64);
    metrics::gauge!("sre_copilot_webhook_in_flight_bytes").set(app.inbox.in_flight_bytes() as f64);
    match app.db.pool() {
        Pool::Postgres(pool) => connections("postgresql", pool),
        Pool::Sqlite { writer, readers } => {
            connections("writer", writer);
            connections("readers", readers);
        }
    }
}

fn connections<D: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<D>) {
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    let used = pool.size().saturating_sub(idle);
    for (state, count) in [("used", used), ("idle", idle)] {
        metrics::gauge!("sre_copilot_database_connections", "pool" => name, "state" => state)
            .set(f64::from(count));
    }
    let most = pool.options().get_max_connections();
    metrics::gauge!("sre_copilot_database_connections_max", "pool" => name).set(f64::from(most));
}

/// Counts what waits in the queues of these names, until `halt`.
pub async fn queues(app: App, names: Vec<&'static str>, halt: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while halt.run_until_cancelled(ticks.tick()).await.is_some() {
        for name in &names {
            // A database that is away is told of by those who need it.
            let _ = count(&app, name).await;
        }
    }
}

async fn count(app: &App, queue: &'static str) -> Result<()> {
    let waits = lease::waits(&app.db, queue).await?;
    metrics::gauge!("sre_copilot_queue_jobs", "queue" => queue).set(waits.jobs as f64);
    metrics::gauge!("sre_copilot_queue_oldest_age_seconds", "queue" => queue).set(waits.oldest_s);
    Ok(())
}
