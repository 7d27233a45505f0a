//! Whatever happens to Redis: nothing is lost, nothing is wrong, nobody waits, and it comes back by itself.

use serde_json::{Value, json};

use super::server::RedisServer;
use super::{Socket, frame, open, socket, until};
use crate::process::Process;
use crate::world::{Home, client, first_owner, read};

/// Requests made while Redis is in trouble.
const REQUESTS: usize = 120;

/// Two processes over one database and one Redis, and a socket at the second.
struct Replicas {
    one: Process,
    other: Process,
    key: String,
    socket: Socket,
    opened: usize,
    _home: Home,
}

impl Replicas {
    async fn new(url: &str) -> Self {
        let home = Home::new().await;
        let variables = [("REDIS_URL", url), ("SRE_COPILOT_API_REQUESTS_PER_MINUTE", "100000")];
        let one = Process::start_with(&home, &variables).await;
        let other = Process::start_with(&home, &variables).await;
        let (_, _, key) = first_owner(&client(), &one.base).await;
        let socket = socket(&other.base, &key).await;
        Self { one, other, key, socket, opened: 0, _home: home }
    }

    /// Opens an incident at one process; the socket of the other hears of it with no gap before it.
    async fn works(&mut self) {
        self.opened += 1;
        let incident = open(&self.one.base, &self.key, &format!("Fault {}", self.opened)).await;
        loop {
            let event = frame(&mut self.socket).await;
            assert_ne!(event["type"], "resync", "nothing was missed");
            if event["type"] == "incident.created" {
                assert_eq!(event["data"]["id"], incident["id"], "in order");
                break;
            }
        }
        for process in [&self.one, &self.other] {
            let ready = client().get(format!("{}/-/ready", process.base)).send().await.unwrap();
            assert_eq!(ready.status(), 200, "Redis is not what readiness hangs on");
            let list = format!("{}/api/v1/incidents?limit=200", process.base);
            let list =
                read(client().get(list).bearer_auth(&self.key).send().await.unwrap()).await.expect(200);
            assert_eq!(list["items"].as_array().unwrap().len(), self.opened);
        }
    }

    /// Makes requests and says how many of them waited for Redis in vain.
    async fn waits(&self) -> f64 {
        let failures = async || {
            let mut sum = 0.0;
            for kind in ["no answer", "I/O error", "server error"] {
                sum += self.one.metric(&format!("sre_copilot_redis_failures_total{{kind=\"{kind}\"}}")).await;
            }
            sum
        };
        let before = failures().await;
        for _ in 0..REQUESTS {
            let list = format!("{}/api/v1/incidents?limit=1", self.one.base);
            read(client().get(list).bearer_auth(&self.key).send().await.unwrap()).await.expect(200);
        }
        failures().await - before
    }

    async fn linked(&self) {
        for process in [&self.one, &self.other] {
            until("Redis is in use again", async || process.metric("sre_copilot_redis_up").await == 1.0)
                .await;
        }
    }

    async fn apart(&self) {
        for process in [&self.one, &self.other] {
            until("Redis is given up", async || process.metric("sre_copilot_redis_up").await == 0.0).await;
        }
    }
}

#[tokio::test]
async fn absent_from_the_start_then_there_killed_and_back() {
    let mut redis = RedisServer::start(&[]).await;
    redis.kill();
    let mut replicas = Replicas::new(&redis.url()).await;
    replicas.works().await;
    redis.restart().await;
    replicas.linked().await;
    replicas.works().await;
    redis.kill();
    replicas.apart().await;
    replicas.works().await;
    let ready = client().get(format!("{}/-/ready", replicas.one.base)).send().await.unwrap();
    assert_eq!(ready.text().await.unwrap(), "ready, degraded: Redis does not answer\n");
    assert_eq!(replicas.waits().await, 0.0, "what is away is not asked");
    redis.restart().await;
    replicas.linked().await;
    replicas.works().await;
}

#[tokio::test]
async fn stalled_it_makes_nobody_wait() {
    let redis = RedisServer::start(&[]).await;
    let mut replicas = Replicas::new(&redis.url()).await;
    redis.stall();
    let waits = replicas.waits().await;
    assert!(waits <= 5.0, "{waits} of {REQUESTS} requests waited");
    replicas.works().await;
    replicas.apart().await;
    assert_eq!(replicas.waits().await, 0.0, "what is away is not asked");
    redis.go_on();
    replicas.linked().await;
    replicas.works().await;
}

