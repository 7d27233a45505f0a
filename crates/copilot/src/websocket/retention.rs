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
    event::OLD.delete(db, days * 86_400).await
}

#[cfg(test)]
mod tests {
    use outbox::{Clock, NewEvent, Pool, Stream, Ts};
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
    /// Has the database refuse to let go of the event with this number.
    async fn hold(db: &Db, seq: i64) {
        match db.pool() {
            Pool::Postgres(pool) => {
                let held = format!(
                    "create function hold() returns trigger language plpgsql as
                     $$ begin raise exception 'held'; end $$;
                     create trigger hold before delete on events for each row when (old.seq = {seq})
                     execute function hold()"
                );
                sqlx::raw_sql(sqlx::AssertSqlSafe(held)).execute(pool).await.map(drop)
            }
            Pool::Sqlite { writer, .. } => {
                let held = format!(
                    "create trigger hold before delete on events when old.seq = {seq}
                     begin select raise(abort, 'held'); end"
                );
                sqlx::raw_sql(sqlx::AssertSqlSafe(held)).execute(writer).await.map(drop)
            }
        }
        .unwrap();
    }

    #[tokio::test]
    async fn what_was_let_go_stays_so_when_the_rest_can_not_be() {
        let (folder, database) = (tempfile::tempdir().unwrap(), crate::scratch::Scratch::new().await);
        let clock = Clock::manual(Ts::from_micros(1_795_384_800_000_000));
        let db = crate::db::open(&database.url(), folder.path(), clock.clone()).await.unwrap();
        let stream = Stream { owner: Uuid::now_v7(), id: Uuid::now_v7() };
        for _ in 0..3 {
            let mut tx = db.begin(stream.owner).await.unwrap();
            for _ in 0..4_000 {
                tx.append(stream, NewEvent { kind: "incident.created", data: serde_json::json!({}) });
            }
            tx.commit().await.unwrap();
            clock.advance(1.0);
        }
        hold(&db, 11_000).await;
        clock.advance(8.0 * 86_400.0);
        once(&db, 7).await.unwrap_err();
        let mut tx = db.read(stream.owner).await.unwrap();
        let first = event::after(&mut tx, stream, 0, 1).await.unwrap()[0].seq;
        assert!((8_001..=11_000).contains(&first), "{first}");
    }
}
