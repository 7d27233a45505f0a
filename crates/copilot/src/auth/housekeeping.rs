//! Forgetting what nobody will ask for again.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::store::{idempotency, session};
use super::throttle;
use crate::app::App;

/// How often there is something to forget.
const EVERY: Duration = Duration::from_secs(600);

/// Ended sessions are kept for so long, in seconds, so that their tokens are answered for what they were.
const SESSIONS_S: i64 = 7 * 24 * 3600;

/// Answers are given again for so long, in seconds.
const ANSWERS_S: i64 = 24 * 3600;

/// Forgets, again and again, until `stop`.
pub(super) async fn run(app: App, stop: CancellationToken) {
    loop {
        if let Err(error) = once(&app).await {
            tracing::warn!(error = error.to_string(), "old sessions and answers could not be forgotten");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Forgets old sessions, answers and attempts to sign in.
pub(super) async fn once(app: &App) -> sqlx::Result<()> {
    let mut tx = app.db.begin_across("housekeeping").await?;
    let now = tx.now();
    let sessions = session::forget(&mut tx, now.plus_seconds(-SESSIONS_S)).await?;
    let answers = idempotency::forget(&mut tx, now.plus_seconds(-ANSWERS_S)).await?;
    let attempts = throttle::forget(&mut tx, now).await?;
    tx.commit().await?;
    tracing::debug!(sessions, answers, attempts, "old sessions, answers and attempts were forgotten");
    Ok(())
}