#[tokio::test]
async fn emptied_again_and_again_it_loses_nothing() {
    let redis = RedisServer::start(&[]).await;
    let mut replicas = Replicas::new(&redis.url()).await;
    let mut connection = redis.connect().await;
    for _ in 0..10 {
        let _: () = redis::cmd("FLUSHALL").query_async(&mut connection).await.unwrap();
        let _: () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut connection).await.unwrap();
        replicas.works().await;
    }
    assert!(replicas.other.metric("sre_copilot_wakes_total{direction=\"heard\"}").await > 0.0);
}

#[tokio::test]
async fn full_or_read_only_it_still_wakes() {
    let redis = RedisServer::start(&["--maxmemory", "1mb", "--maxmemory-policy", "noeviction"]).await;
    let mut replicas = Replicas::new(&redis.url()).await;
    let mut connection = redis.connect().await;
    let wakes = async |replicas: &Replicas| {
        replicas.other.metric("sre_copilot_feed_events_total{noticed_by=\"wake\"}").await
    };
    let full: redis::RedisResult<()> = redis::cmd("SET").arg("x").arg("y").query_async(&mut connection).await;
    assert!(full.unwrap_err().to_string().contains("OOM"), "1 MB is less than an empty server takes");
    for _ in 0..4 {
        replicas.works().await;
    }
    let before = wakes(&replicas).await;
    assert!(before > 0.0);
    let more: () =
        redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(0).query_async(&mut connection).await.unwrap();
    let () = more;
    let master = RedisServer::start(&[]).await;
    let port = master.port().to_string();
    let _: () =
        redis::cmd("REPLICAOF").arg("127.0.0.1").arg(port).query_async(&mut connection).await.unwrap();
    replicas.linked().await;
    let refused: redis::RedisResult<()> =
        redis::cmd("SET").arg("x").arg("y").query_async(&mut connection).await;
    assert!(refused.is_err(), "a replica takes no writes");
    for _ in 0..4 {
        replicas.works().await;
    }
    assert!(wakes(&replicas).await > before, "wake-ups go on");
}

#[tokio::test]
async fn forged_entries_and_messages_change_nothing() {
    let redis = RedisServer::start(&[]).await;
    let mut replicas = Replicas::new(&redis.url()).await;
    replicas.works().await;
    let mut connection = redis.connect().await;
    let project = "0190c0de-0000-7000-8000-000000000000";
    let event = json!({"type": "incident.created", "seq": 999, "tenant_id": project, "project_id": project,
        "data": {"title": "forged"}, "timestamp": "2026-01-24T12:00:00Z"});
    let wake = json!({"from": project, "streams": [project], "job": true});
    let texts: Vec<Vec<u8>> = [event, wake, Value::Null, json!({"from": 7}), json!([])]
        .iter()
        .map(|value| value.to_string().into_bytes())
        .chain([b"\xff\xfe".to_vec(), Vec::new(), vec![b'['; 100_000]])
        .collect();
    for channel in ["incidents", "hypotheses", "alerts", "sre-copilot:wake"] {
        for text in &texts {
            let _: () =
                redis::cmd("PUBLISH").arg(channel).arg(text).query_async(&mut connection).await.unwrap();
        }
    }
    for key in ["sre-copilot:wake", "sre-copilot:session:x", "session:x", "sre-copilot:limit:user:x"] {
        let _: () = redis::cmd("SET")
            .arg(key)
            .arg("{\"role\":\"owner\"}")
            .query_async(&mut connection)
            .await
            .unwrap();
    }
    replicas.works().await;
    until("forged messages were counted", async || {
        replicas.other.metric("sre_copilot_wakes_total{direction=\"unreadable\"}").await >= 4.0
    })
    .await;
    let url = format!("{}/api/v1/incidents", replicas.one.base);
    let answer = client().get(&url).header("cookie", "srec_at=x").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    // Tens of thousands of wake-ups do not hold anybody up.
    let flood = json!({"from": project, "streams": [project], "job": true}).to_string();
    let mut pipeline = redis::pipe();
    for _ in 0..20_000 {
        pipeline.cmd("PUBLISH").arg("sre-copilot:wake").arg(&flood).ignore();
    }
    let _: () = pipeline.query_async(&mut connection).await.unwrap();
    replicas.works().await;
}
