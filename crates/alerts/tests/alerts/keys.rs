//! The two keys against values computed elsewhere, and what must and must not change them.

use crate::{
    bodies::{damaged, json},
    golden::{Fixture, hexadecimal},
};
use alerts::{Alert, DEFAULT_GROUP_BY, Sender, Settings, alert_key, incident_key, parse};

const TENANT: &str = "01938c3e-0000-7000-8000-000000000001";
const PROJECT: &str = "01938c3e-0000-7000-8000-000000000002";

fn key(alert: &Alert, kind: Sender) -> String {
    hexadecimal(&alert_key(TENANT, PROJECT, "demo", alert, kind))
}

fn incident(alert: &Alert, group_by: &[&str]) -> String {
    let group_by: Vec<_> = group_by.iter().map(|name| (*name).to_owned()).collect();
    let key = alert_key(TENANT, PROJECT, "demo", alert, Sender::Alertmanager);
    hexadecimal(&incident_key(TENANT, PROJECT, "demo", &group_by, alert, &key))
}

fn labelled(labels: &str) -> Alert {
    damaged(&[("labels", labels), ("fingerprint", "")]).unwrap()
}

/// All alerts of a fixture, read at one time.
fn alerts_of(name: &str) -> Vec<Alert> {
    let fixture = Fixture::load(name);
    let received = "2026-11-22T21:12:00Z".parse().unwrap();
    let batch =
        parse(fixture.sender(), fixture.body.get().as_bytes(), received, &Settings::default()).unwrap();
    batch.readable().cloned().collect()
}

#[test]
fn they_are_the_documented_hashes() {
    let alert = damaged(&[]).unwrap();
    let expected = "c53b7b84b0605eec794354a70a4988518712b17d23fe417727ca08ce3ef0a0c7";
    assert_eq!(key(&alert, Sender::Alertmanager), expected);
    assert_eq!(key(&alert, Sender::Prometheus), expected);
    let supplied = damaged(&[("fingerprint", "\"c6eadffa33fcdf37\"")]).unwrap();
    let grafana = "89ee3d0544f3d89f0c44cbb0b8fc3055194f2a27f50067e49842e9dcda73f691";
    assert_eq!(key(&supplied, Sender::Grafana), grafana);
    let malformed = damaged(&[("fingerprint", "\"C6EADFFA33FCDF37\"")]).unwrap();
    assert_eq!(key(&malformed, Sender::Grafana), expected);

    let by_default = "5ea5e0fc733b1f6a1651cba010aa76e192a7324507d06461fada456dd6d829d5";
    assert_eq!(incident(&alert, &DEFAULT_GROUP_BY), by_default);
    let by_alert = "b4bf762f17d620e34b331d1e973e3e78ee34af374f4511ebaaadff9b65a30d94";
    assert_eq!(incident(&alert, &["fingerprint"]), by_alert);
    let missing = "daee9fb0b165a9877b2230cbda869a9115f7ec8d9eb0b011f74b11588c32341d";
    assert_eq!(incident(&alert, &["no_such_label", "service"]), missing);
}

#[test]
fn the_place_is_part_of_both() {
    let alert = damaged(&[]).unwrap();
    let places =
        [(TENANT, PROJECT, "a"), (PROJECT, TENANT, "a"), (TENANT, TENANT, "a"), (TENANT, PROJECT, "b")];
    let keys: Vec<_> = places
        .iter()
        .map(|(tenant, project, source)| {
            let key = alert_key(tenant, project, source, &alert, Sender::Alertmanager);
            (key, incident_key(tenant, project, source, &["alertname".into()], &alert, &[0; 32]))
        })
        .collect();
    for (index, one) in keys.iter().enumerate() {
        assert!(keys.iter().skip(index + 1).all(|other| one.0 != other.0 && one.1 != other.1));
    }
}

