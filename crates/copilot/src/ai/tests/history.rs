//! What people said of earlier incidents moves later rankings of the same project, a little.

use outbox::on_tx;

use super::world::World;
use crate::ai::analysis::{Feedback, Verdict};
use crate::ai::{EvidenceKind, feedback};
use crate::ids::{IncidentId, ProjectId};

/// Confidence of the first hypothesis about `checkout`, whose release is all that is known.
async fn confidence(world: &World) -> f64 {
    world.analyse(true).await.items.first().map_or(0.0, |first| first.confidence_score)
}

/// An earlier incident of the same alert in this project, with a hypothesis that was judged.
async fn judged(world: &mut World, project: ProjectId, verdict: Verdict) {
    let id = IncidentId::new();
    world.begin_later(60).await;
    let own = (std::mem::replace(&mut world.project, project), std::mem::replace(&mut world.incident, id));
    world.incident(id, 2).await;
    world.alert(id, "HighErrorRate", super::world::EXPRESSION).await;
    let first = world.analyse(false).await.items[0].clone();
    let mut tx = world.db.begin(world.tenant.0).await.unwrap();
    let said = Feedback { verdict, comment: None, by: "Ana".to_owned(), at: tx.now(), from_version: None };
    assert!(feedback::store::judge(&mut tx, world.tenant, id, first.id, &said).await.unwrap());
    tx.commit().await.unwrap();
    (world.project, world.incident) = own;
}

#[tokio::test]
async fn a_confirmed_cause_lifts_the_same_suspect_and_a_rejected_one_lowers_it() {
    let mut world = World::new(None).await;
    world.change("checkout", "v2.41.0", 41).await;
    let project = world.project;
    let before = confidence(&world).await;
    judged(&mut world, project, Verdict::Accepted).await;
    let lifted = confidence(&world).await;
    assert!(lifted > before + 0.05 && lifted < 0.75, "{before} became {lifted}");
    let answer = world.read().await;
    let evidence = world.evidence().await;
    let incident = evidence.iter().find(|row| row.kind == EvidenceKind::Incident).unwrap();
    assert!(answer.items[0].supporting_evidence.contains(&incident.id), "{:?}", answer.items[0]);
    assert!(answer.items[0].description.contains("was found to be the cause of INC-2"));

    let mut world = World::new(None).await;
    world.change("checkout", "v2.41.0", 41).await;
    let project = world.project;
    judged(&mut world, project, Verdict::Rejected).await;
    let lowered = confidence(&world).await;
    assert!(lowered < before - 0.05 && lowered > 0.05, "{before} became {lowered}");
    assert_eq!(world.read().await.items[0].contradicting_evidence.len(), 1);
}

#[tokio::test]
async fn another_project_of_the_same_tenant_teaches_nothing() {
    let mut world = World::new(None).await;
    world.change("checkout", "v2.41.0", 41).await;
    let before = confidence(&world).await;
    let elsewhere = ProjectId::new();
    let own = std::mem::replace(&mut world.project, elsewhere);
    world.add_project().await;
    world.change("checkout", "v2.41.0", 41).await;
    world.project = own;
    judged(&mut world, elsewhere, Verdict::Accepted).await;
    assert_eq!(confidence(&world).await, before);
    assert!(world.evidence().await.iter().all(|row| row.kind != EvidenceKind::Incident));
}

#[tokio::test]
async fn what_began_with_it_or_was_merged_is_no_history_of_it() {
    let world = World::new(None).await;
    world.change("checkout", "v2.41.0", 41).await;
    let other = IncidentId::new();
    world.incident(other, 2).await;
    let told = async || {
        world.analyse(true).await;
        world.evidence().await.iter().any(|row| row.kind == EvidenceKind::Incident)
    };
    assert!(!told().await, "they began together");
    world.begin_later(60).await;
    assert!(told().await);
    let mut tx = world.db.begin(world.tenant.0).await.unwrap();
    on_tx!(tx, c => sqlx::query("update incidents set merged_into = $3 where tenant_id = $1 and id = $2")
        .bind(world.tenant).bind(other).bind(world.incident).execute(c).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    assert!(!told().await, "it is part of this one");
}
