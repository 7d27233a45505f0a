//! T-G4b: histories over HTTP to two replicas, one of which is killed again and again, against the model.

use std::collections::BTreeMap;

use bench::faults::{Backend, Report, histories};
use outbox::Ts;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use super::generate::{INCIDENT_OF, statement};
use super::history::{Alert, By, Incident, State, Statement, Step, What, World};
use super::run;
use crate::faults::{found, held, trial};
use crate::world::text;

/// Histories at once; each is over long before a hold ends, so that no time passes in the model.
const HISTORIES: usize = 60;

/// Statements of each.
const STATEMENTS: usize = 10;

/// What is remembered of alerts: service, labels, episodes, open episodes, flapping.
const ALERTS: &str = "select coalesce(a.service_name, ''), cast(a.labels as text),
    (select count(*) from episodes e where e.tenant_id = a.tenant_id and e.alert_id = a.id),
    (select count(*) from episodes e where e.tenant_id = a.tenant_id and e.alert_id = a.id and e.closed_at is null),
    a.flapping_until is not null from alerts a";

/// Incidents, oldest first: service, state, open, by whom resolved, alerts, open alerts, flapping, stale.
const INCIDENTS: &str = "select coalesce(service_name, ''), state, open, coalesce(resolved_by, ''),
    cast(alert_count as bigint), cast(open_alert_count as bigint), flapping, stale from incidents order by number";

/// A row of [`ALERTS`].
type AlertRow = (String, String, i64, i64, bool);

/// A row of [`INCIDENTS`].
type IncidentRow = (String, String, bool, String, i64, i64, bool, bool);

/// The service of an incident key in history number `history`.
fn service(history: usize, incident: u8) -> String {
    format!("h{history}-{incident}")
}

/// The webhook's body of `statements`, which name their times by a clock that showed 0 at `origin`.
fn body(history: usize, statements: &[Statement], origin: Ts) -> Value {
    let time = |at: Option<i64>| at.map(|at| origin.plus_seconds(at).to_string());
    let alerts = statements.iter().map(|said| {
        let service = service(history, said.incident);
        let labels = json!({"alertname": "Down", "service": service, "severity": "critical",
            "instance": said.alert.to_string()});
        json!({
            "status": if said.firing { "firing" } else { "resolved" }, "labels": labels, "annotations": {},
            "startsAt": time(said.starts), "endsAt": time(said.ends).unwrap_or("0001-01-01T00:00:00Z".to_owned()),
            "generatorURL": "", "fingerprint": "",
        })
    });
    let alerts: Vec<Value> = alerts.collect();
    bench::faults::load::envelope(&alerts)
}

/// What is stored of history number `history`.
fn stored(history: usize, alerts: &[AlertRow], incidents: &[IncidentRow]) -> World {
    let mut world = World::default();
    let keys: BTreeMap<String, u8> = INCIDENT_OF.iter().map(|key| (service(history, *key), *key)).collect();
    for (_, labels, episodes, open, flapping) in alerts.iter().filter(|row| keys.contains_key(&row.0)) {
        let labels: Value = serde_json::from_str(labels).unwrap();
        let id = text(&labels["instance"]).parse().unwrap();
        assert!(*open <= 1, "two open episodes of one alert");
        let ended = usize::try_from(episodes - open).unwrap();
        let episodes = usize::try_from(*episodes).unwrap();
        world.alerts.insert(id, Alert { open: *open == 1, episodes, ended, flapping: *flapping });
    }
    for row in incidents {
        let Some(key) = keys.get(&row.0) else { continue };
        let state = match row.1.as_str() {
            "detected" => State::Detected,
            "acknowledged" => State::Acknowledged,
            "investigating" => State::Investigating,
            "resolved" => State::Resolved,
            "learned" => State::Learned,
            other => panic!("a state that no history reaches: {other}"),
        };
        let resolved = match row.3.as_str() {
            "" => None,
            "source" => Some(By::Source),
            _ => Some(By::Hand),
        };
        world.incidents.entry(*key).or_default().push(Incident {
            state,
            open: row.2,
            resolved,
            alert_count: usize::try_from(row.4).unwrap(),
            open_alert_count: usize::try_from(row.5).unwrap(),
            flapping: row.6,
            stale: row.7,
        });
    }
    world
}

