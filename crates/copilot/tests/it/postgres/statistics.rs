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
    // Without a change of that size nothing is looked at again.
    hook.send_json(&alert("Down", "one-more", "firing", world.clock.now(), None)).await.expect(200);
    let known: f32 = sqlx::query_scalar("select reltuples from pg_class where oid = 'alerts'::regclass")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(known as usize, sent);
    connection.close().await.unwrap();
    world.end().await;
}
