//! Letting old events go; who was away for longer looks again instead.

use std::time::Duration;

use outbox::{Db, event};
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// How often there is something to let go.
const EVERY: Duration = Duration::from_secs(3600);

/// Lets events go when their days are over, until `stop`; 0 days keeps them for ever.
pub(super) async fn run(app: App, stop: CancellationToken) {
    let days = i64::from(app.config.event_retention_days);
    if days == 0 {
        return;
    }
    loop {
        if let Err(error) = once(&app.db, days).await {
            tracing::warn!(error = error.to_string(), "old events could not be let go");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Lets the events go that are older than so many days, and says how many there were.
async fn once(db: &Db, days: i64) -> sqlx::Result<u64> {
    let mut tx = db.begin_across("events").await?;
    let cutoff = tx.now().plus_seconds(-days * 86_400);
    let gone = event::forget(&mut tx, cutoff).await?;
    tx.commit().await?;
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use outbox::{Clock, NewEvent, Stream, Ts};
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn old_events_go_and_their_numbers_do_not_come_back() {
        let (folder, database) = (tempfile::tempdir().unwrap(), crate::scratch::Scratch::new().await);
        let clock = Clock::manual(Ts::from_micros(1_795_384_800_000_000));
        let db = crate::db::open(&database.url(), folder.path(), clock.clone()).await.unwrap();
        let stream = Stream { owner: Uuid::now_v7(), id: Uuid::now_v7() };
        let append = async || {
            let mut tx = db.begin(stream.owner).await.unwrap();
            tx.append(stream, NewEvent { kind: "incident.created", data: serde_json::json!({}) });
            tx.commit().await.unwrap();
        };
        append().await;
        clock.advance(6.0 * 86_400.0);
        append().await;
        clock.advance(2.0 * 86_400.0);
        assert_eq!(once(&db, 7).await.unwrap(), 1);
        append().await;
        let mut tx = db.read(stream.owner).await.unwrap();
        let left: Vec<i64> =
            event::after(&mut tx, stream, 0, 10).await.unwrap().iter().map(|event| event.seq).collect();
        assert_eq!(left, [2, 3]);
    }
}
