//! One count of requests for two processes, and half of it in each without Redis.

use std::time::Instant;

use copilot::ai::Model;
use copilot::config::Config;
use copilot::server::{self, Server, Start};
use copilot::service::Service;
use outbox::{Clock, Ts};
use reqwest::Method;
use serde_json::json;

use super::server::RedisServer;
use super::until;
use crate::world::{Answer, Home, NOON, World, client, first_owner, read, text};

/// Requests a minute of one key.
const LIMIT: u32 = 60;

/// Two replicas over one database and, while it is there, one Redis.
struct Pair {
    servers: [Server; 2],
    key: String,
    project: String,
    _home: Home,
}

impl Pair {
    async fn new(redis: &RedisServer) -> Self {
        let home = Home::new().await;
        let start = || {
            let mut config = home.config();
            config.redis_url = redis.url();
            config.api_requests_per_minute = LIMIT;
            Start {
                config,
                services: Service::ALL.to_vec(),
                clock: Clock::manual(Ts::from_micros(NOON * 1_000_000)),
                metrics: None,
                model: Some(Model::none()),
            }
        };
        let servers = [server::start(start()).await.unwrap(), server::start(start()).await.unwrap()];
        let (_, project, key) = first_owner(&client(), &servers[0].url()).await;
        Self { servers, key, project, _home: home }
    }

    async fn call(&self, replica: usize, method: Method, path: &str) -> Answer {
        let url = format!("{}{path}", self.servers[replica].url());
        read(client().request(method, url).bearer_auth(&self.key).send().await.unwrap()).await
    }

    /// How many of `count` requests, sent to the two replicas by turns, were within the limits.
    async fn accepted(&self, count: usize, path: &str) -> u32 {
        let mut accepted = 0;
        for n in 0..count {
            let answer = self.call(n % 2, Method::GET, path).await;
            assert!([200, 429].contains(&answer.status.as_u16()), "{}", answer.status);
            accepted += u32::from(answer.status == 200);
        }
        accepted
    }

    async fn end(self) {
        for server in self.servers {
            server.stop().await;
        }
    }
}

#[tokio::test]
async fn two_replicas_count_together() {
    let redis = RedisServer::start(&[]).await;
    let pair = Pair::new(&redis).await;
    let begun = Instant::now();
    let accepted = pair.accepted(2 * LIMIT as usize, "/api/v1/incidents?limit=1").await;
    // What the cell allows at once, and what has come back since.
    let regained = (begun.elapsed().as_secs_f64() * f64::from(LIMIT) / 60.0).ceil() as u32;
    assert!((LIMIT - 1..=LIMIT + regained + 1).contains(&accepted), "{accepted}, {regained} regained");
    // One a second comes back, so the first call may have been let through again; not many in a row.
    let mut refused = pair.call(0, Method::GET, "/api/v1/incidents?limit=1").await;
    for _ in 0..5 {
        if refused.status == 200 {
            refused = pair.call(0, Method::GET, "/api/v1/incidents?limit=1").await;
        }
    }
    let header = |name: &str| refused.headers[name].to_str().unwrap().to_owned();
    assert_eq!((refused.status.as_u16(), header("retry-after").as_str()), (429, "1"));
    assert_eq!(refused.body["type"], "/problems/rate-limited");
    assert_eq!(
        (header("ratelimit-policy"), header("ratelimit-remaining")),
        ("\"user\";q=60;w=60".into(), "0".into())
    );
    // A webhook is never answered 429, whatever its sender did before.
    let hook = client().post(format!("{}/webhooks/alertmanager", pair.servers[0].url()));
    for _ in 0..3 * LIMIT {
        assert_eq!(hook.try_clone().unwrap().send().await.unwrap().status(), 401);
    }
    pair.end().await;
}

#[tokio::test]
async fn without_redis_each_replica_allows_half() {
    let mut redis = RedisServer::start(&[]).await;
    let pair = Pair::new(&redis).await;
    redis.kill();
    for server in &pair.servers {
        until("the link is given up", async || !server.app.redis.is_up()).await;
    }
    let begun = Instant::now();
    let accepted = pair.accepted(4 * LIMIT as usize, "/api/v1/incidents?limit=1").await;
    let regained = (begun.elapsed().as_secs_f64() * f64::from(LIMIT) / 60.0).ceil() as u32;
    assert!((LIMIT..=LIMIT + regained + 2).contains(&accepted), "{accepted}, {regained} regained");
    redis.restart().await;
    for server in &pair.servers {
        until("the link is there again", async || server.app.redis.is_up()).await;
    }
    // The shared count had nothing counted while it was away, so it allows again.
    assert_eq!(pair.call(0, Method::GET, "/api/v1/incidents?limit=1").await.status, 200);
    pair.end().await;
}

