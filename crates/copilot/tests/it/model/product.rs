//! The product against the model: random histories sent to a running server, whose clock stands where the history does.

use std::collections::BTreeMap;

use outbox::{Ts, on_tx};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::types::Json;

use super::generate::{BEGIN, history, statement};
use super::history::{Alert, By, Incident, State, Statement, Step, What, World};
use super::run;
use crate::world::{self, Webhook, text};

/// Histories that are sent unless `SRE_COPILOT_MODEL_CASES` says how many.
const CASES: u32 = 300;

/// A server, and how many histories it was sent.
struct Rig {
    world: world::World,
    hook: Webhook,
    histories: usize,
}

/// What is stored of an alert: labels, fingerprint, whether it fires, flaps, its episodes begun and ended.
type AlertRow = (Json<BTreeMap<String, String>>, String, bool, bool, i64, i64);

/// What is stored of an incident: labels, state, open, who resolved it, alerts, firing alerts, flapping, stale, version, id.
type IncidentRow = (
    Json<BTreeMap<String, String>>,
    String,
    bool,
    Option<String>,
    i64,
    i64,
    bool,
    bool,
    i64,
    copilot::ids::IncidentId,
);

impl Rig {
    async fn new() -> Self {
        let world = world::World::new().await;
        let settings = json!({"group_by": ["alertname", "group"]});
        let hook = world.integration("alertmanager", settings).await;
        Self { world, hook, histories: 0 }
    }

    /// Sends a history and says where the product ended, and where the model does; nothing when they agree.
    async fn differs(&mut self, history: &[Step]) -> Option<String> {
        self.histories += 1;
        let events = self.world.events_after(0, 1).await.0;
        let begin = self.world.clock.now().plus_seconds(1);
        let mut sent = Vec::new();
        let mut rest = history;
        while let Some((first, _)) = rest.split_first() {
            self.pass_time(begin.plus_seconds(first.at - BEGIN)).await;
            let together = match &first.what {
                What::Body(_) => rest
                    .iter()
                    .take_while(|step| step.at == first.at && matches!(step.what, What::Body(_)))
                    .count(),
                _ => 1,
            };
            let (now, later) = rest.split_at(together);
            sent.extend(self.steps(now, begin).await);
            rest = later;
        }
        self.world.sweep().await;
        let (seen, expected) = (self.look(events).await, run(&sent));
        self.forget().await;
        (seen != expected)
            .then(|| format!("history: {sent:#?}\nthe product: {seen:#?}\nthe model: {expected:#?}"))
    }

    async fn read(&self) -> outbox::Tx {
        self.world.server.app.db.read(self.world.tenant.parse().unwrap()).await.unwrap()
    }

    /// Moves the clock to `to`; what falls due before is done when it is.
    async fn pass_time(&self, to: Ts) {
        loop {
            let mut tx = self.read().await;
            let due: (Option<Ts>, Option<Ts>) =
                on_tx!(tx, c => sqlx::query_as("select min(held_until), min(flapping_until) from alerts")
                    .fetch_one(c).await)
                .unwrap();
            drop(tx);
            let next = [due.0, due.1].into_iter().flatten().filter(|at| *at <= to).min();
            let at = next.unwrap_or(to).max(self.world.clock.now());
            self.world.clock.advance(at.seconds_since(self.world.clock.now()));
            if next.is_none() {
                return;
            }
            self.world.sweep().await;
        }
    }

    /// Does steps of one moment, and returns them in the order in which they were accepted.
    async fn steps(&self, steps: &[Step], begin: Ts) -> Vec<Step> {
        let sends = steps.iter().map(|step| async move {
            match &step.what {
                What::Body(said) => {
                    let answer = self.hook.send_json(&self.body(said, begin)).await.expect(200);
                    (text(&answer["delivery_id"]), step.clone())
                }
                What::Tick => {
                    self.world.sweep().await;
                    (String::new(), step.clone())
                }
                What::Acknowledge(key) => (self.person(*key, "acknowledged").await, step.clone()),
                What::Resolve(key) => (self.person(*key, "resolved").await, step.clone()),
                What::Learn(key) => (self.person(*key, "learned").await, step.clone()),
                What::Merge(from, into) => (self.merge(*from, *into).await, step.clone()),
            }
        });
        let mut done = futures_util::future::join_all(sends).await;
        // A receipt's id says when it was written, and its place in its commit.
        done.sort_by(|(one, _), (other, _)| one.cmp(other));
        done.into_iter().map(|(_, step)| step).collect()
    }

    fn body(&self, said: &[Statement], begin: Ts) -> Value {
        let at = |seconds: Option<i64>| seconds.map(|at| begin.plus_seconds(at - BEGIN).to_string());
        let alerts = said.iter().map(|statement| {
            let ends = at(statement.ends).unwrap_or_else(|| "0001-01-01T00:00:00Z".to_owned());
            json!({
                "status": if statement.firing { "firing" } else { "resolved" },
                "labels": {
                    "alertname": format!("H{}", self.histories), "group": statement.incident.to_string(),
                    "alert": statement.alert.to_string(), "severity": "high",
                },
                "annotations": {}, "startsAt": at(statement.starts), "endsAt": ends,
            })
        });
        json!({"version": "4", "status": "firing", "receiver": "web", "alerts": alerts.collect::<Vec<_>>()})
    }

