//! Repetitions that are counted in memory and written late.

use std::time::Duration;

use outbox::on_tx;

use super::world::World;
use crate::ids::AlertId;
use crate::incident::tracked::store::bulk::Heard;

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the writes are joined before the test ends")]
async fn what_somebody_else_is_writing_is_written_when_a_write_returns() {
    let world = World::new().await;
    world.alert("Slow", "checkout", "high", "firing").await;
    let (app, tenant) = (world.app(), world.member.tenant);
    let mut held = app.db.begin(tenant.0).await.unwrap();
    let alert: AlertId =
        on_tx!(held, c => sqlx::query_scalar("update alerts set statements = statements returning id")
        .fetch_one(c).await)
        .unwrap();
    app.heard.note(tenant, vec![Heard { alert, at: app.clock().now(), statements: 1 }]);
    let write = || {
        tokio::spawn({
            let app = app.clone();
            async move { app.heard.write(&app).await }
        })
    };
    let mut writes = [write(), write()];
    let any = futures_util::future::select_all(&mut writes);
    let early = tokio::time::timeout(Duration::from_millis(100), any).await;
    assert!(early.is_err(), "a write returned before the alert was written");
    drop(held);
    for write in writes {
        write.await.unwrap().unwrap();
    }
}