#[tokio::test]
async fn strangers_are_counted_by_their_network() {
    let redis = RedisServer::start(&[]).await;
    let pair = Pair::new(&redis).await;
    let mut statuses = Vec::new();
    let begun = Instant::now();
    while statuses.last() != Some(&429) && statuses.len() < 1_000 {
        let url = format!("{}/api/v1/projects/{}", pair.servers[statuses.len() % 2].url(), pair.project);
        statuses.push(client().get(url).send().await.unwrap().status().as_u16());
    }
    // One of the sixty was the first owner's registration; one a second comes back.
    let most = 60 + begun.elapsed().as_secs() as usize + 2;
    assert!((59..=most).contains(&statuses.len()), "{} answers, {most} at most", statuses.len());
    assert_eq!(&statuses[..58], vec![401; 58]);
    assert_eq!(statuses.last(), Some(&429));
    let mut connection = redis.connect().await;
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    assert!(keys.iter().any(|key| key.starts_with("sre-copilot:limit:source:gateway:127.0.0.1")), "{keys:?}");
    for key in &keys {
        let left_ms: i64 = redis::cmd("PTTL").arg(key).query_async(&mut connection).await.unwrap();
        assert!((-2..=61_000).contains(&left_ms) && left_ms != -1, "{key} stays for {left_ms} ms");
    }
    pair.end().await;
}

#[tokio::test]
async fn a_forged_count_shuts_nobody_out() {
    let redis = RedisServer::start(&[]).await;
    let pair = Pair::new(&redis).await;
    pair.call(0, Method::GET, "/api/v1/incidents?limit=1").await.expect(200);
    let mut connection = redis.connect().await;
    let keys: Vec<String> =
        redis::cmd("KEYS").arg("sre-copilot:limit:*").query_async(&mut connection).await.unwrap();
    assert!(keys.len() >= 3, "{keys:?}");
    for forged in ["9e300", "nan", "inf", "-1", "not a number", "99999999999999999", ""] {
        for key in &keys {
            let _: () = redis::cmd("SET").arg(key).arg(forged).query_async(&mut connection).await.unwrap();
        }
        pair.call(1, Method::GET, "/api/v1/incidents?limit=1").await.expect(200);
    }
    for key in &keys {
        let _: () = redis::cmd("DEL").arg(key).query_async(&mut connection).await.unwrap();
        let _: () = redis::cmd("LPUSH").arg(key).arg("x").query_async(&mut connection).await.unwrap();
    }
    pair.call(1, Method::GET, "/api/v1/incidents?limit=1").await.expect(200);
    pair.end().await;
}

#[tokio::test]
async fn searches_and_analyses_have_limits_of_their_own() {
    let redis = RedisServer::start(&[]).await;
    let change = |config: &mut Config| {
        config.redis_url = redis.url();
        (config.api_requests_per_minute, config.searches_per_minute, config.analyses_per_minute) =
            (500, 2, 2);
    };
    let world = World::with(change, Model::none()).await;
    let search = async |query| world.call(Method::GET, query, None).await.status.as_u16();
    let found = [search("/api/v1/incidents?q=a").await, search("/api/v1/incidents?q=b").await];
    assert_eq!((found, search("/api/v1/incidents?q=c").await), ([200, 200], 429));
    assert_eq!(search("/api/v1/incidents").await, 200, "a list is no search");
    let incident = world.post("/api/v1/incidents", json!({"title": "Often"})).await.expect(201);
    let path = format!("/api/v1/incidents/{}/hypotheses", incident["id"].as_str().unwrap());
    let mut statuses = Vec::new();
    for _ in 0..3 {
        until("no analysis is made", async || world.get(&path).await["analysis"]["completed_at"].is_string())
            .await;
        // A stored one is no new one, however often it is asked for.
        world.post(&path, json!({})).await.expect(200);
        statuses.push(world.post(&path, json!({"refresh": true})).await.status.as_u16());
    }
    assert_eq!(statuses[2], 429, "{statuses:?}");
    assert!(statuses[..2].iter().all(|status| [200, 202].contains(status)), "{statuses:?}");
    world.end().await;
}

#[tokio::test]
async fn the_rate_of_an_integration_is_one_count_of_all_replicas() {
    let redis = RedisServer::start(&[]).await;
    let pair = Pair::new(&redis).await;
    let url = format!("{}/api/v1/projects/{}/integrations", pair.servers[0].url(), pair.project);
    let body = json!({"kind": "alertmanager", "name": "am", "settings": {"requests_per_minute": 4}});
    let created = client().post(url).bearer_auth(&pair.key).json(&body).send().await.unwrap();
    let token = text(&read(created).await.expect(201)["token"]);
    let mut statuses = Vec::new();
    for n in 0..8 {
        let url = format!("{}/webhooks/alertmanager", pair.servers[n % 2].url());
        let sent = client().post(url).bearer_auth(&token).json(&json!({"alerts": []}));
        statuses.push(sent.send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 503, 503, 503, 503]);
    pair.end().await;
}