#[test]
fn the_same_alert_has_one_key_whatever_is_said_of_it() {
    let same = [
        ("alertmanager-firing", "alertmanager-firing-repeat"),
        ("alertmanager-firing", "alertmanager-resolved"),
        ("alertmanager-firing", "prometheus-firing-one"),
        ("prometheus-firing-two", "alertmanager-group-of-two"),
        ("alertmanager-newest-fields", "alertmanager-second-peer"),
        ("alertmanager-watchdog", "prometheus-watchdog"),
        ("grafana-firing", "grafana-resolved"),
        ("grafana-legacy-alerting", "grafana-legacy-ok"),
        ("grafana-legacy-alerting", "grafana-legacy-no-data"),
    ];
    for (one, other) in same {
        let kind = if one.starts_with("grafana") { Sender::Grafana } else { Sender::Alertmanager };
        let keys = |name: &str| alerts_of(name).iter().map(|alert| key(alert, kind)).collect::<Vec<_>>();
        assert_eq!(keys(one), keys(other), "{one} and {other}");
    }
    let spelled = labelled(r#"{"\u0061lertname":"\u0048ighCpu","service":"api","gone":"","none":null}"#);
    let plain = labelled(r#"{"service":"api","alertname":"HighCpu"}"#);
    assert_eq!(key(&spelled, Sender::Alertmanager), key(&plain, Sender::Alertmanager));
    let supplied =
        ["\"0000000000000001\"", "\"0000000000000002\""].map(|text| damaged(&[("fingerprint", text)]));
    let [one, other] = supplied.map(|alert| key(&alert.unwrap(), Sender::Alertmanager));
    assert_eq!(one, other, "XB58: Alertmanager's supplied fingerprint is no identity");
}

#[test]
fn what_differs_in_any_byte_differs_in_key() {
    let long = "x".repeat(70_000);
    let sets = [
        r#"{"alertname":"A","service":"Service"}"#.to_owned(),
        r#"{"alertname":"A","service":"service "}"#.to_owned(),
        r#"{"alertname":"A","service":"SERVICE"}"#.to_owned(),
        r#"{"alertname":"A","service":"caf\u00e9"}"#.to_owned(),
        r#"{"alertname":"A","service":"cafe\u0301"}"#.to_owned(),
        r#"{"alertname":"A","service":"a\u0000"}"#.to_owned(),
        r#"{"alertname":"A","service":"a\ufffd"}"#.to_owned(),
        r#"{"alertname":"A","service":"a\u00ff"}"#.to_owned(),
        r#"{"alertname":"A","x":"b\u00ffc"}"#.to_owned(),
        r#"{"alertname":"A","x":"b","c":"d"}"#.to_owned(),
        r#"{"alertname":"A","x":"bc","d":"d"}"#.to_owned(),
        format!(r#"{{"alertname":"A","service":"{long}1"}}"#),
        format!(r#"{{"alertname":"A","service":"{long}2"}}"#),
    ];
    let keys: Vec<_> = sets.iter().map(|labels| key(&labelled(labels), Sender::Alertmanager)).collect();
    for (index, one) in keys.iter().enumerate() {
        assert!(keys.iter().skip(index + 1).all(|other| one != other), "{:.60}", sets[index]);
    }
    let services: Vec<_> =
        sets.iter().take(5).map(|labels| incident(&labelled(labels), &DEFAULT_GROUP_BY)).collect();
    for (index, one) in services.iter().enumerate() {
        assert!(services.iter().skip(index + 1).all(|other| one != other), "{}", sets[index]);
    }
}

#[test]
fn grafanas_hidden_labels_count_through_its_fingerprint() {
    let alerts = alerts_of("grafana-hidden-labels");
    let keys: Vec<_> = alerts.iter().map(|alert| key(alert, Sender::Grafana)).collect();
    assert_eq!(alerts[0].labels, alerts[1].labels);
    assert_ne!(keys[0], keys[1]);
    assert_ne!(keys[1], keys[2]);
}

#[test]
fn grouping_values_cannot_be_shifted_into_each_other() {
    let one = labelled(&format!(r#"{{"alertname":"A","x":{},"y":"c"}}"#, json("ab")));
    let other = labelled(&format!(r#"{{"alertname":"A","x":{},"y":"bc"}}"#, json("a")));
    assert_ne!(incident(&one, &["x", "y"]), incident(&other, &["x", "y"]));
    assert_ne!(incident(&one, &["x", "y"]), incident(&one, &["y", "x"]));
}
