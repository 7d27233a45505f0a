//! A good body to damage, and short ways to read what becomes of it.

use alerts::{Alert, Batch, ParseError, Parsed, Reason, Sender, Settings, parse};
use jiff::Timestamp;

/// When the bodies of this module arrive.
pub const RECEIVED: &str = "2026-11-22T21:12:00Z";

const GOOD: [(&str, &str); 7] = [
    ("status", "\"firing\""),
    ("labels", "{\"alertname\":\"HighCpu\",\"service\":\"api\",\"severity\":\"critical\"}"),
    ("annotations", "{\"summary\":\"CPU is high\"}"),
    ("startsAt", "\"2026-11-22T21:11:05.189Z\""),
    ("endsAt", "\"0001-01-01T00:00:00Z\""),
    ("generatorURL", "\"http://prometheus:9090/graph?g0.expr=cpu\""),
    ("fingerprint", "\"19c42a0e7ffe6107\""),
];

pub fn received() -> Timestamp {
    RECEIVED.parse().unwrap()
}

/// A good alert with some members replaced by other JSON; an empty text removes the member.
pub fn alert(replaced: &[(&str, &str)]) -> String {
    let mut members: Vec<(&str, &str)> = GOOD.to_vec();
    for (name, json) in replaced {
        members.retain(|member| member.0 != *name);
        if !json.is_empty() {
            members.push((name, json));
        }
    }
    object(&members)
}

/// An Alertmanager body around these alerts, with some members replaced.
pub fn alertmanager(alerts: &[String], replaced: &[(&str, &str)]) -> String {
    let list = format!("[{}]", alerts.join(","));
    let mut members =
        vec![("version", "\"4\""), ("receiver", "\"r\""), ("groupKey", "\"k\""), ("alerts", &list)];
    for (name, json) in replaced {
        members.retain(|member| member.0 != *name);
        if !json.is_empty() {
            members.push((name, json));
        }
    }
    object(&members)
}

pub fn read(sender: Sender, body: &str) -> Result<Batch, ParseError> {
    parse(sender, body.as_bytes(), received(), &Settings::default())
}

/// The only alert of an Alertmanager body that holds the good alert with these members replaced.
pub fn damaged(replaced: &[(&str, &str)]) -> Result<Alert, Reason> {
    let batch = read(Sender::Alertmanager, &alertmanager(&[alert(replaced)], &[])).unwrap();
    match batch.alerts.into_iter().next().unwrap() {
        Parsed::Alert(alert) => Ok(*alert),
        Parsed::Quarantined(quarantined) => Err(quarantined.reason),
        Parsed::Ignored { .. } => panic!("Alertmanager's alerts are never ignored"),
    }
}

/// JSON of a text.
pub fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn object(members: &[(&str, &str)]) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| format!("{}:{value}", json(name))).collect();
    format!("{{{}}}", members.join(","))
}
