//! The sign that an analysis is made: others may see it, and nobody is kept away by it.

use std::time::Duration;

use copilot::redis::Redis;
use outbox::Wake;
use reqwest::Method;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::server::RedisServer;
use super::until;
use crate::world::World;
use copilot::ai::Model;

#[tokio::test]
async fn only_its_own_sign_is_taken_down() {
    let server = RedisServer::start(&[]).await;
    let redis = Redis::new(&server.url()).unwrap();
    let stop = CancellationToken::new();
    let watching = async {
        redis.up().await;
        let key = || "ai:generating:x".to_owned();
        let lasts = Duration::from_secs(60);
        let mine = redis.lock(key(), lasts).await.expect("it is free");
        assert!(redis.lock(key(), lasts).await.is_none(), "it is taken");
        let mut connection = server.connect().await;
        let left_ms: i64 = redis::cmd("PTTL").arg(key()).query_async(&mut connection).await.unwrap();
        assert!((1..=60_000).contains(&left_ms), "it falls by itself: {left_ms}");
        let _: () = redis::cmd("SET").arg(key()).arg("another's").query_async(&mut connection).await.unwrap();
        mine.release().await;
        let found: Option<String> = redis::cmd("GET").arg(key()).query_async(&mut connection).await.unwrap();
        assert_eq!(found.as_deref(), Some("another's"), "somebody else's sign stays");
        let _: () = redis::cmd("DEL").arg(key()).query_async(&mut connection).await.unwrap();
        redis.lock(key(), lasts).await.expect("it is free again").release().await;
        let found: Option<String> = redis::cmd("GET").arg(key()).query_async(&mut connection).await.unwrap();
        assert_eq!(found, None);
        stop.cancel();
    };
    tokio::join!(watching, redis.clone().run(Wake::default(), stop.clone()));
}

#[tokio::test]
async fn a_forged_sign_stops_no_analysis() {
    let server = RedisServer::start(&[]).await;
    let world = World::with(|config| config.redis_url = server.url(), Model::none()).await;
    let incident = world.post("/api/v1/incidents", json!({"title": "Signs"})).await.expect(201);
    world.settle().await;
    let id = incident["id"].as_str().unwrap();
    let mut connection = server.connect().await;
    let key = format!("ai:generating:{id}");
    let _: () = redis::cmd("SET").arg(&key).arg("forged").query_async(&mut connection).await.unwrap();
    let path = format!("/api/v1/incidents/{id}/hypotheses");
    let asked = world.call(Method::POST, &path, Some(json!({"refresh": true}))).await;
    assert!([200, 202].contains(&asked.status.as_u16()), "{}", asked.body);
    let version = asked.body["analysis"]["version"].clone();
    until("the analysis has ended", async || {
        let read = world.get(&path).await;
        read["analysis"]["version"] == version && read["analysis"]["completed_at"].is_string()
    })
    .await;
    let found: Option<String> = redis::cmd("GET").arg(&key).query_async(&mut connection).await.unwrap();
    assert_eq!(found.as_deref(), Some("forged"), "a sign that is not ours is left alone");
    world.end().await;
}
