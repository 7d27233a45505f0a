//! A project's own incidents are replayed from what was stored with them, and nothing is written.

use std::collections::BTreeMap;

use diagnosis::score::Score;
use outbox::on_tx;

use super::world::{START, World};
use crate::ai::analysis::{ChartSeries, Evidence, Feedback, Verdict};
use crate::ai::replay::{Again, NOW, Replay, THEN, replay};
use crate::ai::{EvidenceKind, EvidenceRole, diagnose, feedback, store};
use crate::ids::{IncidentId, ProjectId};

async fn replayed(world: &World) -> Replay {
    replay(&world.db, (world.tenant, world.project), None).await.unwrap()
}

fn row<'a>(replay: &'a Replay, who: &str) -> Option<&'a Score> {
    replay.scores.iter().find(|score| score.dataset == who)
}

/// What one metric of a service did, 15 s apart, from an hour before the alarm to ten minutes after it: `rise` times as much
/// from the alarm on.
fn measured(service: &str, words: &str, unit: &str, level: f64, rise: f64) -> Evidence {
    let alarm = START as f64 / 1e6;
    let point = |step: i32| {
        let wave = 1.0 + 0.05 * f64::from(step * 7 % 11) / 11.0;
        let by = if step >= 0 { rise } else { 1.0 };
        (alarm + 15.0 * f64::from(step), Some(level * wave * by))
    };
    let mut row = diagnose::rows::row(EvidenceKind::Metric, format!("{words} of {service} is high"));
    row.role = EvidenceRole::Candidate;
    row.query = Some("max by (service) (anything)".to_owned());
    row.unit = Some(unit.to_owned());
    row.series = Some(vec![ChartSeries {
        labels: BTreeMap::from([("service".to_owned(), service.to_owned())]),
        points: (-160..40).map(point).collect(),
    }]);
    row
}

/// How long the calls of `service` to `callee` took, as `service` saw it: whom it calls is read from here.
fn call(service: &str, callee: &str, level: f64, rise: f64) -> Evidence {
    let whose = format!("calls from {service} to {callee}");
    let mut row = measured(&whose, "Average call duration", "s", level, rise);
    let names = [("service", service), ("callee", callee)];
    for chart in row.series.iter_mut().flatten() {
        chart.labels = names.map(|(label, name)| (label.to_owned(), name.to_owned())).into();
    }
    row
}

/// Puts other evidence into the newest analysis of the world's incident.
async fn stored(world: &World, evidence: &[Evidence]) {
    let newest = world.read().await.analysis.unwrap();
    let mut tx = world.db.begin(world.tenant.0).await.unwrap();
    store::save_evidence(&mut tx, world.tenant, world.incident, newest.id, evidence).await.unwrap();
    tx.commit().await.unwrap();
}

