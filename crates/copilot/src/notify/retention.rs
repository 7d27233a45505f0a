//! Letting old notifications go, and counting what waits.

use std::time::Duration;

use outbox::Db;
use tokio_util::sync::CancellationToken;

use super::store::sent::{OLD, OLD_MARKS, all_waiting};
use crate::app::App;
use crate::error::Result;

/// How often there is something to let go.
const EVERY: Duration = Duration::from_secs(3600);

/// How often what waits is counted: by a task, so that scraping asks the database nothing.
const COUNTED: Duration = Duration::from_secs(15);

/// Notifications, and what channels know of incidents that ended, are kept for so long, in seconds.
const KEPT_S: i64 = 30 * 86_400;

/// Lets go and counts until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    tokio::join!(let_go(&app, &stop), count(&app, &stop));
}

async fn let_go(app: &App, stop: &CancellationToken) {
    loop {
        if let Err(error) = once(&app.db).await {
            tracing::warn!(error = error.to_string(), "old notifications could not be let go");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn once(db: &Db) -> sqlx::Result<()> {
    OLD.delete(db, KEPT_S).await?;
    OLD_MARKS.delete(db, KEPT_S).await?;
    Ok(())
}

async fn count(app: &App, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(COUNTED);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        // A database that is away is told of by those who need it.
        let _ = count_once(app).await;
    }
}

async fn count_once(app: &App) -> Result<()> {
    let mut tx = app.db.read_across("notify").await?;
    let now = tx.now();
    let (count, oldest) = all_waiting(&mut tx).await?;
    metrics::gauge!("sre_copilot_notifications_waiting").set(count as f64);
    metrics::gauge!("sre_copilot_notifications_oldest_age_seconds")
        .set(oldest.map_or(0.0, |oldest| now.seconds_since(oldest)));
    Ok(())
}
