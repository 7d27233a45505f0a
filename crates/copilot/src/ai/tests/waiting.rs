//! Waiting for the end of an analysis.

use std::time::Duration;

use super::world::World;
use crate::ai::analysis::{AnalysisStatus, Engine};
use crate::ai::store::{self, Ending};
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