    /// Moves the newest incident of a key, if that is legal.
    async fn person(&self, key: u8, state: &str) -> String {
        if let Some(id) = self.newest(key).await {
            let path = format!("/api/v1/incidents/{id}/state");
            let moved = self.world.call(Method::PATCH, &path, Some(json!({"state": state}))).await;
            assert!([200, 409].contains(&moved.status.as_u16()), "{moved:?}");
        }
        String::new()
    }

    async fn merge(&self, from: u8, into: u8) -> String {
        if let (Some(from), Some(into)) = (self.newest(from).await, self.newest(into).await) {
            let path = format!("/api/v1/incidents/{from}/merge");
            let merged = self.world.post(&path, json!({"into": into})).await;
            assert!([200, 409].contains(&merged.status.as_u16()), "{merged:?}");
        }
        String::new()
    }

    /// The newest incident of a key that was not merged into another.
    async fn newest(&self, key: u8) -> Option<String> {
        let mut tx = self.read().await;
        let all: Vec<(copilot::ids::IncidentId, Json<BTreeMap<String, String>>)> =
            on_tx!(tx, c => sqlx::query_as(
            "select id, labels from incidents where title = $1 and merged_into is null order by number desc")
            .bind(format!("H{}", self.histories)).fetch_all(c).await)
            .unwrap();
        let of_key = all.into_iter().find(|(_, labels)| labels.0["group"] == key.to_string());
        of_key.map(|(id, _)| id.to_string())
    }

