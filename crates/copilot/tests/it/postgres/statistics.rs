//! What PostgreSQL's planner knows of tables that have just grown.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use super::cluster::Cluster;
use crate::world::{World, alert};

/// Far less than the minute after which autovacuum first comes by.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_planner_learns_at_once_of_a_storm() {
    let Some(cluster) = Cluster::start("-c autovacuum=off") else { return };
    cluster.run("postgres", &["create database whole"]).await;
    let url = cluster.url("postgres", "whole");
    let opened = url.clone();
    let world = World::with(move |config| config.database_url = opened, copilot::ai::Model::none()).await;
    let hook = world.integration("alertmanager", json!({})).await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let mut sent = 0;
    for storm in [300, 400, 1_500] {
        let mut body = alert("Down", "checkout", "firing", world.clock.now(), None);
        let all: Vec<Value> = (sent..sent + storm)
            .map(|n| {
                alert("Down", &format!("service-{n}"), "firing", world.clock.now(), None)["alerts"][0].clone()
            })
            .collect();
        body["alerts"] = json!(all);
        hook.send_json(&body).await.expect(200);
        sent += storm;
        let (begun, mut ticks) = (Instant::now(), tokio::time::interval(Duration::from_millis(20)));
        loop {
            ticks.tick().await;
            let known: f32 =
                sqlx::query_scalar("select reltuples from pg_class where oid = 'alerts'::regclass")
                    .fetch_one(&mut connection)
                    .await
                    .unwrap();
            if known as usize == sent {
                break;
            }
            assert!(begun.elapsed() < SOON, "the planner knows of {known} alerts of {sent}");
        }
    }
    connection.close().await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_role_that_does_not_own_the_tables_leaves_them_alone() {
    let Some(cluster) = Cluster::start("") else { return };
    cluster.run("postgres", &["create database whole"]).await;
    let url = cluster.url("postgres", "whole");
    let world = World::with(move |config| config.database_url = url, copilot::ai::Model::none()).await;
    cluster.run("postgres", &["create role guest login"]).await;
    for (role, may) in [("postgres", true), ("guest", false)] {
        let pool = sqlx::PgPool::connect(&cluster.url(role, "whole")).await.unwrap();
        let db = outbox::Db::new(outbox::Pool::Postgres(pool), outbox::Clock::System);
        let known = db.renew_statistics("alerts", 0, &["alerts"]).await.unwrap();
        assert_eq!(known, may.then_some(0), "{role}");
    }
    world.end().await;
}
