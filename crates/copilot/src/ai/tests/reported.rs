//! A change that is reported late has the incidents explained anew that it may explain.

use outbox::Ts;

use super::again::{newest, while_asked};
use super::ends::{one, says};
use super::world::World;
use crate::ai::analysis::AnalysisStatus;
use crate::ai::changes::{self, NewChange};
use crate::auth::{Actor, Member, Role};
use crate::ids::{ApiKeyId, IncidentId, ProjectId, TenantId};

/// Reports a change of `checkout` that took effect so many seconds before now.
async fn report(world: &World, version: &str, seconds_before: i64) {
    let at = world.clock.now().plus_seconds(-seconds_before);
    report_at(world, (world.tenant, world.project), version, at).await;
}

async fn report_at(world: &World, scope: (TenantId, ProjectId), version: &str, at: Ts) {
    report_of(world, scope, "checkout", version, at).await;
}

async fn report_of(
    world: &World,
    (tenant, project): (TenantId, ProjectId),
    service: &str,
    version: &str,
    at: Ts,
) {
    let actor = Actor::Key { id: ApiKeyId::new(), name: "pipeline".to_owned() };
    let member = Member { tenant, project, role: Role::Engineer, actor };
    let mut tx = world.db.begin(tenant.0).await.unwrap();
    let new = NewChange {
        service_name: service.to_owned(),
        summary: "new rules".to_owned(),
        kind: "deploy".to_owned(),
        version: Some(version.to_owned()),
        timestamp: Some(at),
        url: None,
    };
    changes::record(&mut tx, &member, new).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_late_report_makes_one_new_version_that_says_so() {
    let world = World::new(None).await;
    assert_eq!(world.analyse(false).await.analysis.unwrap().status, AnalysisStatus::Inconclusive);
    world.clock.advance(120.0);
    for number in 0..50 {
        report(&world, &format!("v2.41.{number}"), 161).await;
    }
    assert_eq!(newest(&world).await, (2, AnalysisStatus::Queued));
    assert!(world.worker().step().await.unwrap());
    let answer = world.read().await;
    assert_eq!(answer.items[0].claim, "checkout began to fire alerts 41 s after deploy v2.41.49");
    let changed = answer.analysis.unwrap().changed.unwrap();
    let said = changed.iter().find(|line| line.starts_with("a change was reported: checkout: deploy v2.41."));
    assert!(said.is_some_and(|line| line.ends_with("41 s before the alarm")), "{changed:?}");
    assert!(!world.worker().step().await.unwrap(), "fifty times is once");
    assert_eq!(newest(&world).await, (2, AnalysisStatus::Completed));
}

#[tokio::test]
async fn what_can_explain_nothing_asks_for_nothing() {
    let mut world = World::new(None).await;
    let began = world.clock.now();
    world.analyse(false).await;
    world.clock.advance(6.0 * 3600.0);
    let own = (world.tenant, world.project);
    report_at(&world, own, "long before", began.plus_seconds(-3601)).await;
    report_at(&world, own, "long after", began.plus_seconds(1801)).await;
    (world.tenant, world.project) = (TenantId::new(), ProjectId::new());
    world.add_tenant().await;
    report_at(&world, (world.tenant, world.project), "of another tenant", began).await;
    (world.tenant, world.project) = own;
    assert_eq!(newest(&world).await.0, 1);
    report_at(&world, own, "in time", began.plus_seconds(1799)).await;
    assert_eq!(newest(&world).await, (2, AnalysisStatus::Queued));
}

#[tokio::test]
async fn of_another_project_or_a_closed_incident_nothing_is_looked_at() {
    let mut world = World::new(None).await;
    world.analyse(false).await;
    let closed = IncidentId::new();
    world.incident(closed, 2).await;
    let own = std::mem::replace(&mut world.project, ProjectId::new());
    world.add_project().await;
    report(&world, "v1", 5).await;
    world.project = own;
    assert_eq!(newest(&world).await.0, 1);
    report(&world, "v1", 5).await;
    assert_eq!(newest(&world).await.0, 2);
    world.incident = closed;
    assert_eq!(world.read().await.analysis, None);
}

#[tokio::test]
async fn only_what_the_incident_is_about_or_suspects_is_looked_at_again() {
    let world = World::new(None).await;
    world.change("checkout", "v2.41.0", 41).await;
    world.analyse(false).await;
    world.speaks_of("front").await;
    let (own, now) = ((world.tenant, world.project), world.clock.now());
    report_of(&world, own, "billing", "of a stranger", now).await;
    assert_eq!(newest(&world).await.0, 1);
    report_of(&world, own, "checkout", "of a suspect", now).await;
    assert_eq!(newest(&world).await, (2, AnalysisStatus::Queued));
    assert!(world.worker().step().await.unwrap());
    report_of(&world, own, "front", "of its own", now).await;
    assert_eq!(newest(&world).await.0, 3);
}

#[tokio::test]
async fn what_is_reported_while_the_model_is_asked_is_looked_at_once_after_it() {
    let world = World::new(Some(1_000_000)).await;
    while_asked(&world, async || {
        for number in 0..20 {
            report(&world, &format!("v2.42.{number}"), 5).await;
        }
        assert_eq!(newest(&world).await, (1, AnalysisStatus::Running), "one at a time");
    })
    .await;
    assert_eq!(newest(&world).await, (2, AnalysisStatus::Queued));
    world.script.then(says(serde_json::json!([one("Of both", 0.5, &["E1"])])));
    assert!(world.worker().step().await.unwrap());
    assert!(!world.worker().step().await.unwrap());
    assert_eq!(world.script.journal().len(), 2);
}

#[tokio::test]
async fn a_stream_of_reports_is_no_stream_of_analyses() {
    let world = World::new(None).await;
    world.analyse(false).await;
    for number in 0..60 {
        world.clock.advance(1.0);
        report(&world, &format!("v{number}"), 5).await;
        world.worker().step().await.unwrap();
    }
    let (version, status) = newest(&world).await;
    assert_eq!(version, 6);
    world.clock.advance(31.0);
    assert_eq!((world.worker().step().await.unwrap(), status), (true, AnalysisStatus::Queued));
    let last = world.evidence().await;
    assert!(last.iter().any(|row| row.summary.contains("deploy v59")), "the last report is seen");
    report(&world, "v60", 5).await;
    assert!(!world.worker().step().await.unwrap(), "there were many");
    world.analyse(true).await;
    assert_eq!(newest(&world).await, (7, AnalysisStatus::Completed), "a person does not wait");
}

#[tokio::test]
async fn one_report_asks_about_twenty_incidents_at_most() {
    let mut world = World::new(None).await;
    let own = world.incident;
    for number in 2..=25 {
        world.clock.advance(1.0);
        let id = IncidentId::new();
        world.incident(id, number).await;
        world.open_as(id, number).await;
    }
    report(&world, "v1", 60).await;
    let mut steps = 0;
    while world.worker().step().await.unwrap() {
        steps += 1;
    }
    assert_eq!(steps, 20);
    world.incident = own;
    assert_eq!(world.read().await.analysis, None, "the newest are asked about");
}

#[tokio::test]
async fn what_changed_after_the_alarm_is_no_cause() {
    let world = World::new(None).await;
    world.clock.advance(600.0);
    // Who rolls back reports that too.
    for (version, seconds_before) in [("v2.41.1", 593), ("v2.41.2", 400), ("v2.41.3", 100)] {
        report(&world, version, seconds_before).await;
    }
    let alone = world.analyse(true).await;
    assert_eq!(alone.analysis.unwrap().status, AnalysisStatus::Inconclusive, "{:?}", alone.items);
    report(&world, "v2.41.0", 641).await;
    let answer = world.analyse(true).await;
    assert_eq!(answer.items[0].claim, "checkout began to fire alerts 41 s after deploy v2.41.0");
}