    /// Where the product stands, as the model says it.
    async fn look(&self, events_before: i64) -> World {
        let mut tx = self.read().await;
        let (_, events) = self.world.events_in(&mut tx, events_before, 100_000).await;
        let name = format!("H{}", self.histories);
        let alerts: Vec<AlertRow> = on_tx!(tx, c => sqlx::query_as(
            "select labels, fingerprint, episode_id is not null, flapping_until is not null,
                 (select count(*) from episodes where alert_id = alerts.id),
                 (select count(closed_at) from episodes where alert_id = alerts.id)
             from alerts where name = $1").bind(&name).fetch_all(c).await)
        .unwrap();
        let incidents: Vec<IncidentRow> = on_tx!(tx, c => sqlx::query_as(
            "select labels, state, open, resolved_by, alert_count, open_alert_count, flapping, stale, version, id
             from incidents where title = $1 order by number").bind(&name).fetch_all(c).await)
        .unwrap();
        drop(tx);
        let told = |kind: &str, label: &str| {
            let of = |data: &Value| data["name"] == name && data["fingerprint"] == label;
            events.iter().filter(|(_, one, data)| one == kind && of(data)).count()
        };
        let mut world = World::default();
        for (labels, fingerprint, open, flapping, begun, ended) in alerts {
            assert_eq!(told("alert.fired", &fingerprint), begun as usize, "events of episodes that began");
            assert_eq!(told("alert.resolved", &fingerprint), ended as usize, "events of episodes that ended");
            let alert = Alert { open, episodes: begun as usize, ended: ended as usize, flapping };
            world.alerts.insert(labels.0["alert"].parse().unwrap(), alert);
        }
        for (labels, state, open, by, alert_count, open_alert_count, flapping, stale, version, id) in
            incidents
        {
            let id = id.to_string();
            let of =
                |kind: &str| events.iter().filter(|(_, one, data)| one == kind && data["id"] == id).count();
            assert_eq!(of("incident.created"), 1, "each incident is announced once");
            assert_eq!(of("incident.updated"), version as usize - 1, "each version is announced once");
            let by = by.map(|by| if by == "source" { By::Source } else { By::Hand });
            let incident = Incident {
                state: state_of(&state),
                open,
                resolved: by,
                alert_count: alert_count as usize,
                open_alert_count: open_alert_count as usize,
                flapping,
                stale,
            };
            world.incidents.entry(labels.0["group"].parse().unwrap()).or_default().push(incident);
        }
        world
    }

    /// Lets nothing of this history fall due in the next.
    async fn forget(&self) {
        let owner = self.world.tenant.parse().unwrap();
        let mut tx = self.world.server.app.db.begin(owner).await.unwrap();
        for statement in [
            "update alerts set held_until = null, flapping_until = null",
            "update incidents set open = false, stale_at = null",
        ] {
            on_tx!(tx, c => sqlx::query(statement).execute(c).await.map(drop)).unwrap();
        }
        tx.commit().await.unwrap();
    }
}

fn state_of(word: &str) -> State {
    match word {
        "detected" => State::Detected,
        "acknowledged" => State::Acknowledged,
        "investigating" => State::Investigating,
        "resolved" => State::Resolved,
        "learned" => State::Learned,
        other => panic!("no state of a history: {other}"),
    }
}

fn fire(at: i64, alert: u8, starts: i64) -> Step {
    Step { at: BEGIN + at, what: What::Body(vec![statement(alert, true, Some(BEGIN + starts), None)]) }
}

fn end(at: i64, alert: u8, starts: i64, ends: i64) -> Step {
    let ends = Some(BEGIN + ends);
    Step { at: BEGIN + at, what: What::Body(vec![statement(alert, false, Some(BEGIN + starts), ends)]) }
}

fn by_hand(at: i64, what: What) -> Step {
    Step { at: BEGIN + at, what }
}

fn tick(at: i64) -> Step {
    by_hand(at, What::Tick)
}

/// Histories that the product once ended differently.
fn once_wrong() -> Vec<Vec<Step>> {
    let both = |at, begun: u8, ended: u8| {
        let fires = statement(begun, true, Some(BEGIN + at), None);
        let ends = statement(ended, false, Some(BEGIN), Some(BEGIN + at));
        Step { at: BEGIN + at, what: What::Body(vec![ends, fires]) }
    };
    vec![
        // The hold after a swapped pair counted from the late firing.
        vec![end(31, 0, 0, 30), fire(81, 0, 0), fire(85, 0, 0), tick(91)],
        // Two occurrences, both swapped.
        vec![end(20, 0, 0, 10), end(26, 0, 15, 25), fire(30, 0, 0), fire(31, 0, 15), tick(200)],
        // A pair swapped around another episode.
        vec![end(36, 0, 30, 35), fire(37, 0, 10), end(38, 0, 10, 20), fire(40, 0, 30), tick(200)],
        // A resolution that ended a hold and had overtaken its own firing.
        vec![
            fire(0, 0, 0),
            end(31, 0, 0, 30),
            fire(32, 0, 0),
            end(46, 0, 40, 45),
            fire(50, 0, 40),
            tick(200),
        ],
        // A swapped pair while an echo is held.
        vec![
            fire(0, 0, 0),
            end(10, 0, 0, 10),
            end(11, 0, 11, 11),
            fire(12, 0, 0),
            fire(13, 0, 11),
            tick(200),
        ],
        // Changes that are exactly a quarter of an hour old.
        vec![fire(0, 0, 0), end(10, 0, 0, 10), fire(100, 0, 100), end(110, 0, 100, 110), fire(900, 0, 900)],
        // Closed for good, and firing on.
        vec![fire(0, 0, 0), by_hand(10, What::Resolve(0)), by_hand(11, What::Learn(0)), fire(12, 0, 0)],
        // Flapping, resolved by hand, and firing anew.
        vec![
            fire(0, 0, 0),
            end(10, 0, 0, 10),
            fire(20, 0, 20),
            end(30, 0, 20, 30),
            fire(40, 0, 40),
            by_hand(50, What::Resolve(0)),
            end(60, 0, 40, 60),
            fire(70, 0, 70),
            tick(80),
        ],
        // A hold that runs out after the flapping did.
        vec![
            fire(0, 0, 0),
            end(10, 0, 0, 10),
            fire(20, 0, 20),
            end(30, 0, 20, 30),
            fire(40, 0, 40),
            end(895, 0, 40, 895),
            fire(896, 0, 40),
            end(1_000, 0, 40, 1_000),
            tick(4_000),
        ],
        // In one body one alert of an incident ends before another fires.
        vec![fire(0, 0, 0), by_hand(5, What::Acknowledge(0)), both(10, 2, 0)],
        vec![fire(0, 2, 0), by_hand(5, What::Acknowledge(0)), both(10, 0, 2)],
    ]
}

#[tokio::test]
async fn histories_that_once_went_wrong_end_as_the_rules_say() {
    let mut rig = Rig::new().await;
    for history in once_wrong() {
        if let Some(difference) = rig.differs(&history).await {
            panic!("{difference}");
        }
    }
    rig.world.end().await;
}

/// A number that the environment may set.
fn number(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

#[test]
fn random_histories_end_as_the_rules_say() {
    let cases = number("SRE_COPILOT_MODEL_CASES", CASES);
    let seed = number("SRE_COPILOT_MODEL_SEED", 1);
    println!("SRE_COPILOT_MODEL_SEED={seed} SRE_COPILOT_MODEL_CASES={cases}");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let rig = std::cell::RefCell::new(runtime.block_on(Rig::new()));
    let config =
        ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Default::default() };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result =
        runner.run(&history(), |history| match runtime.block_on(rig.borrow_mut().differs(&history)) {
            None => Ok(()),
            Some(difference) => Err(TestCaseError::fail(difference)),
        });
    if let Err(TestError::Fail(why, _)) = &result {
        panic!("seed {seed}: {why}");
    }
    result.unwrap();
    runtime.block_on(rig.into_inner().world.end());
}
