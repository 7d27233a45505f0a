//! Forgetting what nobody will ask for again.

use std::time::Duration;

use outbox::{Db, lease};
use tokio_util::sync::CancellationToken;

use super::store::{attempt, idempotency, invitation, session};
use super::throttle::MEMORY_S;
use super::trim;
use crate::app::App;

/// How often there is something to forget.
const EVERY: Duration = Duration::from_secs(600);

/// Ended sessions are kept for so long, in seconds, so that their tokens are answered for what they were.
const SESSIONS_S: i64 = 7 * 24 * 3600;

/// Answers are given again for so long, in seconds.
const ANSWERS_S: i64 = 24 * 3600;

/// Invitations are kept for so long after they ended, in seconds.
const INVITATIONS_S: i64 = 30 * 24 * 3600;

/// Forgets, again and again, until `stop`.
pub(super) async fn run(app: App, stop: CancellationToken) {
    loop {
        let audit_days = i64::from(app.config.audit_retention_days);
        if let Err(error) = once(&app.db, audit_days).await {
            tracing::warn!(
                error = error.to_string(),
                "old sessions, answers, invitations and audit entries could not be forgotten"
            );
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Forgets what is old, each for itself, so that one that can't be forgotten keeps no other.
async fn once(db: &Db, audit_days: i64) -> sqlx::Result<()> {
    let mut all = trim::trim(db, audit_days).await.map(|rows| {
        tracing::debug!(rows, table = "audit", "old rows were forgotten");
    });
    for (old, age_s) in [
        (session::OLD, SESSIONS_S),
        (idempotency::OLD, ANSWERS_S),
        (attempt::OLD, MEMORY_S),
        (invitation::OLD, INVITATIONS_S),
        (lease::FINISHED, 0),
    ] {
        match old.delete(db, age_s).await {
            Ok(rows) => tracing::debug!(rows, table = old.table, "old rows were forgotten"),
            Err(error) => all = Err(error),
        }
    }
    all
}