async fn written_down(world: &World, incident: IncidentId, cause: &str) {
    let mut tx = world.db.begin(world.tenant.0).await.unwrap();
    on_tx!(tx, c => sqlx::query("update incidents set root_cause = $3 where tenant_id = $1 and id = $2")
        .bind(world.tenant).bind(incident).bind(cause).execute(c).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
}

/// How many rows there are that an analysis, a judgement or a call would add to.
async fn rows(world: &World) -> Vec<i64> {
    let mut tx = world.db.read(world.tenant.0).await.unwrap();
    let mut out: Vec<i64> = on_tx!(tx, c => sqlx::query_scalar(
        "select count(*) from analyses where tenant_id = $1
         union all select count(*) from hypotheses where tenant_id = $1
         union all select count(*) from evidence where tenant_id = $1
         union all select count(*) from model_calls where tenant_id = $1
         union all select count(*) from steps where tenant_id = $1")
        .bind(world.tenant).fetch_all(c).await)
    .unwrap();
    out.push(world.events().await.len() as i64);
    out
}

#[tokio::test]
async fn the_engine_finds_the_written_cause_in_stored_series_and_writes_nothing() {
    let world = World::new(None).await;
    world.analyse(false).await;
    stored(
        &world,
        &[
            measured("checkout", "Average request duration", "s", 0.2, 2.0),
            call("checkout", "orders-db", 0.06, 10.0),
            measured("orders-db", "Average query duration", "s", 0.05, 12.0),
            measured("orders-db", "Pool connections in use", "", 10.0, 5.0),
        ],
    )
    .await;
    assert_eq!(replayed(&world).await.incidents, 0, "nobody confirmed a cause");
    written_down(&world, world.incident, "The pool of orders-db was full").await;
    let before = rows(&world).await;
    let found = replayed(&world).await;
    assert_eq!((found.incidents, found.left_out.len()), (1, 0), "{:?}", found.left_out);
    let (now, then) = (row(&found, NOW).unwrap(), row(&found, THEN).unwrap());
    assert_eq!((now.service.cases, now.service.ac1), (1, 1.0));
    assert!(now.honesty.unwrap().mean_confidence > 0.3, "{now:?}");
    assert_eq!(then.service.ac1, 0.0, "there was nothing to go by then");
    assert_eq!(rows(&world).await, before);
    // a cause that names nobody is left out, and said to be
    written_down(&world, world.incident, "Somebody tripped over a cable").await;
    let found = replayed(&world).await;
    assert_eq!(found.incidents, 0);
    assert!(found.left_out[0].contains("INC-1: its cause names no service"), "{:?}", found.left_out);
}

#[tokio::test]
async fn an_accepted_hypothesis_is_right_and_another_projects_incidents_are_not_read() {
    let mut world = World::new(None).await;
    world.change("checkout", "v2.41.0", 41).await;
    let first = world.analyse(false).await.items[0].clone();
    let mut tx = world.db.begin(world.tenant.0).await.unwrap();
    let said = Feedback {
        verdict: Verdict::Accepted,
        comment: None,
        by: "Ana".to_owned(),
        at: tx.now(),
        from_version: None,
    };
    assert!(feedback::store::judge(&mut tx, world.tenant, world.incident, first.id, &said).await.unwrap());
    tx.commit().await.unwrap();
    let found = replayed(&world).await;
    assert_eq!((row(&found, NOW).unwrap().service.ac1, row(&found, THEN).unwrap().service.ac1), (1.0, 1.0));
    world.project = ProjectId::new();
    world.add_project().await;
    let elsewhere = replayed(&world).await;
    assert_eq!((elsewhere.incidents, elsewhere.scores.len()), (0, 0));
}

#[tokio::test]
async fn a_model_is_asked_again_within_the_budget_of_the_replay() {
    let world = World::new(Some(1_000_000)).await;
    world.change("checkout", "v2.41.0", 41).await;
    world.script.then(super::ends::says(serde_json::json!([])));
    world.analyse(false).await;
    written_down(&world, world.incident, "checkout was released with wrong rules").await;
    let claim = super::ends::one("Release v2.41.0 of checkout broke voucher rules", 0.05, &["E1"]);
    world.script.then(super::ends::says(serde_json::json!([claim])));
    let before = rows(&world).await;
    let again = Again { model: &world.model, budget_micros: 100_000 };
    let found = replay(&world.db, (world.tenant, world.project), Some(again)).await.unwrap();
    let model = row(&found, "gpt-4o-mini, now").unwrap();
    assert_eq!((model.service.ac1, found.calls), (1.0, 1), "{:?}", found.left_out);
    let engine = row(&found, NOW).unwrap().honesty.unwrap().mean_confidence;
    assert!(model.honesty.unwrap().mean_confidence < engine, "the model doubted");
    assert!(found.spent_micros > 0);
    assert_eq!(rows(&world).await, before, "the ledger is the server's");
    let nothing = Again { model: &world.model, budget_micros: 1 };
    let found = replay(&world.db, (world.tenant, world.project), Some(nothing)).await.unwrap();
    assert_eq!((found.calls, world.script.journal().len()), (0, 2));
    assert!(found.left_out[0].contains("budget"), "{:?}", found.left_out);
}
