//! An incident that is merged into another while it is explained.

use serde_json::json;

use super::ends::{one, says};
use super::world::World;
use crate::ai::analysis::AnalysisStatus;
use crate::ids::IncidentId;

const BUDGET: i64 = 1_000_000;

/// Merges the world's incident into another.
async fn merge(world: &World) {
    let target = IncidentId::new();
    world.incident(target, 2).await;
    world.merge_into(target).await;
}

/// How its analysis ended; nothing of it is left to be done.
async fn ended(world: &World) -> (AnalysisStatus, String) {
    assert!(!world.worker().step().await.unwrap(), "the job is done");
    let analysis = world.read().await.analysis.unwrap();
    (analysis.status, analysis.reason.unwrap())
}

#[tokio::test]
async fn what_was_merged_before_is_not_looked_at() {
    let world = World::new(Some(BUDGET)).await;
    world.change("checkout", "v2.41.0", 41).await;
    world.ask(false, None).await.unwrap();
    merge(&world).await;
    assert!(world.worker().step().await.unwrap());
    let (status, reason) = ended(&world).await;
    assert_eq!(status, AnalysisStatus::Failed);
    assert!(reason.contains("merged into another"), "{reason}");
    assert_eq!(world.script.journal().len(), 0, "a call was paid for");
}

#[tokio::test]
async fn an_answer_for_what_was_merged_meanwhile_is_dropped_and_its_cost_kept() {
    let world = World::new(Some(BUDGET)).await;
    world.change("checkout", "v2.41.0", 41).await;
    world.script.then_when_released(says(json!([one("Too late", 0.5, &["E1"])])));
    world.ask(false, None).await.unwrap();
    let merged = async {
        while world.script.journal().is_empty() {
            tokio::task::yield_now().await;
        }
        merge(&world).await;
        world.script.release();
    };
    let (stepped, ()) = tokio::join!(world.worker().step(), merged);
    assert!(stepped.unwrap());
    let claims: Vec<String> = world.read().await.items.into_iter().map(|one| one.claim).collect();
    assert!(!claims.iter().any(|claim| claim == "Too late"), "{claims:?}");
    assert_eq!(ended(&world).await.0, AnalysisStatus::Failed);
    assert_eq!(world.calls().await, [("completed".to_owned(), Some(210))]);
}
