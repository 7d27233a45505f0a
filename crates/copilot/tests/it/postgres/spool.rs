//! The database goes away while webhooks come in: what is answered waits on the disk and is stored once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use copilot::service::Service;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::Mutex;

use super::cluster::Cluster;
use crate::process::Process;
use crate::world::{Answer, Home, World, alert, client, first_owner, read, text};

/// How long a test waits until nothing waits any more.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many webhooks are sent after the spool was empty again.
const AFTERWARDS: usize = 300;

/// How many webhooks are answered before the process is killed.
const ANSWERED: usize = 60;

/// Waits until the product at `base` is ready and its spool empty.
pub(super) async fn drained(base: &str) {
    let (http, begun) = (client(), Instant::now());
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let answer = read(http.get(format!("{base}/-/ready")).send().await.unwrap()).await;
        if answer.status == 200 && answer.body == "ready\n" {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "webhooks still wait: {}", answer.body);
    }
}

/// A server of this test's own, and real processes on it.
pub(super) struct Site {
    pub(super) home: Home,
    pub(super) cluster: Cluster,
    pub(super) spool_mib: u64,
    pub(super) commit_queue: usize,
    http: reqwest::Client,
    project: String,
    key: String,
}

impl Site {
    pub(super) async fn start() -> Option<(Self, Process)> {
        let cluster = Cluster::start("")?;
        cluster.run("postgres", &["create database whole"]).await;
        let home = Home::new().await;
        let (project, key) = (String::new(), String::new());
        let mut site =
            Self { home, cluster, spool_mib: 64, commit_queue: 4096, http: client(), project, key };
        let process = site.process("one").await;
        let (_, project, key) = first_owner(&site.http, &process.base).await;
        (site.project, site.key) = (project, key);
        Some((site, process))
    }