/// A random history whose times are seconds before its beginning.
fn random_history(random: &mut StdRng) -> Vec<Statement> {
    let mut starts = [-300_i64; INCIDENT_OF.len()];
    let ago = |random: &mut StdRng| -[5_i64, 20, 60, 120, 300][random.random_range(0..5)];
    let said = (0..STATEMENTS).map(|_| {
        let alert = random.random_range(0..INCIDENT_OF.len());
        let (firing, anew) = (random.random_bool(0.6), random.random_bool(0.5));
        if firing && anew {
            starts[alert] = ago(random);
        }
        let ends = (!firing && random.random_bool(0.7)).then(|| ago(random));
        statement(alert as u8, firing, Some(starts[alert]), ends)
    });
    said.collect()
}

/// So many ends of a history are compared; one that may have ended in more ways says nothing.
const ENDS: usize = 4096;

/// Every end that the model knows for what was accepted: of an attempt that nobody answered it is not known whether
/// it counts.
fn ends(history: &[Statement], unknown: &[usize]) -> Option<Vec<World>> {
    let ways = unknown.iter().map(|unknown| 1 + unknown.min(&2)).product::<usize>();
    if ways > ENDS {
        return None;
    }
    let mut histories = vec![Vec::new()];
    for (statement, unknown) in history.iter().zip(unknown) {
        let said = Step { at: 0, what: What::Body(vec![statement.clone()]) };
        let times = 1..=1 + unknown.min(&2);
        let longer = histories.iter().flat_map(|history: &Vec<Step>| {
            let again =
                |times| history.iter().cloned().chain(std::iter::repeat_n(said.clone(), times)).collect();
            times.clone().map(again)
        });
        histories = longer.collect();
    }
    Some(histories.iter().map(|history| run(history)).collect())
}

#[expect(clippy::disallowed_methods, reason = "a sender lives in real time")]
fn now() -> Ts {
    Ts::from_micros(jiff::Timestamp::now().as_second() * 1_000_000)
}

async fn under_kills(broken: &'static str) -> Report {
    let trial = trial(Backend::Postgres, broken);
    let mut random = StdRng::seed_from_u64(trial.seed);
    let said: Vec<Vec<Statement>> = (0..HISTORIES).map(|_| random_history(&mut random)).collect();
    let origin = now();
    let bodies: Vec<Vec<_>> = said
        .iter()
        .enumerate()
        .map(|(number, history)| {
            history.iter().map(|said| body(number, std::slice::from_ref(said), origin)).collect()
        })
        .collect();
    let told = histories::tell(&trial, &bodies).await.unwrap();
    let alerts = told.site.database.rows(ALERTS).await.unwrap();
    let incidents = told.site.database.rows(INCIDENTS).await.unwrap();
    let (mut report, mut compared) = (Report::default(), 0);
    for (number, (history, unknown)) in said.iter().zip(&told.unknown).enumerate() {
        let stored = stored(number, &alerts, &incidents);
        let Some(ends) = ends(history, unknown) else { continue };
        compared += 1;
        if !ends.contains(&stored) {
            let what = format!("{history:#?} {unknown:?}\nstored {stored:#?}\nwanted {:#?}", ends[0]);
            report.find("differs", format!("history {number}: {what}"));
        }
    }
    let lost: usize = told.unknown.iter().flatten().sum();
    if told.failed == 0 || compared < HISTORIES / 2 {
        report.find("unreached", "nobody noticed the kills, or too much is not known");
    }
    let (kills, failed, seed) = (told.kills, told.failed, trial.seed);
    report.note(format!(
        "{compared} of {HISTORIES} histories, {kills} kills, {failed} failed, {lost} unknown, seed {seed}"
    ));
    report
}

#[tokio::test]
async fn g4_deaths_change_no_outcome() {
    held(&under_kills("").await);
}

#[tokio::test]
async fn g4_reopening_without_a_hold_is_noticed() {
    found("differs", async || Ok(under_kills("no-hold").await)).await;
}
