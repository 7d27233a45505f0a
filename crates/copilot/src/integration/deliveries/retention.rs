//! Letting receipts go: first their bodies, then what is left of them.

use std::time::Duration;

use outbox::Db;
use tokio_util::sync::CancellationToken;

use super::store::{BARE, BODIES};
use crate::app::App;
use crate::integration::store::SPOOLED;

/// How often there is something to let go.
const EVERY: Duration = Duration::from_secs(3600);

const DAY_S: i64 = 86_400;

/// A receipt is kept for so many times as long as its body.
const RECEIPTS: i64 = 3;

/// The name of a spooled request is kept for so long, in seconds: a process that was stopped before it could take the
/// request out of its spool must find it when it is started again.
const SPOOLED_S: i64 = 30 * DAY_S;

/// Lets receipts go when their time is over, until `stop`; 0 days keeps them for ever.
pub async fn run(app: App, stop: CancellationToken) {
    let days = i64::from(app.config.delivery_retention_days);
    loop {
        if let Err(error) = once(&app.db, days).await {
            tracing::warn!(error = error.to_string(), "old webhook bodies and receipts could not be let go");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn once(db: &Db, days: i64) -> sqlx::Result<()> {
    SPOOLED.delete(db, SPOOLED_S).await?;
    if days == 0 {
        return Ok(());
    }
    for (old, column) in BODIES {
        old.empty(db, column, days * DAY_S).await?;
    }
    for old in BARE {
        old.delete(db, RECEIPTS * days * DAY_S).await?;
    }
    Ok(())
}
