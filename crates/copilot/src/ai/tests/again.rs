//! An incident that becomes another while it is explained is explained again.

use serde_json::json;

use super::ends::{one, says};
use super::world::World;
use crate::ai::analysis::AnalysisStatus;
use crate::ai::worker::Looked;
use crate::ids::IncidentId;
use crate::incident::explain;

const BUDGET: i64 = 1_000_000;

/// What a merge and a reopening do: a look at the incident as it is now.
async fn anew(world: &World) {
    let mut tx = world.db.begin(world.tenant.0).await.unwrap();
    crate::ai::store::lock_incident(&mut tx, world.tenant, world.incident).await.unwrap();
    explain::request_anew(&mut tx, world.tenant, world.incident).await.unwrap();
    tx.commit().await.unwrap();
}

/// The newest version and where it stands.
pub async fn newest(world: &World) -> (i64, AnalysisStatus) {
    let analysis = world.read().await.analysis.unwrap();
    (analysis.version, analysis.status)
}

/// Works on what waits, the model held up until `meanwhile` is over.
pub async fn while_asked(world: &World, meanwhile: impl AsyncFnOnce()) {
    world.change("checkout", "v2.41.0", 41).await;
    world.script.then_when_released(says(json!([one("Of before", 0.5, &["E1"])])));
    world.ask(false, None).await.unwrap();
    let meanwhile = async {
        while world.script.journal().is_empty() {
            tokio::task::yield_now().await;
        }
        meanwhile().await;
        world.script.release();
    };
    let (stepped, ()) = tokio::join!(world.worker().step(), meanwhile);
    assert!(stepped.unwrap());
}

#[tokio::test]
async fn what_happens_while_the_model_is_asked_is_looked_at_once_after_it() {
    let world = World::new(Some(BUDGET)).await;
    while_asked(&world, async || {
        world.alert(world.incident, "SlowResponses", "up == 0").await;
        for _ in 0..20 {
            anew(&world).await;
        }
        assert_eq!(newest(&world).await, (1, AnalysisStatus::Running), "one at a time");
    })
    .await;
    assert_eq!(newest(&world).await, (2, AnalysisStatus::Queued));
    world.script.then(says(json!([one("Of both", 0.5, &["E1"])])));
    assert!(world.worker().step().await.unwrap());
    assert_eq!(newest(&world).await, (2, AnalysisStatus::Completed));
    let asked = world.script.journal();
    assert!(asked[1].user.contains("SlowResponses") && !asked[0].user.contains("SlowResponses"));
    assert_eq!(world.read().await.items[0].claim, "Of both");
    assert!(!world.worker().step().await.unwrap(), "twenty times is once");
}

#[tokio::test]
async fn who_asks_joins_the_one_that_runs() {
    let world = World::new(Some(BUDGET)).await;
    while_asked(&world, async || {
        assert_eq!(world.ask(true, None).await.unwrap().analysis.unwrap().version, 1);
    })
    .await;
    assert_eq!(newest(&world).await, (1, AnalysisStatus::Completed));
}

#[tokio::test]
async fn what_is_looked_at_later_needs_no_other() {
    let world = World::new(Some(BUDGET)).await;
    world.change("checkout", "v2.41.0", 41).await;
    world.ask(false, None).await.unwrap();
    anew(&world).await;
    let Looked::Unasked(lost) = world.worker().look().await.unwrap() else { panic!("it was asked") };
    drop(lost);
    anew(&world).await;
    world.clock.advance(76.0);
    world.script.then(Err(llm::Failure::Timeout));
    assert!(world.worker().step().await.unwrap(), "somebody takes over, and reads everything");
    assert_eq!(newest(&world).await, (1, AnalysisStatus::Completed));
    assert!(!world.worker().step().await.unwrap());
}

#[tokio::test]
async fn what_was_merged_away_is_not_looked_at_again() {
    let world = World::new(Some(BUDGET)).await;
    let target = IncidentId::new();
    while_asked(&world, async || {
        anew(&world).await;
        world.incident(target, 2).await;
        world.merge_into(target).await;
    })
    .await;
    assert_eq!(newest(&world).await, (1, AnalysisStatus::Failed));
    assert!(!world.worker().step().await.unwrap());
}

#[tokio::test]
async fn who_asks_anew_and_who_works_never_wait_in_a_circle() {
    let world = World::new(None).await;
    for _ in 0..20 {
        anew(&world).await;
        let asking = futures_util::future::join_all((0..4).map(|_| anew(&world)));
        let (stepped, _) = tokio::join!(world.worker().step(), asking);
        stepped.unwrap();
    }
}
