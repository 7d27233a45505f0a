//! Every fixture in, one snapshot out.

use alerts::{DEFAULT_GROUP_BY, Parsed, Sender, Settings, alert_key, incident_key, parse};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use std::{collections::BTreeSet, fs, path::Path};

/// Each fixture and when it was received.
const FIXTURES: [(&str, &str); 39] = [
    ("alertmanager-custom-payload", "2026-11-22T21:12:00Z"),
    ("alertmanager-firing", "2026-11-22T21:11:10Z"),
    ("alertmanager-firing-and-resolved-of-one", "2026-11-22T21:12:00Z"),
    ("alertmanager-firing-repeat", "2026-11-22T21:11:20Z"),
    ("alertmanager-group-of-two", "2026-11-22T21:11:10Z"),
    ("alertmanager-group-resolved", "2026-11-22T21:11:50Z"),
    ("alertmanager-mixed-status", "2026-11-22T21:11:50Z"),
    ("alertmanager-newest-fields", "2026-11-22T21:11:10Z"),
    ("alertmanager-odd-alerts", "2026-11-22T21:12:00Z"),
    ("alertmanager-on-grafana-route", "2026-11-22T21:12:00Z"),
    ("alertmanager-resolved", "2026-11-22T21:11:50Z"),
    ("alertmanager-resolved-without-end", "2026-11-22T21:12:00Z"),
    ("alertmanager-second-peer", "2026-11-22T21:11:12Z"),
    ("alertmanager-truncated", "2026-11-22T21:11:10Z"),
    ("alertmanager-truncated-hides-resolved", "2026-11-22T21:11:50Z"),
    ("alertmanager-watchdog", "2026-11-22T21:11:00Z"),
    ("empty-list-on-alertmanager-route", "2026-11-22T21:12:00Z"),
    ("grafana-firing", "2026-11-22T21:11:10Z"),
    ("grafana-hidden-labels", "2026-11-22T21:11:10Z"),
    ("grafana-legacy-alerting", "2026-11-22T21:11:10Z"),
    ("grafana-legacy-no-data", "2026-11-22T21:11:10Z"),
    ("grafana-legacy-ok", "2026-11-22T21:12:00Z"),
    ("grafana-legacy-paused", "2026-11-22T21:11:10Z"),
    ("grafana-legacy-pending", "2026-11-22T21:11:10Z"),
    ("grafana-legacy-unknown", "2026-11-22T21:11:10Z"),
    ("grafana-legacy-very-old", "2026-11-22T21:11:10Z"),
    ("grafana-no-data", "2026-11-22T21:11:10Z"),
    ("grafana-on-alertmanager-route", "2026-11-22T21:11:10Z"),
    ("grafana-query-error", "2026-11-22T21:11:10Z"),
    ("grafana-resolved", "2026-11-22T21:12:00Z"),
    ("prometheus-empty", "2026-11-22T21:11:10Z"),
    ("prometheus-firing-one", "2026-11-22T21:11:06Z"),
    ("prometheus-firing-two", "2026-11-22T21:11:06Z"),
    ("prometheus-list-on-alertmanager-route", "2026-11-22T21:11:06Z"),
    ("prometheus-minimal", "2026-11-22T21:11:06.123456789Z"),
    ("prometheus-posted-back", "2026-11-22T21:11:06Z"),
    ("prometheus-resolved", "2026-11-22T21:11:50Z"),
    ("prometheus-resolved-and-firing", "2026-11-22T21:11:50Z"),
    ("prometheus-watchdog", "2026-11-22T21:11:00Z"),
];

const TENANT: &str = "01938c3e-0000-7000-8000-000000000001";
const PROJECT: &str = "01938c3e-0000-7000-8000-000000000002";

/// A captured request: its line, headers and body.
#[derive(Deserialize)]
pub struct Fixture {
    request: String,
    pub body: Box<RawValue>,
}

impl Fixture {
    pub fn load(name: &str) -> Fixture {
        let path = folder().join(format!("{name}.json"));
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    pub fn sender(&self) -> Sender {
        let path = self.request.strip_prefix("POST /webhooks/").unwrap();
        path.split('/').next().unwrap().parse().unwrap()
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"))
}

/// The names of all fixtures.
pub fn names() -> impl Iterator<Item = &'static str> {
    FIXTURES.iter().map(|(name, _)| *name)
}

/// Reads a fixture as if received then, and compares the outcome with its snapshot.
fn check(name: &str, received: &str) {
    let fixture = Fixture::load(name);
    let received = received.parse().unwrap();
    let outcome = parse(fixture.sender(), fixture.body.get().as_bytes(), received, &Settings::default());
    let outcome = match outcome {
        Ok(batch) => {
            let group_by = DEFAULT_GROUP_BY.map(String::from);
            let keys = batch.alerts.iter().map(|parsed| match parsed {
                Parsed::Alert(alert) => {
                    let key = alert_key(TENANT, PROJECT, "demo", alert, batch.format.sender());
                    let incident = incident_key(TENANT, PROJECT, "demo", &group_by, alert, &key);
                    json!({"alert": hexadecimal(&key), "incident": hexadecimal(&incident)})
                }
                Parsed::Quarantined(_) | Parsed::Ignored { .. } => Value::Null,
            });
            json!({"keys": keys.collect::<Vec<_>>(), "batch": batch})
        }
        Err(error) => json!({"error": error.to_string()}),
    };
    insta::assert_json_snapshot!(name, outcome);
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_fixture_reads_as_its_snapshot_says() {
    for (name, received) in FIXTURES {
        check(name, received);
    }
}

#[test]
fn every_file_is_a_fixture_with_a_snapshot() {
    let stems = |folder: &Path| -> BTreeSet<String> {
        let stem = |entry: fs::DirEntry| entry.path().file_stem().unwrap().to_str().unwrap().to_owned();
        fs::read_dir(folder).unwrap().map(|entry| stem(entry.unwrap())).collect()
    };
    let listed: BTreeSet<_> = FIXTURES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems(folder()), listed);
    let snapshots = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/alerts/snapshots"));
    let expected: BTreeSet<_> = names().map(|name| format!("alerts__golden__{name}")).collect();
    assert_eq!(stems(snapshots), expected);
}
