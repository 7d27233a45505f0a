//! Of what there are tens of thousands: the alerts of an incident, the calls of a model.

use std::time::Duration;

use outbox::{TxConn, on_tx};

use super::world::World;
use crate::ai::evidence::store;
use crate::ids::EpisodeId;

/// Runs a statement that adds rows, with `{id}` and `{bytes}` for what is random, and `numbers` from 1 to `count`; its $1 is the
/// tenant, its $3 the time.
async fn add(world: &World, count: i64, statement: &str) {
    let mut tx = world.db.begin(world.tenant.0).await.unwrap();
    let now = tx.now();
    let (id, bytes) = match tx.conn() {
        TxConn::Postgres(_) => ("gen_random_uuid()", "uuid_send(gen_random_uuid())"),
        TxConn::Sqlite(_) => ("randomblob(16)", "randomblob(16)"),
    };
    let statement = statement.replace("{id}", id).replace("{bytes}", bytes);
    let numbered = format!(
        "with recursive numbers (number) as (select 1 union all select number + 1 from numbers where number < $2)
         {statement}"
    );
    on_tx!(tx, c => sqlx::query(sqlx::AssertSqlSafe(numbered.as_str())).bind(world.tenant).bind(count).bind(now)
        .execute(c).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
}

/// Adds alerts like the world's own to its incident, each firing as long as that; a few at a time, for PostgreSQL gives a
/// statement five seconds.
async fn add_alerts(world: &World, count: i64) {
    let same = "project_id, integration_id, incident_key, fingerprint, title, description, severity, labels, annotations,
        flags, transitions, last_seen_at, statements";
    for part in 0..10 {
        let like = format!(
            "insert into alerts (tenant_id, id, alert_key, name, first_seen_at, {same})
             select $1, {{id}}, {{bytes}}, 'Part{part}', $3, {same} from alerts, numbers
             where tenant_id = $1 and name = 'HighErrorRate'"
        );
        add(world, count / 10, &like).await;
        let firing = format!(
            "insert into episodes (tenant_id, id, project_id, alert_id, incident_id, starts_at, opened_at)
             select $1, {{id}}, alerts.project_id, alerts.id, incidents.id, $3, $3
             from numbers join incidents on incidents.tenant_id = $1 and numbers.number = $2
             join alerts on alerts.tenant_id = $1 and alerts.name = 'Part{part}'"
        );
        add(world, 1, &firing).await;
        world.clock.advance(1.0);
    }
}

#[tokio::test]
async fn its_alerts_are_read_long_before_the_lease_runs_out() {
    let world = World::new(None).await;
    add_alerts(&world, 20_000).await;
    let mut tx = world.db.read(world.tenant.0).await.unwrap();
    let reading = store::alerts(&mut tx, world.tenant, world.incident);
    let read = tokio::time::timeout(Duration::from_secs(5), reading).await;
    assert_eq!(read.expect("it takes a quarter of the lease at most").unwrap().len(), 50);
}

#[tokio::test]
async fn an_alert_that_fired_twice_is_told_once_as_it_is_now() {
    let world = World::new(None).await;
    let second = world.alert(world.incident, "SlowResponses", "up == 0").await;
    world.clock.advance(60.0);
    let mut tx = world.db.begin(world.tenant.0).await.unwrap();
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "insert into episodes (tenant_id, id, project_id, alert_id, incident_id, starts_at, opened_at, closed_at)
         select tenant_id, $3, project_id, alert_id, incident_id, $4, $4, $4 from episodes
         where tenant_id = $1 and alert_id = $2")
        .bind(world.tenant).bind(second).bind(EpisodeId::new()).bind(now).execute(c).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.db.read(world.tenant.0).await.unwrap();
    let alerts = store::alerts(&mut tx, world.tenant, world.incident).await.unwrap();
    let told: Vec<_> = alerts.iter().map(|alert| (alert.name.as_str(), alert.closed_at)).collect();
    assert_eq!(told, [("HighErrorRate", None), ("SlowResponses", Some(now))]);
}

#[tokio::test]
async fn no_call_is_left_out_of_what_the_model_cost() {
    let world = World::new(Some(1_000_000)).await;
    add(&world, 100_001,
        "insert into model_calls (tenant_id, id, project_id, incident_id, analysis_id, fence, model, prompt_version, status,
                                  cost_micros, prompt_tokens, completion_tokens, started_at, ended_at)
         select $1, {id}, project_id, id, id, 1, 'gpt-4o-mini', '1', 'completed', 10, 100, 1, $3, $3
         from incidents join numbers on tenant_id = $1")
    .await;
    let sums = world.analytics().await;
    let days: Vec<_> = sums.days.iter().map(|day| (day.day.as_str(), day.requests, day.cost_usd)).collect();
    assert_eq!(days, [("2026-01-24", 100_001, Some(1.00001))]);
    assert_eq!((sums.totals.requests, sums.totals.prompt_tokens), (100_001, 10_000_100));
    add(&world, 1,
        "insert into model_calls (tenant_id, id, project_id, incident_id, analysis_id, fence, model, prompt_version, status,
                                  assumed, reserved_micros, started_at, ended_at)
         select $1, {id}, project_id, id, id, 1, 'gpt-4o-mini', '1', 'orphaned', numbers.number = $2, 10, $3, $3
         from incidents join numbers on tenant_id = $1")
    .await;
    let totals = world.analytics().await.totals;
    assert_eq!((totals.requests, totals.orphaned, totals.cost_usd), (100_002, 1, None), "one is not known");
}
