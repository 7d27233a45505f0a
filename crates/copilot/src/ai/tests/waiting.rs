//! Waiting for the end of an analysis.

use std::time::Duration;

use super::world::World;
use crate::ai::analysis::{AnalysisStatus, Engine};
use crate::ai::store::{self, Ending};
use crate::ai::worker::Looked;
use crate::error::Error;
use crate::incident::explain;

#[tokio::test]
async fn waiting_ends_with_the_analysis_or_with_busy() {
    let world = World::new(None).await;
    let busy = world.ask(false, Some(Duration::ZERO)).await;
    assert!(matches!(busy, Err(Error::Busy(5))), "{busy:?}");
    let (answer, stepped) =
        tokio::join!(world.ask(false, Some(Duration::from_secs(20))), world.worker().step());
    assert!(stepped.unwrap());
    assert_eq!(answer.unwrap().analysis.unwrap().status, AnalysisStatus::Inconclusive);
}

#[tokio::test]
async fn an_analysis_that_ends_while_it_is_asked_for_is_the_answer() {
    let world = World::new(None).await;
    let first = world.ask(false, None).await.unwrap().analysis.unwrap().id;
    let mut ending = world.db.begin(world.tenant.0).await.unwrap();
    store::lock_incident(&mut ending, world.tenant, world.incident).await.unwrap();
    let end = Ending {
        status: AnalysisStatus::Inconclusive,
        engine: Engine::Statistical,
        model: None,
        reason: None,
    };
    store::end(&mut ending, world.tenant, first, &end).await.unwrap();
    let commit = async {
        // Long enough for the one who asks to have read that it waits.
        let still = tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>()).await;
        assert!(still.is_err());
        ending.commit().await.unwrap();
    };
    let (answer, ()) = tokio::join!(world.ask(false, None), commit);
    let answer = answer.unwrap();
    assert_eq!((answer.analysis.unwrap().id, answer.cached), (first, Some(true)));
}

#[tokio::test]
async fn nobody_waits_for_anothers_model() {
    let world = World::new(Some(1_000_000)).await;
    world.change("checkout", "v2.41.0", 41).await;
    world.ask(false, None).await.unwrap();
    let Looked::Unasked(unasked) = world.worker().look().await.unwrap() else { panic!("it was asked") };
    let now = world.read().await;
    assert_eq!((now.analysis.unwrap().status, now.items.len()), (AnalysisStatus::Running, 1));
    assert!(matches!(world.worker().look().await.unwrap(), Looked::AtNothing), "the worker is free");
    world.script.then(Err(llm::Failure::Timeout));
    world.worker().ask_model(*unasked).await.unwrap();
    assert_eq!(world.read().await.analysis.unwrap().status, AnalysisStatus::Completed);
}

#[tokio::test]
async fn a_model_that_fails_is_left_alone() {
    let world = World::new(Some(100_000_000)).await;
    world.change("checkout", "v2.41.0", 41).await;
    for _ in 0..10 {
        world.script.then(Err(llm::Failure::Unavailable { status: Some(500) }));
        let reason = world.analyse(true).await.analysis.unwrap().reason.unwrap();
        assert!(reason.contains("the model was asked"), "{reason}");
    }
    let answer = world.analyse(true).await;
    let reason = answer.analysis.unwrap().reason.unwrap();
    assert!(reason.contains("was not asked: 10 of its last 10 calls failed"), "{reason}");
    assert_eq!((world.calls().await.len(), answer.items.len()), (10, 1));
}

#[tokio::test]
async fn who_waits_waits_for_the_newest_version() {
    let world = World::new(None).await;
    world.ask(false, None).await.unwrap();
    let overtaken = async {
        let ended = |status| Ending { status, engine: Engine::Statistical, model: None, reason: None };
        let mut tx = world.db.begin(world.tenant.0).await.unwrap();
        let first = explain::request(&mut tx, world.tenant, world.incident).await.unwrap();
        store::end(&mut tx, world.tenant, first, &ended(AnalysisStatus::Failed)).await.unwrap();
        let second = explain::request(&mut tx, world.tenant, world.incident).await.unwrap();
        tx.commit().await.unwrap();
        // Long enough for the one who waits to look.
        let still = tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>()).await;
        assert!(still.is_err());
        let mut tx = world.db.begin(world.tenant.0).await.unwrap();
        store::end(&mut tx, world.tenant, second, &ended(AnalysisStatus::Inconclusive)).await.unwrap();
        tx.commit().await.unwrap();
    };
    let (answer, ()) = tokio::join!(world.ask(false, Some(Duration::from_secs(20))), overtaken);
    let newest = answer.unwrap().analysis.unwrap();
    assert_eq!((newest.version, newest.status), (2, AnalysisStatus::Inconclusive));
}
