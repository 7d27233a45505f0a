//! The database goes away or is held up, and comes back.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use super::cluster::Cluster;
use crate::process::Process;
use crate::world::{Home, World, alert};

/// How soon the product is whole again once the cause is gone.
const RECOVERY: Duration = Duration::from_secs(10);

async fn becomes(world: &World, path: &str, status: StatusCode, within: Duration) {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let answer = world.call(Method::GET, path, None).await;
        if answer.status == status {
            return;
        }
        assert!(begun.elapsed() < within, "{path} is {} after {within:?}: {}", answer.status, answer.body);
    }
}

/// A world where webhooks that can't be stored are refused.
async fn without_spool(url: String) -> World {
    let change = |config: &mut copilot::config::Config| {
        config.database_url = url;
        config.spool_mib = 0;
    };
    World::with(change, copilot::ai::Model::none()).await
}

#[tokio::test]
async fn a_server_that_went_away_is_503_and_found_again() {
    let Some(cluster) = Cluster::start("") else { return };
    cluster.run("postgres", &["create database whole"]).await;
    let url = cluster.url("postgres", "whole");
    let world = without_spool(url).await;
    let hook = world.integration("alertmanager", json!({})).await;
    for round in 0..3 {
        cluster.down();
        becomes(&world, "/-/ready", StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(6)).await;
        assert_eq!(world.call(Method::GET, "/-/healthy", None).await.status, 200);
        assert_eq!(world.call(Method::GET, "/api/v1/incidents", None).await.status, 503);
        let body = alert("Down", &format!("service-{round}"), "firing", world.clock.now(), None);
        let refused = hook.send_json(&body).await;
        assert_eq!(refused.status, 503, "{}", refused.body);
        cluster.up("");
        becomes(&world, "/-/ready", StatusCode::OK, RECOVERY).await;
        hook.send_json(&body).await.expect(200);
    }
    assert_eq!(world.incidents().await.len(), 3);
    world.end().await;
}

#[tokio::test]
async fn no_sender_waits_long_for_a_server_that_is_away() {
    // Over TCP: a connection that is refused is tried again for four seconds, one to a socket that is not there is not.
    let port = bench::faults::replica::free_ports(1).unwrap()[0];
    let listen = format!("-c listen_addresses=127.0.0.1 -c port={port}");
    let Some(cluster) = Cluster::start(&listen) else { return };
    let url = format!("{}&port={port}", cluster.url("postgres", "postgres"));
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::query("create database whole").execute(&mut connection).await.unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{port}/whole");
    let world = World::with(move |config| config.database_url = url, copilot::ai::Model::none()).await;
    let (known, unknown) =
        (world.integration("alertmanager", json!({})).await, world.integration("grafana", json!({})).await);
    let body = alert("Down", "cart", "firing", world.clock.now(), None);
    known.send_json(&body).await.expect(200);
    cluster.down();
    // Whoever takes a connection that was cut is told at once; these take them all.
    let reads = (0..20).map(|_| world.call(Method::GET, "/api/v1/incidents", None));
    for read in futures_util::future::join_all(reads).await {
        assert_eq!(read.status, 503);
    }
    let begun = Instant::now();
    known.send("{".to_owned()).await.expect(400);
    unknown.send_json(&body).await.expect(503);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    known.send_json(&body).await.expect(200);
    cluster.up(&listen);
    becomes(&world, "/-/ready", StatusCode::OK, RECOVERY).await;
    world.end().await;
}

#[tokio::test]
async fn connections_that_were_ended_are_replaced() {
    let Some(cluster) = Cluster::start("") else { return };
    cluster.run("postgres", &["create database whole"]).await;
    let url = cluster.url("postgres", "whole");
    let world = World::with(move |config| config.database_url = url, copilot::ai::Model::none()).await;
    let hook = world.integration("alertmanager", json!({})).await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'whole'";
    for round in 0..5 {
        cluster.run("postgres", &[end]).await;
        let body = alert("Down", &format!("service-{round}"), "firing", world.clock.now(), None);
        let (sent, read) =
            tokio::join!(hook.send_json(&body), world.call(Method::GET, "/api/v1/incidents", None));
        for answer in [&sent, &read] {
            assert!([200, 503].contains(&answer.status.as_u16()), "{}", answer.body);
        }
        becomes(&world, "/api/v1/incidents", StatusCode::OK, RECOVERY).await;
        hook.send_json(&body).await.expect(200);
    }
    world.end().await;
}

#[tokio::test]
async fn a_table_held_by_somebody_else_is_503_in_time() {
    let Some(cluster) = Cluster::start("") else { return };
    cluster.run("postgres", &["create database whole"]).await;
    let url = cluster.url("postgres", "whole");
    let world = without_spool(url.clone()).await;
    let hook = world.integration("alertmanager", json!({})).await;
    let mut holder = PgConnection::connect(&url).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    sqlx::query("lock table incidents in access exclusive mode").execute(&mut *held).await.unwrap();
    let body = alert("Down", "checkout", "firing", world.clock.now(), None);
    let begun = Instant::now();
    let (sent, read) =
        tokio::join!(hook.send_json(&body), world.call(Method::GET, "/api/v1/incidents", None));
    assert_eq!((sent.status.as_u16(), read.status.as_u16()), (503, 503), "{} {}", sent.body, read.body);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    held.rollback().await.unwrap();
    becomes(&world, "/api/v1/incidents", StatusCode::OK, RECOVERY).await;
    hook.send_json(&body).await.expect(200);
    assert_eq!(world.incidents().await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_server_that_is_away_is_told_of_once_in_a_while() {
    let Some(cluster) = Cluster::start("") else { return };
    cluster.run("postgres", &["create database whole"]).await;
    let (home, url) = (Home::new().await, cluster.url("postgres", "whole"));
    let path = home.folder.path().join("log");
    let log = std::fs::File::create(&path).unwrap();
    let variables = [("DATABASE_URL", url.as_str()), ("SRE_COPILOT_LOG_FORMAT", "text")];
    let _process = Process::start_logging(&home, &variables, log.into()).await;
    cluster.down();
    let (begun, mut ticks) = (Instant::now(), tokio::time::interval(Duration::from_millis(100)));
    while begun.elapsed() < Duration::from_secs(8) {
        ticks.tick().await;
    }
    let text = std::fs::read_to_string(&path).unwrap();
    for message in ["the database does not answer", "incidents could not be swept"] {
        assert_eq!(text.matches(&format!("ERROR {message}")).count(), 1, "{text}");
    }
    // Once for each queue.
    let queues = text.matches("the queue could not be worked on").count();
    assert!((1..=2).contains(&queues), "{text}");
    cluster.up("");
}
