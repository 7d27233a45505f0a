//! Whose work is next.

use outbox::lease::{self, NewJob};
use serde_json::json;
use uuid::Uuid;

use super::world::World;

#[tokio::test]
async fn the_work_of_one_owner_keeps_no_other_waiting() {
    let world = World::new(None).await;
    let (loud, quiet) = (Uuid::now_v7(), Uuid::now_v7());
    for (owner, count) in [(loud, 20), (quiet, 2)] {
        world.clock.advance(1.0);
        let mut tx = world.db.begin(owner).await.unwrap();
        let run_at = tx.now();
        let job = |at: i32| NewJob { owner, queue: "turns", key: at.to_string(), payload: json!({}), run_at };
        lease::enqueue_all(&mut tx, &(0..count).map(job).collect::<Vec<_>>()).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut claimed = Vec::new();
    while let Some(job) = lease::claim(&world.db, "turns", 60).await.unwrap() {
        claimed.push(job.owner);
    }
    assert_eq!((claimed.len(), claimed[..4].iter().filter(|owner| **owner == quiet).count()), (22, 2));
}