    /// What a process with its data in `folder` is started with.
    fn variables(&self, folder: &str) -> [(&'static str, String); 5] {
        [
            ("DATABASE_URL", self.cluster.url("postgres", "whole")),
            ("SRE_COPILOT_DATA_DIR", self.home.folder.path().join(folder).display().to_string()),
            ("SRE_COPILOT_API_REQUESTS_PER_MINUTE", "0".to_owned()),
            ("SRE_COPILOT_SPOOL_MIB", self.spool_mib.to_string()),
            ("SRE_COPILOT_COMMIT_QUEUE", self.commit_queue.to_string()),
        ]
    }

    pub(super) async fn process(&self, folder: &str) -> Process {
        self.faulty(folder, "").await
    }

    /// Starts a process that does something at a point of its work.
    pub(super) async fn faulty(&self, folder: &str, fault: &str) -> Process {
        let variables = self.variables(folder);
        let mut variables = variables.each_ref().map(|(name, value)| (*name, value.as_str())).to_vec();
        if !fault.is_empty() {
            variables.push((outbox::sabotage::FAULT, fault));
        }
        Process::start_with(&self.home, &variables).await
    }

    /// Starts a process that kills itself at a point of its work, if it gets there `within` that time.
    async fn killed_at(&self, folder: &str, fault: &str, within: Duration) -> bool {
        let variables = self.variables(folder);
        let mut variables = variables.each_ref().map(|(name, value)| (*name, value.as_str())).to_vec();
        variables.push((outbox::sabotage::FAULT, fault));
        Process::dies(&self.home, &variables, within).await
    }

    async fn call(&self, process: &Process, method: Method, path: &str, body: Value) -> Answer {
        let request = self.http.request(method, format!("{}{path}", process.base)).bearer_auth(&self.key);
        read(request.json(&body).send().await.unwrap()).await
    }

    /// Adds an integration: its id and its token.
    pub(super) async fn integration(&self, process: &Process, name: &str) -> (String, String) {
        let path = format!("/api/v1/projects/{}/integrations", self.project);
        let body = json!({"kind": "alertmanager", "name": name});
        let created = self.call(process, Method::POST, &path, body).await.expect(201);
        (text(&created["id"]), text(&created["token"]))
    }

    pub(super) async fn send(&self, process: &Process, token: &str, body: &Value) -> Answer {
        let url = format!("{}/webhooks/alertmanager", process.base);
        read(self.http.post(url).bearer_auth(token).json(body).send().await.unwrap()).await
    }

    async fn count(&self, query: &'static str) -> i64 {
        let url = self.cluster.url("postgres", "whole");
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let count = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        count
    }

    /// Waits until no note of a stored request is left: they go right after their requests, which is when it is ready.
    async fn no_notes_are_left(&self) {
        let (begun, mut ticks) = (Instant::now(), tokio::time::interval(Duration::from_millis(20)));
        loop {
            ticks.tick().await;
            let notes = self.count("select count(*) from spooled").await;
            if notes == 0 {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{notes} notes that nobody needs any more");
        }
    }

    /// The services of all incidents that are open, or that are not.
    pub(super) async fn services(&self, open: bool) -> BTreeSet<String> {
        let url = self.cluster.url("postgres", "whole");
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let query = "select service_name from incidents where open = $1";
        let services = sqlx::query_scalar(query).bind(open).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        services.into_iter().collect()
    }
}

fn now() -> outbox::Ts {
    outbox::Clock::System.now()
}

pub(super) fn firing(service: &str) -> Value {
    alert("Down", service, "firing", now().plus_seconds(-5), None)
}

/// Sends webhooks by eight senders until so many are answered, then kills the process: the services that were answered.
async fn answered_before_the_kill(site: &Site, process: &mut Process, token: &str) -> BTreeSet<String> {
    let url = format!("{}/webhooks/alertmanager", process.base);
    let (answered, count, next) = (Mutex::new(BTreeSet::new()), AtomicUsize::new(0), AtomicUsize::new(0));
    let sender = async |_: usize| {
        loop {
            let service = format!("service-{}", next.fetch_add(1, Ordering::SeqCst));
            let sent = site.http.post(&url).bearer_auth(token).json(&firing(&service)).send().await;
            let Ok(answer) = sent else { return };
            if answer.status().is_success() {
                answered.lock().await.insert(service);
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    let killer = async {
        let (begun, mut ticks) = (Instant::now(), tokio::time::interval(Duration::from_millis(5)));
        while count.load(Ordering::SeqCst) < ANSWERED {
            ticks.tick().await;
            assert!(begun.elapsed() < PATIENCE, "{count:?} webhooks were answered");
        }
        process.kill();
    };
    tokio::join!(join_all((0..8).map(sender)), killer);
    answered.into_inner()
}

#[tokio::test]
async fn what_was_answered_is_stored_once_whoever_dies() {
    let Some((site, mut process)) = Site::start().await else { return };
    let (_, token) = site.integration(&process, "am").await;
    site.send(&process, &token, &firing("known")).await.expect(200);
    site.cluster.down();
    let answered = answered_before_the_kill(&site, &mut process, &token).await;
    site.cluster.up("");
    if std::env::var_os(outbox::sabotage::BROKEN).is_none() {
        // Before anything is stored; when it is, and still waits; and when that was recognised.
        assert!(site.killed_at("one", "intake.before_commit=kill", PATIENCE).await);
        assert_eq!(site.count("select count(*) from incidents").await, 1);
        assert!(site.killed_at("one", "intake.committed=kill", PATIENCE).await);
        assert!(site.count("select count(*) from spooled").await > 0);
        assert!(site.killed_at("one", "spool.stored=kill", PATIENCE).await);
    } else if std::env::var(outbox::sabotage::BROKEN).is_ok_and(|ways| ways == "spool-removes-first") {
        // Unless the process before has already removed them, and nothing is left to be stored.
        site.killed_at("one", "intake.before_commit=kill", Duration::from_secs(10)).await;
    }
    let process = site.process("one").await;
    drained(&process.base).await;
    let stored = site.services(true).await;
    let lost: Vec<_> = answered.difference(&stored).collect();
    assert!(lost.is_empty(), "{} of {} answered webhooks are lost: {lost:?}", lost.len(), answered.len());
    let doubled = "select count(*) from alerts where statements <> 1";
    assert_eq!(site.count(doubled).await, 0, "alerts that were not counted once");
    let alerts = site.count("select count(*) from alerts").await;
    assert_eq!(site.count("select count(*) from incidents").await, alerts);
    assert_eq!(site.count("select coalesce(sum(receipts), 0)::bigint from receipts").await, alerts);
    site.no_notes_are_left().await;
    // What comes now is stored at once again.
    let answer = site.send(&process, &token, &firing("later")).await.expect(200);
    assert_eq!(answer["results"][0]["outcome"], "opened", "{answer}");
}

#[tokio::test]
async fn what_changed_meanwhile_counts() {
    let Some((site, mut one)) = Site::start().await else { return };
    let two = site.process("two").await;
    let (_, token) = site.integration(&one, "am").await;
    let (removed, its_token) = site.integration(&one, "removed").await;
    let fired = firing("ends");
    site.send(&one, &token, &fired).await.expect(200);
    site.send(&one, &its_token, &firing("before")).await.expect(200);
    site.cluster.down();
    let mut ended = fired.clone();
    ended["status"] = json!("resolved");
    ended["alerts"][0]["status"] = json!("resolved");
    ended["alerts"][0]["endsAt"] = json!(now().to_string());
    let answer = site.send(&one, &token, &ended).await.expect(200);
    assert_eq!(answer["results"][0]["reason"], "spooled", "{answer}");
    let waits = site.send(&one, &its_token, &firing("after")).await.expect(200);
    one.kill();
    site.cluster.up("");
    drained(&two.base).await;
    // A repeat that was under way, and somebody who removes the integration while its webhook waits.
    site.send(&two, &token, &fired).await.expect(200);
    let path = format!("/api/v1/projects/{}/integrations/{removed}", site.project);
    site.call(&two, Method::DELETE, &path, json!({})).await.expect(204);
    let one = site.process("one").await;
    drained(&one.base).await;
    assert_eq!(site.services(false).await, BTreeSet::from(["ends".to_owned()]), "an end that waited is lost");
    assert_eq!(site.services(true).await, BTreeSet::from(["before".to_owned()]));
    let path = format!("/api/v1/projects/{}/deliveries/{}", site.project, text(&waits["delivery_id"]));
    let receipt = site.call(&one, Method::GET, &path, json!({})).await.expect(200);
    assert_eq!(receipt["status"], "rejected", "{receipt}");
    assert_eq!(receipt["reason"], "token-revoked", "{receipt}");
    assert!(receipt.to_string().contains("after"), "its body is kept: {receipt}");
}

#[tokio::test]
async fn webhooks_wait_in_their_order_and_keep_their_time() {
    let Some(cluster) = Cluster::start("") else { return };
    cluster.run("postgres", &["create database whole"]).await;
    let url = cluster.url("postgres", "whole");
    let world = World::with(move |config| config.database_url = url, copilot::ai::Model::none()).await;
    let hook = world.integration("alertmanager", json!({})).await;
    hook.send_json(&alert("Down", "known", "firing", world.clock.now(), None)).await.expect(200);
    cluster.down();
    let mut receipts = Vec::new();
    for n in 0..20 {
        let (service, began) = (format!("service-{n}"), world.clock.now());
        world.clock.advance(1.0);
        let mut bodies = vec![alert("Down", &service, "firing", began, None)];
        if n % 2 == 0 {
            bodies.push(alert("Down", &service, "resolved", began, Some(world.clock.now())));
        }
        for body in bodies {
            let answer = hook.send_json(&body).await.expect(200);
            assert_eq!(answer["results"][0]["outcome"], "held", "{answer}");
            assert_eq!(answer["results"][0]["reason"], "spooled", "{answer}");
            receipts.push((text(&answer["delivery_id"]), world.clock.now().to_string()));
            world.clock.advance(1.0);
        }
    }
    let strange = world.http.post(&hook.url).bearer_auth("nobody").json(&json!({})).send().await.unwrap();
    assert_ne!(strange.status(), 200, "a token that nobody has confirmed");
    world.call(Method::GET, "/-/ready", None).await.expect(503);
    let receiver = format!("http://{}/-/ready", world.server.addresses[&Service::Integration]);
    let ready = read(world.http.get(receiver).send().await.unwrap()).await.expect(200);
    assert!(ready.to_string().contains("taken into the spool"), "{ready}");
    world.clock.advance(300.0);
    cluster.up("");
    drained(&world.base).await;
    let incidents = world.incidents().await;
    assert_eq!(incidents.len(), 21);
    let resolved = incidents.iter().filter(|incident| incident["state"] == "resolved");
    assert_eq!(resolved.count(), 10);
    for (id, at) in receipts {
        let path = format!("/api/v1/projects/{}/deliveries/{id}", world.project);
        let receipt = world.get(&path).await;
        assert_eq!(
            (receipt["status"].clone(), receipt["received_at"].clone()),
            (json!("accepted"), json!(at))
        );
    }
    world.end().await;
}

#[tokio::test]
async fn a_token_that_can_not_be_looked_up_leads_into_the_spool() {
    let Some(cluster) = Cluster::start("") else { return };
    cluster.run("postgres", &["create database whole"]).await;
    let url = cluster.url("postgres", "whole");
    let mut other = PgConnection::connect(&url).await.unwrap();
    let world = World::with(move |config| config.database_url = url, copilot::ai::Model::none()).await;
    let hook = world.integration("alertmanager", json!({})).await;
    let body = alert("Down", "known", "firing", world.clock.now(), None);
    hook.send_json(&body).await.expect(200);
    let mut revoking = other.begin().await.unwrap();
    sqlx::query("lock table integration_tokens in access exclusive mode")
        .execute(&mut *revoking)
        .await
        .unwrap();
    // All else is there, so that the request could be stored. For a second the token counts as just confirmed.
    let (begun, mut ticks) = (Instant::now(), tokio::time::interval(Duration::from_millis(100)));
    let waits = loop {
        ticks.tick().await;
        let answer = hook.send_json(&body).await.expect(200);
        if answer["results"][0]["reason"] == "spooled" {
            break answer;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "stored with a token that may be revoked: {answer}"
        );
    };
    sqlx::query("delete from integration_tokens").execute(&mut *revoking).await.unwrap();
    revoking.commit().await.unwrap();
    drained(&world.base).await;
    let path = format!("/api/v1/projects/{}/deliveries/{}", world.project, text(&waits["delivery_id"]));
    assert_eq!(world.get(&path).await["reason"], "token-revoked");
    world.end().await;
}

#[tokio::test]
async fn senders_that_never_pause_do_not_keep_the_spool_from_ending() {
    let Some((site, mut process)) = Site::start().await else { return };
    let (_, token) = site.integration(&process, "am").await;
    process.kill();
    // Slower than the senders, as on a busy machine.
    let process = site.faulty("one", "spool.stored=sleep:500").await;
    let body = firing("known");
    site.send(&process, &token, &body).await.expect(200);
    let ended = AtomicUsize::new(0);
    let sender = async |_: usize| {
        while ended.load(Ordering::SeqCst) == 0 {
            site.send(&process, &token, &body).await.expect(200);
        }
    };
    let story = async {
        site.cluster.down();
        until_spooled(&site, &process, &token).await;
        site.cluster.up("");
        drained(&process.base).await;
        let mut spooled = 0;
        for _ in 0..AFTERWARDS {
            spooled += usize::from(is_spooled(&site, &process, &token).await);
        }
        ended.store(1, Ordering::SeqCst);
        assert!(spooled < AFTERWARDS / 2, "{spooled} of {AFTERWARDS} requests went into the spool again");
    };
    tokio::join!(join_all((0..8).map(sender)), story);
}

/// Whether a request that is sent now waits.
async fn is_spooled(site: &Site, process: &Process, token: &str) -> bool {
    let answer = site.send(process, token, &firing("known")).await.expect(200);
    answer["results"][0]["reason"] == "spooled"
}

async fn until_spooled(site: &Site, process: &Process, token: &str) {
    let begun = Instant::now();
    while !is_spooled(site, process, token).await {
        assert!(begun.elapsed() < PATIENCE, "nothing waits though the database is away");
    }
}
