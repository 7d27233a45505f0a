//! Earlier versions of an analysis, and what was said of them.

use outbox::on_tx;

use super::world::World;
use crate::ai::analysis::{Feedback, Verdict};
use crate::ai::{feedback, hypotheses};
use crate::error::Error;

/// Says of the first hypothesis that it is wrong.
async fn reject_first(world: &World) {
    let first = world.read().await.items[0].clone();
    let mut tx = world.db.begin(world.tenant.0).await.unwrap();
    let said = Feedback {
        verdict: Verdict::Rejected,
        comment: Some("no".to_owned()),
        by: "Ana".to_owned(),
        at: tx.now(),
        from_version: None,
    };
    assert!(feedback::store::judge(&mut tx, world.tenant, world.incident, first.id, &said).await.unwrap());
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_earlier_version_is_there_to_read_with_what_was_said_of_it() {
    let world = World::new(None).await;
    world.analyse(false).await;
    world.change("checkout", "v2.41.0", 41).await;
    world.analyse(true).await;
    reject_first(&world).await;
    world.clock.advance(5.0);
    let newest = world.analyse(true).await;
    let listed: Vec<i64> = newest.versions.iter().map(|one| one.version).collect();
    assert_eq!(listed, [3, 2, 1]);
    assert!(newest.versions[2].reason.as_ref().unwrap().contains("no metrics"));
    let carried = newest.items[0].feedback.clone().unwrap();
    assert_eq!(
        (carried.verdict, carried.by.as_str(), carried.from_version),
        (Verdict::Rejected, "Ana", Some(2))
    );

    let scope = (world.tenant, world.project, world.incident);
    let second = hypotheses::read_version(&world.db, scope, 2).await.unwrap();
    assert_eq!(second.analysis.unwrap().version, 2);
    let own = second.items[0].feedback.clone().unwrap();
    assert_eq!((own.verdict, own.from_version, own.at), (Verdict::Rejected, None, carried.at));
    assert_eq!(second.versions, newest.versions);
    let first = hypotheses::read_version(&world.db, scope, 1).await.unwrap();
    assert_eq!((first.analysis.unwrap().version, first.items.len()), (1, 0));
    for refused in [0, 4] {
        assert!(matches!(hypotheses::read_version(&world.db, scope, refused).await, Err(Error::NotFound)));
    }
}

#[tokio::test]
async fn what_was_said_of_another_service_or_metric_is_not_carried_over() {
    let world = World::new(None).await;
    world.change("checkout", "v2.41.0", 41).await;
    world.analyse(false).await;
    reject_first(&world).await;
    world.clock.advance(5.0);
    assert!(world.analyse(true).await.items[0].feedback.is_some());
    let (own, others) =
        (Some("checkout"), [(Some("payments"), None), (Some("checkout"), Some("up")), (None, None)]);
    for (service, metric) in others.into_iter().chain([(own, None)]) {
        let mut tx = world.db.begin(world.tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query(
            "update hypotheses set suspected_service = $2, suspected_metric = $3
             where tenant_id = $1 and verdict is not null")
            .bind(world.tenant).bind(service).bind(metric).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        let shown = world.read().await.items[0].feedback.is_some();
        assert_eq!(shown, (service, metric) == (own, None), "{service:?} {metric:?}");
    }
}
